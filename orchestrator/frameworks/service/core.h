// The service scheduler's decisions: from a declared node to running, serving, restarted and drained servers.
//
// In plain words. Every instance first gets a *place*: an agent, with its ports and volumes reserved there under the
// node's role. Once all instances have one (so each knows its peers' addresses) they are launched together. What then
// ends is launched again on its place under a new task id. Everything else — rolling restarts, draining, quarantine —
// is that same step taken more carefully.
//
// Rules, with their reasons:
// - A step's writes come first, as one Persist: a task id is used once, whatever crashes in between, and nobody is told
//   what a crash could take back.
// - After each SUBSCRIBED everything is reconciled. A record says what was meant, only the master says what runs.
// - Only a death before serving counts against the restart budget; 60 s of serving refill it.
// - Changed addresses of other nodes restart nothing; they are in the files of the next launch.
// - What a new configuration does is said by specs::judge alone. What it refuses is not taken: the servers stay as they
//   are, and the node does not serve until the configuration is mended.
// - Nobody runs: only the root knows whether what the node needs serves, so a launch waits for the gate. Somebody runs:
//   what ends is launched again at once.
// - A port counts as a server's own only if its own processes hold it, wherever somebody looks.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "banyan/handover.pb.h"
#include "mesos/v1/mesos.pb.h"
#include "mesos/v1/scheduler/scheduler.pb.h"
#include "orchestrator/frameworks/service/claims.h"
#include "orchestrator/frameworks/service/instance.h"
#include "orchestrator/frameworks/service/readiness.h"
#include "orchestrator/frameworks/service/task.h"
#include "runtime/base/backoff.h"
#include "runtime/base/time.h"
#include "runtime/driver/driver.h"
#include "specs/stack.h"

namespace banyan::service {

namespace v1 = ::mesos::v1;

// Inputs
struct Tick {};
struct HandoverGiven {
  Handover handover;
};  ///< the first, or a newer version
struct SchedulerEvent {
  v1::scheduler::Event event;
};
struct Disconnected {
  std::string reason;
  bool final = false;
};  ///< final: another scheduler took over, or removed
struct CallRefused {
  std::string call;
};  ///< the master did not take it, or its answer was lost
// ProbeResult: readiness.h

// Effects, besides Persist
struct Send {
  v1::scheduler::Call call;
};
struct TaskFiles {
  std::string task;
  std::vector<RenderedFile> files;
};
/// An ACCEPT whose tasks still need their files: serve them, add_file() each, send. See task.h.
struct Launch {
  v1::scheduler::Call call;
  std::vector<TaskFiles> files;
};
struct Report {
  ChildStatus status;
};
struct SetMasters {
  std::vector<std::string> masters;
};
struct Note {
  std::string text;
};  ///< for the log
struct Exit {
  int code = 0;
  std::string reason;
};  ///< TEARDOWN, if any, was sent before

/// What the scheduler subscribes as.
[[nodiscard]] v1::FrameworkInfo framework_info(const Handover& handover);

class Core {
 public:
  using Input = std::variant<Tick, HandoverGiven, SchedulerEvent, Disconnected, CallRefused, ProbeResult>;
  using Effect = std::variant<Persist, Send, Launch, Report, SetMasters, StartProbe, Note, Exit>;

  /// `stored` is what Persist wrote before, all of it.
  explicit Core(std::map<std::string, std::string> stored);

  [[nodiscard]] std::vector<Effect> step(Now now, const Input& input);
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  [[nodiscard]] ChildStatus status() const;
  /// One line: "kafka-0=serving kafka-1=launching | not serving: kafka-1 is launching".
  [[nodiscard]] std::string summary() const;
  [[nodiscard]] const std::vector<Instance>& instances() const { return instances_; }
  /// What holds between any two steps (invariants.cc); a violation ends the process.
  void check_invariants() const;

 private:
  // core.cc: what comes in
  void on(const Tick&);
  void on(const HandoverGiven& input);
  void on(const SchedulerEvent& input);
  void on(const Disconnected& input);
  void on(const CallRefused& input);
  void on(const ProbeResult& input);
  void take_config(const Handover& handover);
  static void forgive(Instance& instance);
  void make_instances(const specs::Node& before);
  void refresh_fingerprints();
  Instance load_instance(std::size_t server, std::uint32_t index);
  void load_leaving();
  void adopt(Instance& instance, const RenderedTask& task);
  void subscribed();
  void reconcile(Instance& instance);
  void settle();  ///< after every input: what the new state asks for

  // updates.cc: what the master says about tasks
  void update(const v1::TaskStatus& status);
  void update_of(Instance& instance, const v1::TaskStatus& status);
  void unknown_to_master(Instance& instance, const v1::TaskStatus& status);
  void ended(Instance& instance, const v1::TaskStatus& status);
  void died(Instance& instance, const std::string& what);
  [[nodiscard]] std::string port_in_use(const Instance& instance) const;
  void give_up(Instance& instance, bool& mark, const std::string& why);
  void take_ports(Instance& instance, const v1::TaskStatus& status);
  void leave_ports(Instance& instance);
  void update_of_leaving(const v1::TaskStatus& status);
  void move_lost(Instance& instance);
  void acknowledge(const v1::TaskStatus& status);
  void stray(const v1::TaskStatus& status);

