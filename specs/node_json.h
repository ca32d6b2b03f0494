// A node as JSON and back: how a checked node travels in a handover.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "specs/stack.h"

namespace banyan::specs {

/// Compact, keys in a fixed order: equal nodes give equal text.
[[nodiscard]] std::string to_json(const Node& node);
/// Positions are kept, so that a later error can still name the line.
[[nodiscard]] Result<Node> node_from_json(std::string_view text);

}  // namespace banyan::specs
