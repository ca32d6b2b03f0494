// What a master wants done.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/change.h"
#include "runtime/core/master/inputs.h"

namespace banyan::master {

/// Why the master itself reports a state; the numbers of mesos.v1.TaskStatus.Reason.
enum class Reason {
  framework_removed = 3,
  invalid_offers = 6,
  reconciliation = 9,
  agent_disconnected = 10,
  agent_removed = 11,
  task_invalid = 14,
  task_group_invalid = 25,
  agent_reregistered = 32,
};

// --- to a scheduler's stream ------------------------------------------------------------------------------------

namespace events {
struct Subscribed {
  FrameworkId framework;
};
struct Heartbeat {};
struct Offer {
  OfferId id;
  FrameworkId framework;
  AgentId agent;
  std::string role;
  Resources resources;  ///< without allocation roles: the codec adds them where the framework understands them
  std::vector<ExecutorId> executors;  ///< the framework's own on that agent
  SharedBytes agent_info;
};
struct Offers {
  std::vector<Offer> offers;
  Capabilities capabilities;  ///< of the framework: they decide how resources are written
};
struct Rescind {
  OfferId offer;
};
struct Update {
  Bytes status;
};  ///< an agent's, as it came
/// A state that the master reports by itself: never acknowledged.
struct Report {
  TaskId task;
  TaskState state = TaskState::unknown;
  Reason reason = Reason::reconciliation;
  std::string message;
  AgentId agent;  ///< may be empty
  std::optional<WallTime> unreachable_since;
  Bytes like;  ///< the last status that is known: its health and container are repeated
};
struct OperationReport {
  OperationId id;
  int state = 0;  ///< mesos.v1.OperationState
  std::string message;
  AgentId agent;
};
struct Message {
  AgentId agent;
  ExecutorId executor;
  Bytes data;
};
struct Failure {
  AgentId agent;
  ExecutorId executor;  ///< empty: the whole agent
  std::optional<int> wait_status;
};
struct Error {
  std::string message;
};
using Any =
    std::variant<Subscribed, Heartbeat, Offers, Rescind, Update, Report, OperationReport, Message, Failure, Error>;
}  // namespace events

// --- to an agent's link -----------------------------------------------------------------------------------------

namespace orders {
struct Registered {
  AgentId agent;
  std::uint64_t epoch = 0;
  std::vector<FrameworkId> gone_frameworks;
};
struct Refused {
  std::string reason;
};
struct RunTask {
  FrameworkId framework;
  SharedBytes framework_info;
  std::string role;
  Bytes task_info;
};
struct KillTask {
  FrameworkId framework;
  TaskId task;
  Bytes policy;
};
struct Acknowledge {
  FrameworkId framework;
  TaskId task;
  std::string uuid;
};
struct SchedulerMessage {
  FrameworkId framework;
  ExecutorId executor;
  Bytes data;
};
struct ShutdownExecutor {
  FrameworkId framework;
  ExecutorId executor;
};
struct ShutdownFramework {
  FrameworkId framework;
};
struct UpdateFramework {
  FrameworkId framework;
  SharedBytes info;
};
struct Apply {
  std::string operation_uuid;
  Resources checkpointed;
};
struct Ping {};
using Any = std::variant<Registered, Refused, RunTask, KillTask, Acknowledge, SchedulerMessage, ShutdownExecutor,
                         ShutdownFramework, UpdateFramework, Apply, Ping>;
}  // namespace orders

// --- effects ------------------------------------------------------------------------------------------------------

struct Answer {
  CallId call = 0;
  unsigned status = 202;
  std::string text;  ///< empty with 2xx
};
/// Answers a SUBSCRIBE with 200 and an open stream of that id.
struct OpenStream {
  CallId call = 0;
  StreamId stream;
};
struct SendEvent {
  StreamId stream;
  events::Any event;
};
struct CloseStream {
  StreamId stream;
};
struct SendToAgent {
  LinkId link = 0;
  orders::Any order;
};
struct CloseLink {
  LinkId link = 0;
};
struct Note {
  std::string text;
};  ///< one line for the log

using Effect = std::variant<Persist, Answer, OpenStream, SendEvent, CloseStream, SendToAgent, CloseLink, Note>;

}  // namespace banyan::master
