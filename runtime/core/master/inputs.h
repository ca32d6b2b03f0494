// What can happen to a master. Messages are decoded (runtime/adapters/codec) into what the master decides on; the rest
// travels as the bytes it came in.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/ids.h"
#include "runtime/base/resources.h"
#include "runtime/base/task_state.h"
#include "runtime/base/time.h"

namespace banyan::master {

using Bytes = std::string;
using SharedBytes = std::shared_ptr<const std::string>;
using LinkId = std::uint64_t;  ///< one stream of one agent; never 0
using CallId = std::uint64_t;  ///< one HTTP request waiting for its answer

// --- what is described -------------------------------------------------------------------------------------------

struct Capabilities {
  bool partition_aware = false;
  bool multi_role = false;
  bool reservation_refinement = false;
  bool gpu_resources = false;
  bool operator==(const Capabilities&) const = default;
};

struct FrameworkDescription {
  FrameworkId id;  ///< empty: the master gives one
  std::string name;
  std::string user;
  std::string principal;
  std::optional<std::string> role;  ///< the old single role, when set
  std::vector<std::string> roles;
  Capabilities capabilities;
  bool checkpoint = false;
  double failover_timeout_seconds = 0;
  Bytes info;  ///< mesos.v1.FrameworkInfo
};

struct ExecutorDescription {
  ExecutorId id;
  Resources resources;
  bool has_command = false;
  bool custom = true;  ///< type CUSTOM or not set
  Bytes info;          ///< mesos.v1.ExecutorInfo, framework_id filled in: equal bytes are the same executor
};

struct TaskDescription {
  TaskId id;
  AgentId agent;
  Resources resources;
  bool has_command = false;
  std::optional<ExecutorDescription> executor;
  std::string invalid;  ///< what the decoder found wrong; empty: nothing
  Bytes info;           ///< mesos.v1.TaskInfo
};

/// A change of what resources are: reserved or not, a volume or plain disk.
struct Conversion {
  enum class Kind { reserve, unreserve, create, destroy, grow, shrink };
  Kind kind = Kind::reserve;
  Resources resources;   ///< reserved ones, or volumes: the result of reserve and create, the subject of the others
  Resources piece = {};  ///< plain disk that a volume gains by grow and gives up by shrink
};

// --- agents ------------------------------------------------------------------------------------------------------

struct KnownTask {
  FrameworkId framework;
  TaskDescription task;
  TaskState latest = TaskState::staging;
  std::optional<TaskState> unacknowledged;  ///< state of its oldest unacknowledged update
  std::string unacknowledged_uuid;
  Bytes last_status;  ///< mesos.v1.TaskStatus; empty: none yet
};

struct KnownExecutor {
  FrameworkId framework;
  ExecutorDescription executor;
};

/// First message of an agent's link.
struct AgentRegister {
  LinkId link = 0;
  AgentId id;  ///< empty: the master gives one
  std::string hostname;
  int port = 0;
  std::string version;
  std::uint64_t epoch_seen = 0;
  Resources declared;      ///< unreserved or statically reserved
  Resources checkpointed;  ///< dynamic reservations and volumes: they convert what is declared
  std::vector<FrameworkDescription> frameworks;
  std::vector<KnownTask> tasks;
  std::vector<KnownExecutor> executors;
  Bytes info;  ///< mesos.v1.AgentInfo
};
struct AgentClosed {
  LinkId link;
};
struct AgentPonged {
  LinkId link;
};
struct AgentUpdate {
  LinkId link = 0;
  FrameworkId framework;
  TaskId task;
  TaskState state = TaskState::staging;
  TaskState latest = TaskState::staging;
  std::string uuid;
  Bytes status;  ///< mesos.v1.TaskStatus
};
struct AgentExecutorMessage {
  LinkId link = 0;
  FrameworkId framework;
  ExecutorId executor;
  Bytes data;
};
struct AgentExecutorExited {
  LinkId link = 0;
  FrameworkId framework;
  ExecutorId executor;
  int wait_status = 0;
};
struct AgentApplied {
  LinkId link = 0;
  std::string operation_uuid;
  std::optional<std::string> error;
};

// --- schedulers --------------------------------------------------------------------------------------------------

struct Subscribe {
  CallId call = 0;
  FrameworkDescription framework;
  std::set<std::string> suppressed_roles;
};
struct StreamClosed {
  StreamId stream;
};

namespace calls {
struct Teardown {};
struct Launch {
  std::vector<TaskDescription> tasks;
};
struct LaunchGroup {
  std::vector<TaskDescription> tasks;
};
struct Unusable {
  std::string reason;
};  ///< an operation that is unknown, malformed or not supported yet
struct Operation {
  OperationId id;  ///< empty: no feedback wanted
  std::variant<Launch, LaunchGroup, Conversion, Unusable> what;
};
struct Accept {
  std::vector<OfferId> offers;
  std::vector<Operation> operations;  ///< empty: a decline
  Duration refuse{};
};
struct Decline {
  std::vector<OfferId> offers;
  Duration refuse{};
};
struct Revive {
  std::set<std::string> roles;
};  ///< empty: all
struct Suppress {
  std::set<std::string> roles;
};  ///< empty: all
struct Kill {
  TaskId task;
  std::optional<AgentId> agent;
  Bytes policy;  ///< mesos.v1.KillPolicy; empty: none
};
struct Shutdown {
  ExecutorId executor;
  AgentId agent;
};
struct Acknowledge {
  AgentId agent;
  TaskId task;
  std::string uuid;
};
struct Reconcile {
  struct Task {
    TaskId id;
    std::optional<AgentId> agent;
  };
  std::vector<Task> tasks;  ///< empty: all that are known
};
struct ReconcileOperations {
  std::vector<OperationId> operations;
};
struct Message {
  AgentId agent;
  ExecutorId executor;
  Bytes data;
};
struct Request {};  ///< a hint: this framework is looked at first when offers are next made
struct UpdateFramework {
  FrameworkDescription framework;
  std::set<std::string> suppressed_roles;
};
struct Ignored {};  ///< accepted without effect (inverse offers, acknowledged operations)
using Body = std::variant<Teardown, Accept, Decline, Revive, Suppress, Kill, Shutdown, Acknowledge, Reconcile,
                          ReconcileOperations, Message, Request, UpdateFramework, Ignored>;
}  // namespace calls

struct SchedulerCall {
  CallId call = 0;
  FrameworkId framework;
  std::optional<StreamId> stream;  ///< absent: the header was missing
  calls::Body body;
};

// --- operators (reads look at the Core directly) ------------------------------------------------------------------

struct OperatorTeardown {
  CallId call = 0;
  FrameworkId framework;
};
struct OperatorConvert {
  CallId call = 0;
  AgentId agent;
  Conversion conversion;
};

// --- itself ------------------------------------------------------------------------------------------------------

struct Start {};  ///< first of all inputs
struct Tick {};   ///< next_deadline() has come

using Input = std::variant<Start, Tick, AgentRegister, AgentClosed, AgentPonged, AgentUpdate, AgentExecutorMessage,
                           AgentExecutorExited, AgentApplied, Subscribe, StreamClosed, SchedulerCall, OperatorTeardown,
                           OperatorConvert>;

}  // namespace banyan::master
