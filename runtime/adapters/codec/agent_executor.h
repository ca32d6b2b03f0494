// The v1 executor API: calls become inputs of the agent's core, what it tells executors becomes events.
// THREADS: any.
#pragma once

#include <string>

#include "mesos/v1/executor/executor.pb.h"
#include "runtime/core/agent/effect.h"
#include "runtime/core/agent/input.h"

namespace banyan::codec {

/// Why a call is malformed, in Mesos' words (HTTP 400); empty: it is well-formed.
[[nodiscard]] std::string fault(const mesos::v1::executor::Call& call);

/// REQUIRES: fault(call) is empty; SUBSCRIBE, UPDATE or MESSAGE. `connection` matters to SUBSCRIBE alone.
[[nodiscard]] agent::Input decode(const mesos::v1::executor::Call& call, agent::ConnectionId connection);

/// `self`: this agent's AgentInfo, without its id.
[[nodiscard]] mesos::v1::executor::Event encode(const agent::TellSubscribed& effect, const mesos::v1::AgentInfo& self);
[[nodiscard]] mesos::v1::executor::Event encode(const agent::TellLaunch& effect);
[[nodiscard]] mesos::v1::executor::Event encode(const agent::TellKill& effect);
[[nodiscard]] mesos::v1::executor::Event encode(const agent::TellAcknowledged& effect);
[[nodiscard]] mesos::v1::executor::Event encode(const agent::TellMessage& effect);
[[nodiscard]] mesos::v1::executor::Event encode(const agent::TellShutdown& effect);

}  // namespace banyan::codec
