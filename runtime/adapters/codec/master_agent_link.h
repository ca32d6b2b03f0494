// The agent link's messages (banyan/agent_link.proto) as inputs and orders of the master's core. Pure. THREADS: any.
#pragma once

#include <string>

#include "banyan/agent_link.pb.h"
#include "runtime/base/result.h"
#include "runtime/core/master/effects.h"

namespace banyan::codec {

/// An error means: refuse this agent, with that reason.
[[nodiscard]] Result<master::Input> decode(const agent_link::FromAgent& message, master::LinkId link);
[[nodiscard]] agent_link::ToAgent encode(const master::orders::Any& order, const std::string& master_id);

}  // namespace banyan::codec
