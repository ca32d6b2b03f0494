// What can happen to an agent.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "runtime/core/agent/words.h"

namespace banyan::agent {

/// One subscription of one executor: a stream that is open now.
using ConnectionId = std::uint64_t;

// ---- the master ----
struct LinkOpened {};
struct LinkClosed {};
struct Registered {
  AgentId agent;
  std::uint64_t epoch = 0;
  std::vector<FrameworkId> gone;  ///< torn down while the agent was away
};
struct Refused {
  std::string reason;
};
struct RunTask {
  Framework framework;
  TaskDescription task;
};
struct KillTask {
  FrameworkId framework;
  TaskId task;
  std::optional<Duration> grace;
};
struct Acknowledge {
  FrameworkId framework;
  TaskId task;
  std::string uuid;
};
struct SchedulerMessage {
  FrameworkId framework;
  ExecutorId executor;
  std::string data;
};
struct ShutdownExecutor {
  FrameworkId framework;
  ExecutorId executor;
};
struct ShutdownFramework {
  FrameworkId framework;
};
struct UpdateFramework {
  Framework framework;
};
/// The whole new set of dynamic reservations and persistent volumes.
struct Apply {
  std::string operation;               ///< uuid
  std::vector<std::string> resources;  ///< mesos.v1.Resource each
  std::set<VolumeKey> volumes;
};
struct Ping {};

// ---- executors; the HTTP side has asked Core::refuse() first ----
struct ExecutorSubscribe {
  ConnectionId connection = 0;
  FrameworkId framework;
  ExecutorId executor;
  std::set<TaskId> unacknowledged_tasks;
  std::vector<Status> unacknowledged_updates;
};
struct ExecutorUpdate {
  FrameworkId framework;
  ExecutorId executor;
  Status status;
};
struct ExecutorMessage {
  FrameworkId framework;
  ExecutorId executor;
  std::string data;
};
struct ExecutorDisconnected {
  ConnectionId connection = 0;
};

// ---- containers ----
struct ContainerStarted {
  ContainerId container;
  std::int64_t pid = 0;
  std::optional<PortsHeld> ports = {};  ///< nothing: nobody looks
};
/// Another process listens on the container's ports than before.
struct PortsChanged {
  ContainerId container;
  PortsHeld ports;
};
/// No process of the container is left.
struct ContainerEnded {
  ContainerId container;
  int wait_status = 0;
  std::string launch_error;    ///< set: it never ran; why
  bool never_started = false;  ///< the agent died before it could start it
  bool shim_lost = false;      ///< its shim was killed, so the real status is not known
};
struct CheckDone {
  ContainerId container;
  CheckResult result;
};

/// next_deadline() has come.
struct Tick {};

using Input = std::variant<LinkOpened, LinkClosed, Registered, Refused, RunTask, KillTask, Acknowledge,
                           SchedulerMessage, ShutdownExecutor, ShutdownFramework, UpdateFramework, Apply, Ping,
                           ExecutorSubscribe, ExecutorUpdate, ExecutorMessage, ExecutorDisconnected, ContainerStarted,
                           PortsChanged, ContainerEnded, CheckDone, Tick>;

}  // namespace banyan::agent
