// The root scheduler's decisions: a stack's nodes started, supervised and stopped in the order of their edges.
//
// A framework (`banyan-root`) whose tasks are other frameworks' schedulers. Per node it keeps one record and decides:
// may it launch (its own edges hold: no barrier of levels), is it up (what its executor reports), what is it told (the
// handover, whose version rises whenever a dependency's endpoints change), must it be launched again (only when the
// *task* ended; the executor restarts the process before that), may it stop (all its dependants have). Every wait has a
// deadline, a reason to show and an outcome. Loss of the master freezes everything: no clock runs, no state is cleared.
//
// What a step costs depends on what it changes, not on how many nodes there are. Who marks whom to be looked at:
//   an input             the nodes it touches                                             touch()
//   a deadline           the node or revision it belongs to                               wake()
//   a changed outside    (state, confirmed, endpoints …: `Outside`) its dependants        index()
//   a stopped node       what it needs: that may stop now                                 index()
// Nothing else is looked at. A task leads to its node by a map, nodes that want offers are a set, what is said of a
// whole stack is kept as a tally, and a look costs the node's own edges. Whole stacks are gone through only where they
// change as a whole: `up`, `down`, a new subscription, the end of a revision, a full status.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "banyan/handover.pb.h"
#include "banyan/root.pb.h"
#include "banyan/root_records.pb.h"
#include "mesos/v1/mesos.pb.h"
#include "mesos/v1/scheduler/scheduler.pb.h"
#include "orchestrator/core/deadlines.h"
#include "orchestrator/core/node.h"
#include "orchestrator/core/placement.h"
#include "orchestrator/core/status_changed.h"
#include "runtime/base/time.h"
#include "runtime/driver/driver.h"
#include "specs/change.h"
#include "specs/stack.h"

namespace banyan::root {

/// The root's own framework id and role.
inline constexpr const char* root_framework = "banyan-root";

/// One of Banyan's own programs as agents fetch it.
struct Program {
  std::string name;
  std::string url;
  std::string sha256;
};

/// What a root knows before anything happens.
struct Setup {
  std::vector<std::string> masters;  ///< host:port, handed over to every child
  Program executor;                  ///< banyan-framework-executor
  Program service_scheduler;         ///< banyan-service-scheduler
  std::string nodes_folder;          ///< children's state lies in nodes_folder/STACK.NODE
  std::string task_user;             ///< whom tasks run as; empty: the agent's default
  std::string artifacts;             ///< URL below which the stacks' local files are served by their sha256
};

/// What a stored stack or node is written as; a higher number is a later version's, and is refused by name.
inline constexpr std::uint32_t record_schema = 1;

/// Names one asked-for call among those under way; the shell's, only echoed.
using CallId = std::uint64_t;

// --- Inputs ---------------------------------------------------------------------------------------------------------
struct Tick {};
struct Subscribed {};  ///< the master has us, again or for the first time
struct Disconnected {
  std::string reason;
};
struct Offered {
  std::vector<mesos::v1::Offer> offers;
};
struct Updated {
  mesos::v1::TaskStatus status;
};
struct ExecutorEnded {
  std::string executor_id;
};  ///< the FAILURE event; not reliable
struct AgentLost {
  std::string agent_id;
};  ///< the FAILURE event of an agent; not reliable
/// What the agents of this cluster say of the master's refusal, in words; empty: all are taken.
struct AgentsRefused {
  std::string text;
};
struct UpAsked {
  CallId call = 0;
  UpRequest request;
  std::vector<AgentTotal> agents = {};  ///< empty: not known
  std::set<std::string> programs = {};  ///< local files of the bundle that may be executed where they lie
};
struct DownAsked {
  CallId call = 0;
  DownRequest request;
};
struct RestartAsked {
  CallId call = 0;
  RestartRequest request;
};
/// How TearDown and ReleaseRole ended; `error` empty: done (or there was nothing to do).
struct TornDown {
  std::string stack, node, error;
};
struct Released {
  std::string stack, node, error;
};

// --- Effects --------------------------------------------------------------------------------------------------------
struct SendCall {
  mesos::v1::scheduler::Call call;
};
struct Answer {
  CallId call = 0;
  std::variant<UpReply, DownReply, RestartReply> reply;
};
/// Operator call TEARDOWN; answered by TornDown.
struct TearDown {
  std::string stack, node, framework_id;
};
/// Operator calls DESTROY_VOLUMES and UNRESERVE_RESOURCES for all the role holds; answered by Released.
struct ReleaseRole {
  std::string stack, node, role;
};
/// A child's state folder, owned by the task's user.
struct MakeFolder {
  std::string path, user;
};
struct RemoveFolder {
  std::string path;
};
struct Announce {
  Event event;
};  ///< for those who follow the event log; it is in the store already

class Core {
 public:
  using Input = std::variant<Tick, Subscribed, Disconnected, Offered, Updated, ExecutorEnded, AgentLost, AgentsRefused,
                             UpAsked, DownAsked, RestartAsked, TornDown, Released>;
  using Effect =
      std::variant<Persist, SendCall, Answer, TearDown, ReleaseRole, MakeFolder, RemoveFolder, Announce, StatusChanged>;

