// What makes an `up` the revision that it is. Pure.
#pragma once

#include <string>

#include "banyan/root.pb.h"
#include "runtime/base/time.h"
#include "specs/stack.h"

namespace banyan::root {

/// Equal for equal graphs: positions, comments and the order of what is unordered do not count.
[[nodiscard]] std::string graph_hash(const specs::Stack& stack);

/// How long the nodes of a graph may wait for each other, one after the other: the longest way through its edges.
[[nodiscard]] Duration longest_wait(const specs::Stack& stack);

/// Who asked; "somebody" when he does not say.
[[nodiscard]] std::string owner_of(const UpRequest& request);

}  // namespace banyan::root
