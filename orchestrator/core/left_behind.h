// Servers that run on with addresses which are others now, or will be. Nothing restarts them; people are told. Pure.
#pragma once

#include <vector>

#include "orchestrator/core/node.h"
#include "specs/change.h"
#include "specs/stack.h"

namespace banyan::root {

/// One `keep` per server that runs and is not restarted by `changes`: by what `wanted` makes of addresses that its
/// texts name, and by what it was launched with and is different today. The change's remedy says how it gets the new
/// ones.
[[nodiscard]] std::vector<specs::NodeChange> left_behind(const Stack& running, const specs::Stack& wanted,
                                                         const std::vector<specs::NodeChange>& changes);

}  // namespace banyan::root
