// The agent's half of AgentLink: what the master says becomes an input, what the core says becomes a message.
// THREADS: any.
#pragma once

#include <optional>

#include "banyan/agent_link.pb.h"
#include "mesos/v1/mesos.pb.h"
#include "runtime/core/agent/effect.h"
#include "runtime/core/agent/input.h"

namespace banyan::codec {

/// Nothing: a message of a newer master that this agent does not know.
[[nodiscard]] std::optional<agent::Input> decode(const agent_link::ToAgent& message);

/// `self`: this agent's AgentInfo, without its id.
[[nodiscard]] agent_link::FromAgent encode(const agent::SendRegister& effect, mesos::v1::AgentInfo self);
[[nodiscard]] agent_link::FromAgent encode(const agent::SendUpdate& effect, const AgentId& agent);
[[nodiscard]] agent_link::FromAgent encode(const agent::SendExecutorMessage& effect);
[[nodiscard]] agent_link::FromAgent encode(const agent::SendExecutorExited& effect);
[[nodiscard]] agent_link::FromAgent encode(const agent::SendApplied& effect);
[[nodiscard]] agent_link::FromAgent encode(const agent::SendPong& effect);

}  // namespace banyan::codec
