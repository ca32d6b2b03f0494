// The agent's words: what it decides on. The rest of a message travels beside them as the bytes it came in.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/ids.h"
#include "runtime/base/task_state.h"
#include "runtime/base/time.h"

namespace banyan::agent {

/// Numbers as on the wire (mesos.v1.TaskStatus.Reason).
enum class Reason {
  executor_terminated = 1,
  agent_restarted = 12,
  task_invalid = 14,
  container_launch_failed = 21,
  executor_registration_timeout = 23,
  executor_reregistration_timeout = 24,
  task_check_status_updated = 28,
  task_killed_during_launch = 30,
  max_completion_time_reached = 33,
};

/// The newest outcome of a command check. Nothing in it: no result yet, or the check ran out of time.
struct CheckResult {
  std::optional<int> exit_code;
  bool operator==(const CheckResult&) const = default;
};

/// Who listens on the ports a task was given: "tcp/31000,udp/5000" by its own processes, "tcp/31000=1234/python3" by
/// others.
struct PortsHeld {
  std::string listens;
  std::string strangers;
  bool operator==(const PortsHeld&) const = default;
};

struct Status {
  TaskId task;
  TaskState state = TaskState::staging;
  std::string uuid;  ///< 16 bytes; empty until the update is queued
  std::optional<Reason> reason;
  std::string message;
  bool from_executor = false;  ///< SOURCE_EXECUTOR, else SOURCE_AGENT
  ExecutorId executor;         ///< empty: not given
  ContainerId container;
  std::int64_t pid = 0;              ///< of the container's first process; 0: none
  double timestamp = 0;              ///< Unix time, seconds
  std::optional<CheckResult> check;  ///< set for tasks that have a check
  std::optional<PortsHeld> ports;    ///< nothing: nobody looks
  std::string body;                  ///< the executor's own TaskStatus; the fields above are laid over it
};

/// A persistent volume lives in volumes/roles/<role>/<id>.
struct VolumeKey {
  std::string role;
  std::string id;
  auto operator<=>(const VolumeKey&) const = default;
};

struct Framework {
  FrameworkId id;
  bool partition_aware = false;     ///< knows TASK_DROPPED; others are told TASK_LOST
  bool task_killing_state = false;  ///< knows TASK_KILLING
  std::string info;                 ///< mesos.v1.FrameworkInfo
};

struct ExecutorDescription {
  ExecutorId id;
  std::optional<Duration> shutdown_grace;
  std::set<VolumeKey> volumes;
  std::string info;  ///< mesos.v1.ExecutorInfo
};

struct Check {
  Duration delay{};
  Duration interval{};
  Duration timeout{};
};

struct TaskDescription {
  TaskId id;
  std::optional<ExecutorDescription> executor;  ///< none: a command task, run by the agent itself
  std::optional<Duration> kill_grace;
  std::optional<Duration> completion_max;
  std::optional<Check> check;
  std::set<VolumeKey> volumes;
  std::string info;  ///< mesos.v1.TaskInfo
};

}  // namespace banyan::agent
