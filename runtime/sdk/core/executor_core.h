// ExecutorCore: an executor's side of the v1 executor API, as a pure state machine.
//
// Source: the Mesos v1 executor API: what an executor keeps until it is acknowledged, and how it comes back after its
// agent restarted.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "mesos/v1/executor/executor.pb.h"
#include "mesos/v1/mesos.pb.h"
#include "runtime/base/rng.h"
#include "runtime/base/time.h"
#include "runtime/sdk/core/subscription.h"

namespace banyan::sdk {

/// Tell the scheduler how a task is; uuid, source, executor id and (if absent) timestamp are filled in.
struct UpdateTask {
  mesos::v1::TaskStatus status;
};
/// Bytes for the scheduler, best effort.
struct MessageToScheduler {
  std::string data;
};
struct DeliverExecutorEvent {
  mesos::v1::executor::Event event;
};
/// The stream is gone; the core is already trying again.
struct AgentGone {
  std::string reason;
};
/// End the tasks and exit: the agent is gone for good, or will not have us.
struct ShutDown {
  std::string reason;
};
/// The agent will not take this update, now or later.
struct UpdateRefused {
  mesos::v1::TaskStatus status;
  std::string reason;
};

/// One executor, one subscription with its agent.
///
/// **At least once.** Each update is kept until its ACKNOWLEDGED; each task until the first acknowledged update about
/// it. Both travel in the next SUBSCRIBE, so a restarted agent learns what happened while it was away; the agent drops
/// what it has already by uuid. While the stream holds an update is sent once: the agent retries towards the scheduler.
///
/// THREADS: one.
class ExecutorCore {
 public:
  struct Options {
    std::string agent;  ///< host:port or unix:/path
    std::string framework_id;
    std::string executor_id;
    bool checkpoint = true;  ///< false: the executor ends with its stream
    Duration recovery_timeout;
  };
  using Input =
      std::variant<Tick, StreamOpened, StreamRecord, StreamClosed, CallAnswered, UpdateTask, MessageToScheduler>;
  using Effect =
      std::variant<OpenStream, CloseStream, SendCall, DeliverExecutorEvent, AgentGone, ShutDown, UpdateRefused>;
  using Effects = std::vector<Effect>;

  ExecutorCore(Options options, Rng rng);

  [[nodiscard]] Effects step(Now now, const Input& input);
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] bool subscribed() const { return subscription_.is_established(); }
  [[nodiscard]] bool unacknowledged() const { return !updates_.empty(); }

  /// Aborts when broken.
  void check_invariants() const;

 private:
  struct KeptUpdate {
    mesos::v1::TaskStatus status;
    std::uint64_t stream = 0;  ///< the subscription that has carried it; 0: none yet
    std::uint64_t call = 0;    ///< the call that carries it, until it is answered
  };

  void on(Now now, const Tick&, Effects& effects);
  void on(Now now, const StreamOpened& opened, Effects& effects);
  void on(Now now, const StreamRecord& record, Effects& effects);
  void on(Now now, const StreamClosed& closed, Effects& effects);
  void on(Now now, const CallAnswered& answer, Effects& effects);
  void on(Now now, const UpdateTask& update, Effects& effects);
  void on(Now now, const MessageToScheduler& message, Effects& effects);

  void take_event(Now now, const mesos::v1::executor::Event& event, Effects& effects);
  void acknowledged(const mesos::v1::executor::Event::Acknowledged& acknowledged);
  void attempt(Now now, Effects& effects);
  void send_unsent(Effects& effects);
  void send(mesos::v1::executor::Call call, std::uint64_t number, Effects& effects);
  void drop_stream(Now now, const std::string& reason, Effects& effects);
  void shut_down(const std::string& reason, Effects& effects);

  Options options_;
  Subscription subscription_;
  std::map<std::string, mesos::v1::TaskInfo> tasks_;  ///< launched, nothing about them acknowledged yet
  std::vector<KeptUpdate> updates_;                   ///< unacknowledged, oldest first
  std::uint64_t calls_ = 0;
  std::optional<Instant> away_since_;  ///< when the stream was lost, or the first attempt was made
  std::optional<Instant> resend_at_;   ///< the agent was not ready for a call
  bool told_to_shut_down_ = false;     ///< SHUTDOWN has come: its stream need not come back
};

}  // namespace banyan::sdk
