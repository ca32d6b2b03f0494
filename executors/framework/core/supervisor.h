// Supervisor: keeps one child scheduler alive and tells the root how it is. A pure state machine.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "banyan/handover.pb.h"
#include "executors/framework/core/environment.h"
#include "mesos/v1/mesos.pb.h"
#include "runtime/base/rng.h"
#include "runtime/base/time.h"

namespace banyan::framework_executor {

// What can happen.
struct Launched {  ///< the agent hands us the task; its data is a ToExecutor
  mesos::v1::TaskInfo task;
};
struct MessageCame {  ///< from the root: a ToExecutor
  std::string data;
};
struct KillAsked {
  std::string task_id;
  std::optional<Duration> grace;
};
struct ShutDownAsked {
  std::string reason;
  bool agent_gone = false;  ///< nobody is left to acknowledge anything
};
struct Settled {};  ///< every update sent so far is acknowledged
struct HandoverWritten {
  std::uint64_t version = 0;
  std::string error;  ///< empty: it is on disk
};
struct ChildStarted {
  std::uint64_t run = 0;
  std::uint32_t pid = 0;
};
struct ChildNotStarted {
  std::uint64_t run = 0;
  std::string reason;
};
struct ChildEnded {
  std::uint64_t run = 0;
  int wait_status = 0;
};
struct ChildSaid {
  ChildStatus status;
};
struct HandoverAsked {  ///< a long poll: answer when there is a version above `after`
  std::uint64_t poll = 0;
  std::uint64_t after = 0;
};
struct Probed {  ///< the answer to Probe with that number
  std::uint64_t number = 0;
  std::string trouble;  ///< empty: ready
};
struct Tick {};

// What is to be done.
struct WriteHandover {  ///< atomically; answered with HandoverWritten
  Handover handover;
};
struct StartChild {  ///< answered with ChildStarted or ChildNotStarted, later with ChildEnded
  std::uint64_t run = 0;
  std::vector<std::string> argv;
  Environment environment;
};
struct SignalChild {
  int signal = 0;
  bool tree = false;  ///< the child's whole process group
};
/// How a master knows the child's framework: by one of these.
struct Registration {
  std::string framework_id, role, name;
  std::vector<std::string> masters;  ///< host:port
};
struct Probe {  ///< answered with Probed, unless a later one or DropProbe comes first
  std::uint64_t number = 0;
  std::vector<std::string> argv;  ///< empty: whether the framework is connected to a master
  Environment environment;
  Registration framework;
};
struct DropProbe {};  ///< the one under way
struct AnswerPoll {
  std::uint64_t poll = 0;
  std::optional<Handover> handover;  ///< nothing: no news within poll_max
};
struct SendUpdate {
  mesos::v1::TaskStatus status;
};
struct Exit {};

/// Polls that wait; a further one ends the oldest.
inline constexpr std::size_t polls_max = 16;

/// One task, one child scheduler.
///
/// **Restarts.** A child that dies is started again, at once the first time, then backing off. Only a death before the
/// child served counts against the budget (ChildCommand.restarts_max within window_ms); 60 s of serving refill it. When
/// the budget is spent the task fails and the root decides; while it lasts the root does nothing. A child that never
/// speaks to the socket counts as serving while it runs, or while its readiness passes where it has one.
///
/// **Ends.** Exit status 0 after the child reported drained or completed, or of a child that never spoke:
/// TASK_FINISHED. KILL, SHUTDOWN: SIGTERM, the grace, SIGKILL to its group: TASK_KILLED.
///
/// **Reports.** Whatever changes goes to the root as a TASK_RUNNING update with a ChildReport. One is under way at a
/// time: what changes meanwhile leaves as one newer report when it is acknowledged, so a slow root costs no queue.
///
/// THREADS: one.
class Supervisor {
 public:
  using Input = std::variant<Tick, Launched, MessageCame, KillAsked, ShutDownAsked, Settled, HandoverWritten,
                             ChildStarted, ChildNotStarted, ChildEnded, ChildSaid, HandoverAsked, Probed>;
  using Effect = std::variant<WriteHandover, StartChild, SignalChild, Probe, DropProbe, AnswerPoll, SendUpdate, Exit>;
  using Effects = std::vector<Effect>;