  // offers.cc: places and launches
  void offers(const v1::scheduler::Event::Offers& event);
  void check_place(Pool& pool, Instance& instance);
  void find_place(Pool& pool, Instance& instance);
  [[nodiscard]] std::string find_claim(Pool& trial, const Instance& instance, const Claim& claim, Place& found) const;
  void find_new_places(std::map<std::string, Pool>& pools);
  void give_back(Pool& pool);
  [[nodiscard]] std::string taken_here(const Pool& pool, const Instance& instance, const Claim& claim) const;
  [[nodiscard]] std::set<std::uint16_t> avoided(const std::string& agent) const;
  void miss_claims(const Pool& pool, Instance& instance);
  bool launch(Pool& pool, Instance& instance, Launch& into, std::vector<v1::TaskInfo>& tasks);
  void answer(Pool& pool, std::vector<v1::TaskInfo> tasks, Launch launch);
  [[nodiscard]] Result<RenderedTask> render_now(const Instance& instance) const;
  [[nodiscard]] bool wants_launch(const Instance& instance) const;
  [[nodiscard]] bool gate_open() const;  ///< whether a server may be launched as far as other nodes go
  [[nodiscard]] bool wants_place(const Instance& instance) const;
  [[nodiscard]] bool places_complete() const;
  void adjust_offers();

  // stopping.cc: ends that we ask for
  void kill(Instance& instance, Ending ending, std::optional<Duration> grace);
  void send_kill(Instance& instance);
  void dismiss();  ///< ends those no longer declared, one by one where their server says so
  void drain();
  bool drain_server(std::size_t server);

  // rolling.cc: from what runs to what is declared
  void roll();
  [[nodiscard]] bool outdated(const Instance& instance) const;
  [[nodiscard]] bool hopeless(const Instance& instance) const;
  [[nodiscard]] bool may_go_down(const Instance& next) const;
  void note_broken();
  [[nodiscard]] bool observed() const;
  [[nodiscard]] std::string progress() const;  ///< ChildStatus.step

  // status.cc: what we say about ourselves
  [[nodiscard]] std::string state_word(const Instance& instance) const;
  [[nodiscard]] std::string reason(const Instance& instance) const;
  [[nodiscard]] bool ready(const Instance& instance) const;
  [[nodiscard]] std::string port_complaint(const Instance& instance) const;
  [[nodiscard]] std::optional<Instant> proves_at(const Instance& instance) const;
  void describe(const Instance& instance, ServerStatus& status) const;
  [[nodiscard]] bool serving(const Instance& instance) const;
  [[nodiscard]] bool node_serving() const;
  [[nodiscard]] bool node_completed() const;
  [[nodiscard]] std::string node_reason() const;
  void note_serving();
  void report();

  [[nodiscard]] const specs::Server& server_of(const Instance& i) const { return node_.servers[i.server]; }
  [[nodiscard]] bool draining() const { return handover_ && handover_->drain(); }
  [[nodiscard]] Instance* find_task(const std::string& task);
  [[nodiscard]] std::uint64_t restarts_wanted(const Instance& instance) const;
  void persist(const Instance& instance);
  void put(const std::string& key, std::string value);
  void send(v1::scheduler::Call::Type type, v1::scheduler::Call call = {});

  std::map<std::string, std::string> stored_;  ///< what is durable, or on its way there
  std::optional<Handover> handover_;
  specs::Node node_;  ///< valid with handover_ and no config_error_
  std::string config_error_;
  std::string refused_;              ///< what the judge says about the newest configuration, if not taken
  std::vector<Instance> instances_;  ///< by server, then index
  std::vector<Leaving> leaving_;
  std::set<std::string> broken_;  ///< servers that did not serve when a change of theirs was asked for
  std::map<std::string, std::string> fingerprints_;  ///< instance -> what it would be launched as; "" unknown
  bool places_changed_ = false;                      ///< since fingerprints_ was made
  Readiness readiness_;
  bool subscribed_ = false;
  bool suppressed_ = false;
  bool declined_ = false;  ///< offers were refused since the last REVIVE
  std::string wanted_;     ///< names of instances that wanted offers last time
  bool drained_ = false;   ///< every task has ended after a drain
  bool exiting_ = false;
  std::optional<std::string> reported_;  ///< the last report, serialized

  Now now_{};                    ///< of the present step
  Changes changes_;              ///< of the present step: durable before any of its effects leaves
  std::vector<Effect> effects_;  ///< of the present step
};

/// A server that nothing probes serves once it has stayed up for so long.
inline constexpr Duration serving_proves_after = std::chrono::seconds(1);
/// A repeated KILL or RECONCILE waits so long, doubling.
inline constexpr Backoff ask_again{std::chrono::seconds(2), std::chrono::seconds(30)};
/// TASK_UNKNOWN is believed after so long: a restarted master may not know the agent again yet (it counts one lost
/// after 10 s), and a task started twice is worse than one started late.
inline constexpr Duration unheard_of_max = std::chrono::seconds(30);
/// An agent's offers may lack what it holds for us for a moment (it is in another offer); longer: it is gone.
inline constexpr Duration claim_missed_max = std::chrono::seconds(5);

}  // namespace banyan::service
