// What a master knows. Plain data: only the Core changes it; the operator API reads it.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/core/allocator/allocator.h"
#include "runtime/core/master/effects.h"
#include "runtime/core/master/inputs.h"

namespace banyan::master {

using TaskKey = std::pair<FrameworkId, TaskId>;
using ExecutorKey = std::pair<FrameworkId, ExecutorId>;

struct KnownStatus {
  TaskState state = TaskState::staging;
  Bytes status;  ///< mesos.v1.TaskStatus, as it came
};

struct Task {
  TaskId id;
  AgentId agent;
  ExecutorId executor;  ///< empty: a command task
  std::string role;
  Resources resources;                       ///< without allocation roles
  TaskState state = TaskState::staging;      ///< newest known
  TaskState forwarded = TaskState::staging;  ///< state of the update last seen from the agent
  std::string forwarded_uuid;
  std::vector<KnownStatus> statuses;  ///< the last of each state it went through, newest last
  bool unreachable = false;           ///< its agent fell silent: it holds nothing until the agent returns
  bool reported = false;              ///< some update has come: its agent has it
  std::optional<Bytes> kill;          ///< a KILL (its policy) to repeat when the agent returns
  Bytes info;                         ///< mesos.v1.TaskInfo

  /// Its resources are in use: not ended, not out of reach.
  [[nodiscard]] bool holds_resources() const { return !unreachable && !is_terminal(state); }
};

struct Filter {
  Resources refused;  ///< an offer within this is not made
  Instant until;
};

struct Framework {
  enum class Phase {
    connected,
    disconnected,  ///< its stream ended; its failover_timeout runs
    recovered      ///< known from agents only: it has not subscribed to this master yet
  };
  FrameworkId id;
  Phase phase = Phase::recovered;
  StreamId stream;  ///< when connected
  std::string name;
  std::string user;
  std::string principal;
  std::set<std::string> roles;
  std::set<std::string> suppressed;
  Capabilities capabilities;
  bool checkpoint = false;
  Duration failover_timeout{};
  SharedBytes info;  ///< mesos.v1.FrameworkInfo
  std::optional<WallTime> registered;
  std::optional<WallTime> reregistered;
  std::optional<Instant> removal_due;  ///< when disconnected
  Instant removal_timer;
  bool asked = false;  ///< REQUEST
  std::map<TaskId, Task> tasks;
  std::map<std::pair<std::string, AgentId>, std::vector<Filter>> filters;
  std::map<std::string, allocator::Quantities> held;  ///< used and offered, by role
};

struct Executor {
  Resources resources;
  std::string role;
  bool torn_down = false;  ///< its framework is gone; it holds its resources until it has really ended
  Bytes info;              ///< mesos.v1.ExecutorInfo
};

/// A task of a torn-down framework that has not ended yet.
struct Remains {
  ExecutorId executor;  ///< empty: a command task
  Resources resources;
};

struct Agent {
  enum class Phase {
    recovered,  ///< from the registry; has not come back to this master yet
    registered,
    disconnected,  ///< its link broke a moment ago
    unreachable
  };
  AgentId id;
  Phase phase = Phase::recovered;
  LinkId link = 0;  ///< when registered
  std::string hostname;
  int port = 0;
  std::string version;
  SharedBytes info;  ///< mesos.v1.AgentInfo
  Resources declared;
  Resources total;  ///< declared, converted by reservations and volumes
  Resources used;   ///< by tasks, executors and the remains of torn-down frameworks
  Resources offered;
  Instant last_heard;
  std::optional<WallTime> registered;
  std::optional<WallTime> reregistered;
  std::optional<WallTime> unreachable_since;
  std::set<TaskKey> tasks;
  std::map<ExecutorKey, Executor> executors;
  std::map<TaskKey, Remains> remains;
  struct Applying {
    FrameworkId framework;
    std::vector<OperationId> operations;
    std::optional<CallId> call;  ///< an operator's, answered when the agent has it on disk
  };
  std::map<std::string, Applying> applying;  ///< by uuid: conversions the agent has not confirmed yet

  [[nodiscard]] Resources free() const { return total - used - offered; }
  /// Something of that framework is there: a task, an executor or remains.
  [[nodiscard]] bool hosts(const FrameworkId& framework) const;
  /// It is counted on: its resources are part of the cluster's.
  [[nodiscard]] bool present() const { return phase == Phase::registered || phase == Phase::disconnected; }
  /// Its reservations and volumes: what it keeps on disk.
  [[nodiscard]] Resources checkpointed() const;
};

struct Offer {
  OfferId id;
  FrameworkId framework;
  AgentId agent;
  std::string role;
  Resources resources;  ///< without allocation roles
  Instant made;
};

struct CompletedFramework {
  FrameworkId id;
  std::uint64_t order = 0;
  SharedBytes info;
  std::optional<WallTime> registered;
  std::optional<WallTime> unregistered;
};
struct CompletedTask {
  FrameworkId framework;
  Task task;
};

struct State {
  std::string master_id;
  std::uint64_t epoch = 0;
  WallTime started;
  std::map<AgentId, Agent> agents;
  std::map<FrameworkId, Framework> frameworks;
  std::map<OfferId, Offer> offers;
  std::map<FrameworkId, CompletedFramework> completed;
  std::deque<CompletedTask> completed_tasks;  ///< oldest first
  allocator::Quantities total;                ///< of the agents that are registered or disconnected
};

}  // namespace banyan::master