  /// `stored`: everything the store holds. Nodes take up where their records left them.
  Core(Now now, Setup setup, const std::map<std::string, std::string>& stored);
  Core(Core&&) = default;
  Core(const Core&) = delete;  // nodes point to each other
  Core& operator=(const Core&) = delete;

  [[nodiscard]] std::vector<Effect> step(Now now, const Input& input);
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  /// All stacks, or the one named. Cluster processes are the shell's part.
  [[nodiscard]] Status status(Now now, const std::string& stack = "") const;
  /// What has changed of that, as Status.delta; whole where only a whole one will do.
  [[nodiscard]] Status status(Now now, const std::string& stack, const StatusChanged& changed) const;
  /// Events with seq > after, oldest first; of one stack unless its name is empty.
  [[nodiscard]] std::vector<Event> events(const std::string& stack, std::uint64_t after) const;
  /// The revisions of a stack, newest first; also of one that is down.
  [[nodiscard]] std::vector<Revision> history(Now now, const std::string& stack) const;
  /// Somebody waits for an offer or for a silent agent: it is worth asking agents whether the master takes them.
  [[nodiscard]] bool lacks_agents() const { return !wanting_.empty() || !silent_.empty(); }
  /// "logging: zookeeper=serving kafka=waiting" — one line per stack.
  [[nodiscard]] std::string summary() const;
  /// What must hold after every step; the indexes against a count of everything, and that a look at anyone changes
  /// nothing.
  void check_invariants() const;

 private:
  // inputs (core.cc, commands.cc, tasks.cc, stopping.cc)
  void on(const Tick&);
  void on(const Subscribed&);
  void on(const Disconnected&);
  void on(const Offered&);
  void on(const Updated&);
  void on(const ExecutorEnded&);
  void on(const AgentLost&);
  void on(const AgentsRefused&);
  void on(const UpAsked&);
  void on(const DownAsked&);
  void on(const RestartAsked&);
  void on(const TornDown&);
  void on(const Released&);

  // who is looked at (settle.cc)
  void mark(Node& node);
  void touch(Node& node);
  void wake();
  void settle();
  void settle(Stack& stack);
  void look(Node& node);
  void arrived(Node& node);
  void index(Node& node);
  void schedule(Stack& stack);
  void unindex(Stack& stack);
  void end_if_stopped(Stack& stack);
  [[nodiscard]] std::optional<Instant> due_of(const Node& node) const;

  // commands (commands.cc)
  [[nodiscard]] static std::vector<specs::NodeChange> plan(const Stack* running, const specs::Stack& wanted);
  void adopt(const std::string& file, specs::Stack spec, const std::vector<specs::NodeChange>& changes);
  void retry_given_up(Stack& stack, const std::set<std::string>& changed);
  void ask_servers(Node& node);
  void ask_scheduler(Node& node);
  void down_of_stopped(const DownAsked& input);

  // revisions (revisions.cc)
  [[nodiscard]] static Revision shown(const Stack& stack, Now now);
  [[nodiscard]] static std::string step_of(const Stack& stack);
  void open_revision(Stack& stack, const UpRequest& request, const std::string& hash);
  void close_revision(Stack& stack, const std::string& state, const std::string& reason);
  void judge_revision(Stack& stack);

  // records and loading (records.cc)
  void load(const std::map<std::string, std::string>& stored);
  void load_stack(const std::string& name, StackRecord record, const std::map<std::string, std::string>& stored);
  [[nodiscard]] Duration time_left(const StackRecord& record) const;
  void store_configs(Stack& stack);
  void drop_configs(const StackRecord& old);
  void bind(Stack& stack);
  void take_up(Node& node);
  void save(Node& node);
  void save(Stack& stack);

  // the event log (events.cc)
  void record_event(const std::string& stack, const std::string& kind, const std::string& detail,
                    const std::string& cause);
  void record_event(Node& node, const std::string& kind, const std::string& detail, const std::string& cause,
                    Duration outage = {});
  void record_servers(Node& node, const ChildStatus& before, const ChildStatus& now);
  void log_event(Event& event);

