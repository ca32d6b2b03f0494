// SchedulerCore: a framework's side of the v1 scheduler API, as a pure state machine.
//
// Sources: the Mesos v1 scheduler API (SUBSCRIBE, stream ids, redirects, ERROR) and the duties it lays on a client:
// subscribe again under the same id, count five missed heartbeats as a dead connection, back off.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "mesos/v1/mesos.pb.h"
#include "mesos/v1/scheduler/scheduler.pb.h"
#include "runtime/base/rng.h"
#include "runtime/base/time.h"
#include "runtime/sdk/core/subscription.h"

namespace banyan::sdk {

struct SetMasters {
  std::vector<std::string> masters;
};

/// An event for the framework: all but HEARTBEAT.
struct DeliverEvent {
  mesos::v1::scheduler::Event event;
};
/// The stream is gone. Not final: the core is already trying again.
struct Disconnected {
  std::string reason;
  bool final = false;
};
/// The master would not take a call; nothing changed there.
struct CallRefused {
  mesos::v1::scheduler::Call::Type type = mesos::v1::scheduler::Call::UNKNOWN;
  std::string reason;
};

/// One framework, one subscription, kept alive until the master says the framework is over.
///
/// **Calls belong to a subscription.** A call that is lost with its connection, or that the master refuses because it
/// knows this subscription no more, ends the subscription: after the next SUBSCRIBED the framework reconciles and
/// decides anew, which is the only way to learn what became of the lost call. Nothing is ever sent twice.
///
/// **What is final.** A framework that has been torn down or taken over by a newer subscription must stop, else two
/// schedulers would take turns throwing each other out for ever. So is a refused SUBSCRIBE: asking again changes
/// nothing.
///
/// THREADS: one.
class SchedulerCore {
 public:
  using Input = std::variant<Tick, StreamOpened, StreamRecord, StreamClosed, CallAnswered, SetMasters,
                             mesos::v1::scheduler::Call>;
  using Effect = std::variant<OpenStream, CloseStream, SendCall, DeliverEvent, Disconnected, CallRefused>;
  using Effects = std::vector<Effect>;

  SchedulerCore(std::vector<std::string> masters, mesos::v1::FrameworkInfo framework, Rng rng);

  [[nodiscard]] Effects step(Now now, const Input& input);
  [[nodiscard]] std::optional<Instant> next_deadline() const { return subscription_.next_deadline(); }

  /// SUBSCRIBED has come and the stream holds: only now are calls taken.
  [[nodiscard]] bool subscribed() const { return subscription_.is_established(); }
  [[nodiscard]] const mesos::v1::FrameworkInfo& framework() const { return framework_; }

  /// Aborts when broken.
  void check_invariants() const;

 private:
  struct PendingCall {
    std::uint64_t number;
    std::uint64_t stream;
    mesos::v1::scheduler::Call::Type type;
  };

  void on(Now now, const Tick&, Effects& effects);
  void on(Now now, const StreamOpened& opened, Effects& effects);
  void on(Now now, const StreamRecord& record, Effects& effects);
  void on(Now now, const StreamClosed& closed, Effects& effects);
  void on(Now now, const CallAnswered& answer, Effects& effects);
  void on(Now now, const SetMasters& masters, Effects& effects);
  void on(Now now, const mesos::v1::scheduler::Call& call, Effects& effects);

  void attempt(Now now, Effects& effects);
  void drop_stream(Now now, const std::string& reason, Effects& effects);
  void finish(const std::string& reason, Effects& effects);
  void subscribed_by(Now now, const mesos::v1::scheduler::Event::Subscribed& subscribed);
  [[nodiscard]] std::optional<PendingCall> take_pending(std::uint64_t number);

  Subscription subscription_;
  mesos::v1::FrameworkInfo framework_;  ///< with the id, once it is known
  std::vector<PendingCall> pending_;    ///< calls without an answer, oldest first
  std::uint64_t calls_ = 0;
  bool torn_down_ = false;  ///< our TEARDOWN was accepted
};

}  // namespace banyan::sdk
