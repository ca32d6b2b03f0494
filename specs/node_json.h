// Nodes and stacks as JSON and back: how a checked node travels in a handover, and how a checked stack is kept.
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

/// A whole stack, with the version of this form: how a checked graph is kept.
[[nodiscard]] std::string to_json(const Stack& stack);
/// Refuses a version that this program does not know, by its number.
[[nodiscard]] Result<Stack> stack_from_json(std::string_view text);

inline constexpr int stack_json_version = 1;

}  // namespace banyan::specs
