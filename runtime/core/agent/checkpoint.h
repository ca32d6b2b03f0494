// The agent's durable records: which key holds what, written and read back. Pure.
//
//   agent                          agent id, highest master epoch obeyed
//   reservations                   dynamic reservations and volumes
//   framework/FRAMEWORK            what was said of it; "gone" once torn down
//   run/CONTAINER                  a container that exists or is being made
//   task/FRAMEWORK/TASK            its description
//   state/FRAMEWORK/TASK           its newest acknowledged status
//   kill/FRAMEWORK/TASK            a kill that was accepted
//   update/FRAMEWORK/TASK/NUMBER   an unacknowledged status
//   ended/NUMBER                   a sandbox that may be collected
#pragma once

#include <map>
#include <string>

#include "runtime/base/change.h"
#include "runtime/base/result.h"
#include "runtime/core/agent/state.h"

namespace banyan::agent::checkpoint {

[[nodiscard]] Change agent(const State& state);
[[nodiscard]] Change reservations(const State& state);
[[nodiscard]] Change framework(const Framework& framework, bool gone);
[[nodiscard]] Change run(const Run& run);
[[nodiscard]] Change task(const Task& task);
[[nodiscard]] Change status(const TaskKey& key, const Status& status);
[[nodiscard]] Change kill(const TaskKey& key, std::optional<Duration> grace);
[[nodiscard]] Change update(const TaskKey& key, std::uint64_t sequence, const Status& status);
[[nodiscard]] Change ended(std::uint64_t number, const EndedRun& run);

[[nodiscard]] Change no_framework(const FrameworkId& id);
[[nodiscard]] Change no_run(const ContainerId& id);
[[nodiscard]] Change no_update(const TaskKey& key, std::uint64_t sequence);
[[nodiscard]] Change no_ended(std::uint64_t number);
/// All of a task but its updates.
[[nodiscard]] Changes no_task(const TaskKey& key);

/// A record that cannot be read is an error that names its key: a damaged state is never taken for an empty one.
[[nodiscard]] Result<State> load(const std::map<std::string, std::string>& stored);

}  // namespace banyan::agent::checkpoint
