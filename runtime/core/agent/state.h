// What an agent remembers. Everything here is in its store too (checkpoint.h), but for what is marked "volatile".
#pragma once

#include <compare>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/core/agent/input.h"
#include "runtime/core/agent/words.h"

namespace banyan::agent {

struct TaskKey {
  FrameworkId framework;
  TaskId task;
  auto operator<=>(const TaskKey&) const = default;
};

struct Task {
  TaskDescription description;
  FrameworkId framework;
  ContainerId container;
  Status last;                        ///< newest status; staging before the first
  std::deque<Status> unacknowledged;  ///< in order; only the first is in flight
  std::uint64_t sequence = 0;         ///< of the first of them
  bool kill_wanted = false;
  std::optional<Duration> kill_grace;  ///< what the kill asked for

  // volatile
  bool delivered = false;            ///< its custom executor has been told of it
  bool overran = false;              ///< completion_max has passed
  std::optional<Instant> resend_at;  ///< valid while an update is in flight
  Duration backoff{};
  std::optional<Instant> kill_at;  ///< the grace of a kill ends: then the whole tree
  std::optional<Instant> check_at;
  std::optional<Instant> overrun_at;
  std::optional<CheckResult> check;  ///< set once the check has been scheduled
  std::optional<PortsHeld> ports;    ///< as last told by its container

  [[nodiscard]] bool ended() const { return is_terminal(last.state); }
};

/// One container: one run of a custom executor or of one command task.
struct Run {
  ContainerId id;
  AgentId agent;
  FrameworkId framework;
  ExecutorId executor;                        ///< of a command task: the task's id
  std::optional<ExecutorDescription> custom;  ///< none: a command task
  bool subscribed_once = false;
  bool stopping = false;  ///< SHUTDOWN was sent or asked for; takes no further task

  // volatile
  std::int64_t pid = 0;  ///< 0: not started yet
  std::optional<ConnectionId> connection;
  std::optional<Instant> subscribe_by;
  std::optional<Instant> destroy_at;
  std::optional<Reason> cause;  ///< why the agent destroys it, for its tasks' last status
  std::string cause_message;
};

/// A run that is over and whose sandbox still stands.
struct EndedRun {
  AgentId agent;
  FrameworkId framework;
  ExecutorId executor;
  ContainerId container;
};

struct State {
  AgentId agent;
  std::uint64_t epoch = 0;
  std::vector<std::string> resources;
  std::set<VolumeKey> volumes;
  std::map<FrameworkId, Framework> frameworks;
  std::set<FrameworkId> gone;  ///< torn down: they get no further task, their tasks' ends are still reported
  std::map<TaskKey, Task> tasks;
  std::map<ContainerId, Run> runs;
  std::map<std::uint64_t, EndedRun> ended;  ///< oldest first
};

}  // namespace banyan::agent