  Supervisor(Environment own, Places places, Rng rng) : own_(std::move(own)), places_(std::move(places)), rng_(rng) {}

  [[nodiscard]] Effects step(Now now, const Input& input);
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  /// What holds between any two steps (invariants.cc); a violation ends the process.
  void check_invariants() const;

 private:
  enum class Phase { idle, starting, running, backing_off, stopping, ended };
  struct Poll {
    std::uint64_t number;
    Instant until;
  };

  void on(Instant now, const Tick&, Effects& effects);
  void on(Instant now, const Launched& launched, Effects& effects);
  void on(Instant now, const MessageCame& message, Effects& effects);
  void on(Instant now, const KillAsked& kill, Effects& effects);
  void on(Instant now, const ShutDownAsked& asked, Effects& effects);
  void on(Instant now, const Settled&, Effects& effects);
  void on(Instant now, const HandoverWritten& written, Effects& effects);
  void on(Instant now, const ChildStarted& started, Effects& effects);
  void on(Instant now, const ChildNotStarted& failed, Effects& effects);
  void on(Instant now, const ChildEnded& ended, Effects& effects);
  void on(Instant now, const ChildSaid& said, Effects& effects);
  void on(Instant now, const HandoverAsked& asked, Effects& effects);
  void on(Instant now, const Probed& probed, Effects& effects);

  void start(Effects& effects);
  void probe(Instant now, Effects& effects);
  void judge(Instant now, const std::string& trouble);
  void forget_readiness(Effects& effects);
  void died(Instant now, const std::string& how, Effects& effects);
  void gone(const std::string& how);
  void end_for_restart(Instant now, Effects& effects);
  void stop(Instant now, Duration grace, const std::string& reason, Effects& effects);
  void end(mesos::v1::TaskState state, const std::string& message, Effects& effects);
  void take(Instant now, const ToExecutor& word, Effects& effects);
  void answer_polls(Effects& effects);
  void flush_report(Effects& effects);
  void refill(Instant now);
  void check_report() const;
  void check_waits() const;
  [[nodiscard]] Duration grace() const;
  [[nodiscard]] Duration restart_delay();

  Environment own_;
  Places places_;
  Rng rng_;
  Phase phase_ = Phase::idle;
  mesos::v1::TaskInfo task_;  ///< valid after idle
  ChildCommand command_;      ///< valid after idle
  Handover handover_;         ///< the newest from the root; valid after idle
  ChildReport report_;
  bool report_dirty_ = false;  ///< report_ holds something the root has not been sent
  bool report_under_way_ = false;
  std::uint64_t run_ = 0;  ///< number of the present start of the child
  Instant started_at_{};   ///< valid in running and stopping
  std::optional<Instant> serving_since_;
  bool served_ = false;                 ///< in this run
  bool restart_asked_ = false;          ///< the present child is to end so that a new one starts
  std::uint64_t restart_number_ = 0;    ///< of the newest restart asked for; the report's: of the present run
  std::deque<Instant> deaths_;          ///< before serving, within the window
  unsigned streak_ = 0;                 ///< deaths since the budget was last refilled: sets the back-off
  Instant restart_at_{};                ///< valid in backing_off
  std::optional<Instant> kill_at_;      ///< SIGKILL then, if the child still runs
  std::string stop_reason_;             ///< valid in stopping
  std::optional<Instant> exit_at_;      ///< give up waiting for acknowledgements
  std::optional<Instant> probe_at_;     ///< next try of the readiness; unset: none is due
  std::optional<Instant> probe_until_;  ///< valid while one is under way
  std::uint64_t probes_ = 0;            ///< number of the last one
  std::optional<Instant> passes_since_;
  bool agent_gone_ = false;
  std::deque<Poll> polls_;
};

}  // namespace banyan::framework_executor
