// What an agent wants done.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/change.h"
#include "runtime/core/agent/input.h"
#include "runtime/core/agent/words.h"

namespace banyan::agent {

// ---- to the master ----
struct KnownTask {
  FrameworkId framework;
  std::string info;
  TaskState state = TaskState::staging;  ///< newest, sent or not
  std::optional<Status> unacknowledged;  ///< the oldest
  std::optional<Status> last;
};
struct SendRegister {
  AgentId agent;  ///< empty: the master gives one
  std::uint64_t epoch_seen = 0;
  std::vector<std::string> resources;   ///< dynamic reservations and volumes, mesos.v1.Resource each
  std::vector<std::string> frameworks;  ///< mesos.v1.FrameworkInfo each
  std::vector<KnownTask> tasks;
  struct Executor {
    FrameworkId framework;
    std::string info;
  };
  std::vector<Executor> executors;
};
struct SendUpdate {
  FrameworkId framework;
  Status status;
  TaskState latest = TaskState::staging;
};
struct SendExecutorMessage {
  FrameworkId framework;
  ExecutorId executor;
  std::string data;
};
struct SendExecutorExited {
  FrameworkId framework;
  ExecutorId executor;
  int wait_status = 0;
};
struct SendApplied {
  std::string operation;
  std::string error;  ///< empty: done
};
struct SendPong {};
/// Drop the link and connect anew.
struct ResetLink {};

// ---- to an executor ----
struct TellSubscribed {
  ConnectionId connection = 0;
  AgentId agent;
  ContainerId container;
  std::string executor_info;
  std::string framework_info;
};
struct TellLaunch {
  ConnectionId connection = 0;
  std::string task_info;
};
struct TellKill {
  ConnectionId connection = 0;
  TaskId task;
  std::optional<Duration> grace;
};
struct TellAcknowledged {
  ConnectionId connection = 0;
  TaskId task;
  std::string uuid;
};
struct TellMessage {
  ConnectionId connection = 0;
  std::string data;
};
struct TellShutdown {
  ConnectionId connection = 0;
};
/// Ends the stream; no ExecutorDisconnected follows.
struct CloseExecutor {
  ConnectionId connection = 0;
};

// ---- containers ----
/// Answered by ContainerStarted and ContainerEnded, or by ContainerEnded alone.
struct LaunchContainer {
  ContainerId container;
  AgentId agent;
  FrameworkId framework;
  ExecutorId executor;
  std::string framework_info;
  std::string task_info;      ///< of a command task, or the first task of a custom executor
  std::string executor_info;  ///< empty: a command task
};
/// Links the volumes of a further task into its executor's running sandbox.
struct LinkVolumes {
  ContainerId container;
  std::string task_info;
};
struct TerminateContainer {  ///< SIGTERM to the first process' group
  ContainerId container;
};
struct DestroyContainer {  ///< SIGKILL to the whole tree
  ContainerId container;
};
/// Answered by CheckDone.
struct RunCheck {
  ContainerId container;
  Duration timeout{};
  std::string task_info;
  std::string framework_info;
};
/// Its end is durable: its records may go. The sandbox stays.
struct ForgetContainer {
  ContainerId container;
};
struct RemoveSandbox {
  AgentId agent;
  FrameworkId framework;
  ExecutorId executor;
  ContainerId container;
};

struct MakeVolume {
  VolumeKey volume;
};
struct RemoveVolume {
  VolumeKey volume;
};

/// A line for the log.
struct Note {
  std::string text;
};

using Effect = std::variant<Persist, SendRegister, SendUpdate, SendExecutorMessage, SendExecutorExited, SendApplied,
                            SendPong, ResetLink, TellSubscribed, TellLaunch, TellKill, TellAcknowledged, TellMessage,
                            TellShutdown, CloseExecutor, LaunchContainer, LinkVolumes, TerminateContainer,
                            DestroyContainer, RunCheck, ForgetContainer, RemoveSandbox, MakeVolume, RemoveVolume, Note>;

}  // namespace banyan::agent
