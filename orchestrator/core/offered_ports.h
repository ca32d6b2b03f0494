// Fixed ports are reserved on the agents, so they must be among those that an agent offers.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/core/placement.h"
#include "specs/diagnostic.h"
#include "specs/stack.h"

namespace banyan::root {

/// An error (E501) for each fixed port of the stack that no agent has. Nothing known of any agent: no errors, the
/// node's scheduler will say what it waits for. `file` is the stack's, for the place.
[[nodiscard]] std::vector<specs::Diagnostic> outside_offers(const specs::Stack& stack, const std::string& file,
                                                            const std::vector<AgentTotal>& agents);

}  // namespace banyan::root
