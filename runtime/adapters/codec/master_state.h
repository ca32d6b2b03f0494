// The master's state in the words of the operator API. Pure. THREADS: any.
#pragma once

#include "mesos/v1/master/master.pb.h"
#include "runtime/core/master/state.h"

namespace banyan::codec {

[[nodiscard]] mesos::v1::master::Response::GetAgents show_agents(const master::State& state);
[[nodiscard]] mesos::v1::master::Response::GetFrameworks show_frameworks(const master::State& state);
[[nodiscard]] mesos::v1::master::Response::GetTasks show_tasks(const master::State& state);
[[nodiscard]] mesos::v1::master::Response::GetExecutors show_executors(const master::State& state);
[[nodiscard]] mesos::v1::master::Response::GetRoles show_roles(const master::State& state);
[[nodiscard]] mesos::v1::master::Response::GetMetrics show_metrics(const master::State& state);

}  // namespace banyan::codec