  // nodes (nodes.cc)
  /// What the edges of a waiting node come to: it begins, waits, or fails by one of them.
  struct Wait {
    enum class Verdict : std::uint8_t { begin, wait, need_failed, late } verdict = Verdict::begin;
    std::string text;            ///< why
    const Node* need = nullptr;  ///< valid in need_failed
  };
  [[nodiscard]] Wait wait_of(const Node& node) const;
  [[nodiscard]] std::pair<State, std::string> judge(const Node& node) const;
  [[nodiscard]] static bool stays(State now, State target);
  [[nodiscard]] std::pair<State, std::string> judge_foreign(const Node& node, Instant since, State not_serving) const;
  bool settle_waiting(Node& node);
  bool settle_task(Node& node);
  void settle_lateness(Node& node);
  void tend(Node& node);
  void move(Node& node, State to, const std::string& reason);
  void explain(Node& node, const std::string& reason);
  void fail(Node& node, const std::string& reason, bool timed_out);
  void begin(Node& node, const std::string& cause);
  void retry(Node& node, const std::string& cause);

  // tasks (tasks.cc)
  void want_offers();
  mesos::v1::TaskInfo launch(Node& node, const mesos::v1::Offer& offer);
  void task_running(Node& node, const mesos::v1::TaskStatus& status);
  void task_unreachable(Node& node);
  void task_ended(Node& node, const mesos::v1::TaskStatus& status);
  void relaunch(Node& node, const std::string& cause, bool counts);
  void lose(Node& node);
  void forget_task(Node& node);
  void acknowledge(const mesos::v1::TaskStatus& status);
  void kill(const Node& node);
  void reconcile(const Node& node);

  // what executor and root tell each other (telling.cc; handover.cc has the pure part)
  void take_report(Node& node, const ChildReport& report);
  static void observe(Node& node, const ChildReport& report);
  void refresh_handover(Node& node);
  [[nodiscard]] Handover wanted_handover(const Node& node) const;
  void push(Node& node);

  // stopping (stopping.cc)
  bool settle_stopping(Node& node);
  void begin_stop(Node& node);
  bool go_on_stopping(Node& node);
  bool drain_further(Node& node, stop::Drain& drain);
  bool tear_down_further(Node& node, stop::Teardown& teardown);
  bool release_further(Node& node, stop::Release& release);
  void stopped(Node& node);
  [[nodiscard]] static Duration drain_limit(const StackRecord& record, const specs::Node& node);

  // invariants.cc
  void check_node(const Node& node) const;
  void check_rest(const Node& node) const;
  void check_indexes(const Stack& stack) const;

  // status.cc
  [[nodiscard]] banyan::root::NodeStatus status_of(const Node& node, Now now) const;
  void fill(const Stack& stack, Now now, StackStatus& wire) const;

  Stack* find(const std::string& stack);
  Node* find(const std::string& stack, const std::string& node);
  void send(mesos::v1::scheduler::Call call) { effects_.emplace_back(SendCall{std::move(call)}); }

  Setup setup_;
  std::map<std::string, Stack> stacks_;
  std::map<std::string, HistoryRecord> histories_;  ///< by stack
  std::map<std::string, std::string> unreadable_;   ///< stacks of another version's record, and what is wrong with it
  /// `down --volumes` of a stack that is down already: what it still waits for, by call.
  std::map<CallId, std::set<std::string>> releasing_;
  std::map<std::string, NodeRecord> past_;  ///< records of nodes of no present stack, by STACK.NODE
  std::deque<Event> events_;
  std::uint64_t event_seq_ = 0;
  bool connected_ = false;
  std::optional<Instant> frozen_since_;  ///< while not connected, after having been
  bool reviving_ = false;                ///< offers are wanted and asked for
  std::string refused_;                  ///< why the master takes none of the agents that say so

  // Indexes: nothing in them that is not in the nodes.
  std::map<std::string, Node*> tasks_;  ///< tasks that are out and executors that are to end, by id
  std::set<Node*, ByPlace> wanting_;    ///< whose scheduler takes any offer
  std::set<Node*, ByPlace> silent_;     ///< whose agent is unreachable
  bool wanted_before_ = false;          ///< somebody was, at the end of the last step
  bool wanted_anew_ = false;            ///< somebody came to be since
  Deadlines<Node> due_;
  Deadlines<Stack> revisions_due_;
  std::set<std::string> restless_;  ///< stacks with something to be looked at

  // Valid during step() only.
  Now now_{};
  Changes changes_;  // loading leaves its own for the first step: what was converted is written before anything is done
  std::vector<Effect> effects_;
  std::vector<Node*> seen_;  ///< looked at in this step, of one stack
  StatusChanged changed_;
};

/// What the root subscribes with: MULTI_ROLE, RESERVATION_REFINEMENT, PARTITION_AWARE, checkpoint, a week to come back.
[[nodiscard]] mesos::v1::FrameworkInfo framework_info(const std::string& user);

}  // namespace banyan::root
