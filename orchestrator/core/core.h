// The root scheduler's decisions: a stack's nodes started, supervised and stopped in the order of their edges.
//
// A framework (`banyan-root`) whose tasks are other frameworks' schedulers. Per node it keeps one record and decides:
// may it launch (its own edges hold: no barrier of levels), is it up (what its executor reports), what is it told (the
// handover, whose version rises whenever a dependency's endpoints change), must it be launched again (only when the
// *task* ended; the executor restarts the process before that), may it stop (all its dependants have). Every wait has a
// deadline, a reason to show and an outcome. Loss of the master freezes everything: no clock runs, no state is cleared.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "banyan/handover.pb.h"
#include "banyan/root.pb.h"
#include "banyan/root_records.pb.h"
#include "mesos/v1/mesos.pb.h"
#include "mesos/v1/scheduler/scheduler.pb.h"
#include "orchestrator/core/states.h"
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
struct UpAsked {
  CallId call = 0;
  UpRequest request;
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
struct StatusChanged {};  ///< for those who watch: status() has something new

/// What the child scheduler's task is doing, beside the node's state.
enum class TaskPhase : std::uint8_t {
  none,      ///< no task, none wanted
  wanted,    ///< waits for its back-off or an offer
  launched,  ///< ACCEPTed, no word yet
  running,
  unreachable,  ///< its agent is silent: it may still run
};

class Core {
 public:
  using Input = std::variant<Tick, Subscribed, Disconnected, Offered, Updated, ExecutorEnded, UpAsked, DownAsked,
                             RestartAsked, TornDown, Released>;
  using Effect =
      std::variant<Persist, SendCall, Answer, TearDown, ReleaseRole, MakeFolder, RemoveFolder, Announce, StatusChanged>;

  /// `stored`: everything the store holds. Nodes take up where their records left them.
  Core(Now now, Setup setup, const std::map<std::string, std::string>& stored);
  Core(Core&&) = default;
  Core(const Core&) = delete;  // nodes point into their stack's spec
  Core& operator=(const Core&) = delete;

  [[nodiscard]] std::vector<Effect> step(Now now, const Input& input);
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  /// All stacks, or the one named; an empty name with one stack means that one. Cluster processes are the shell's part.
  [[nodiscard]] Status status(Now now, const std::string& stack = "") const;
  /// Events with seq > after, oldest first; of one stack unless its name is empty.
  [[nodiscard]] std::vector<Event> events(const std::string& stack, std::uint64_t after) const;
  /// The revisions of a stack, newest first; also of one that is down.
  [[nodiscard]] std::vector<Revision> history(Now now, const std::string& stack) const;
  /// "logging: zookeeper=serving kafka=waiting" — one line per stack.
  [[nodiscard]] std::string summary() const;
  void check_invariants() const;

 private:
  /// How far a node's stopping has come.
  enum class StopStep : std::uint8_t { none, drain, teardown, release };

  struct Node {
    const specs::Node* spec = nullptr;
    NodeRecord record;
    State state = State::waiting;
    Instant since;           ///< in this state
    bool timed_out = false;  ///< valid in failed
    TaskPhase phase = TaskPhase::none;
    Instant phase_since;
    std::optional<Instant> launch_after;  ///< back-off; valid in wanted
    std::optional<Instant> serving_since;
    std::optional<Instant> push_at;        ///< next MESSAGE, while the handover or a report is outstanding
    std::uint32_t pushes = 0;              ///< tried so far, for the back-off
    bool report_wanted = false;            ///< the executor is to repeat its report
    std::optional<Instant> reconcile_at;   ///< ask the master about the task, while it has not spoken
    std::optional<Instant> unknown_since;  ///< the master has said ever since that it does not know the task
    bool confirmed = true;            ///< this root has heard of its task; else `state` is an earlier root's memory
    std::optional<Instant> heard_at;  ///< the last report
    std::string target;               ///< hash of what it is to become: configuration and restarts asked for
    bool failed_for_need = false;     ///< valid in failed: because a dependency failed; goes on when that does
    StopStep stop = StopStep::none;
    Instant stop_deadline;              ///< of drain
    std::optional<Instant> stop_retry;  ///< next try of teardown, kill or release
    std::string ending_executor;        ///< its task has ended under `down`, it has not yet
    Instant executor_deadline;          ///< valid with ending_executor
    bool torn_down = false;
    bool teardown_asked = false;         ///< and not answered yet
    bool drained = false;                ///< its scheduler has left as it was asked to
    bool gate_stale = false;             ///< its child was started again and waits to hear that it may start
    bool dirty = true;                   ///< the config part of its handover must be built anew
    bool touched = false;                ///< its record changed in this step
    std::optional<Instant> launched_at;  ///< for took_ms
    Instant begun;                       ///< when it left waiting; its dependants' clocks start then
  };

  struct Stack {
    StackRecord record;
    specs::Stack spec;
    Instant revision_deadline;  ///< valid while the revision is open
    std::map<std::string, Node> nodes;
    std::map<std::string, std::vector<std::string>> dependants;
    std::string last_state;
  };

  // inputs (core.cc, commands.cc, tasks.cc)
  void on(const Tick&);
  void on(const Subscribed&);
  void on(const Disconnected&);
  void on(const Offered&);
  void on(const Updated&);
  void on(const ExecutorEnded&);
  void on(const UpAsked&);
  void on(const DownAsked&);
  void on(const RestartAsked&);
  void on(const TornDown&);
  void on(const Released&);

  static void reply_changes(const Stack* running, const specs::Stack& wanted,
                            const std::vector<specs::NodeChange>& changes, UpReply& reply);
  void adopt(const std::string& file, specs::Stack spec, const std::vector<specs::NodeChange>& changes);
  static void ask_servers(Node& node);
  static void ask_scheduler(Node& node);
  void down_of_stopped(const DownAsked& input);

  // revisions (revisions.cc)
  [[nodiscard]] static bool open(const Stack& stack) { return stack.record.revision().state() == "open"; }
  [[nodiscard]] static Revision shown(const Stack& stack, Now now);
  [[nodiscard]] static std::string step_of(const Stack& stack);
  void open_revision(Stack& stack, const UpRequest& request, const std::string& hash);
  void close_revision(Stack& stack, const std::string& state, const std::string& reason);
  void judge_revision(Stack& stack);
  [[nodiscard]] static bool met(const Node& node);

  // records and loading (records.cc)
  void load(const std::map<std::string, std::string>& stored);
  void load_stack(const std::string& name, StackRecord record, const std::map<std::string, std::string>& stored);
  [[nodiscard]] Duration time_left(const StackRecord& record) const;
  void take_up(const Stack& stack, Node& node) const;
  void store_configs(Stack& stack);
  void drop_configs(const StackRecord& old);
  void bind(Stack& stack);
  void save(const Stack& stack, Node& node);
  void save(Stack& stack);
  void tell(const std::string& stack, const std::string& node, const std::string& kind, const std::string& detail,
            const std::string& cause);

  // nodes (nodes.cc)
  /// One edge of a node, now.
  struct EdgeView {
    bool holds = false;
    bool broken = false;              ///< what it needs has failed
    std::optional<Instant> deadline;  ///< absent while the dependency itself still waits: its own clock runs then
    std::string why;                  ///< valid unless it holds
    std::string cause;                ///< valid when broken: the node that failed first
  };
  [[nodiscard]] static EdgeView view(const Stack& stack, const Node& node, const specs::Edge& edge);
  [[nodiscard]] static std::vector<std::optional<Instant>> deadlines_of(const Stack& stack, const Node& node);
  [[nodiscard]] std::pair<State, std::string> judge(const Node& node) const;
  void settle();
  bool settle(Stack& stack, Node& node);
  bool settle_waiting(Stack& stack, Node& node);
  bool settle_task(Stack& stack, Node& node);
  void tend(Stack& stack, Node& node);
  void move(Stack& stack, Node& node, State to, const std::string& reason);
  void explain(Node& node, const std::string& reason);
  void fail(Stack& stack, Node& node, const std::string& reason, bool timed_out);
  void fail_for_need(Stack& stack, Node& node, const EdgeView& need);
  [[nodiscard]] static bool edges_hold(const Stack& stack, const Node& node);
  [[nodiscard]] static bool may_run(const Node& node);
  [[nodiscard]] static Duration patience_with(const Stack& stack, const Node& node);
  [[nodiscard]] std::pair<State, std::string> judge_foreign(const Node& node, State not_serving) const;
  void begin(Stack& stack, Node& node, const std::string& cause);
  void retry(Stack& stack, Node& node, const std::string& cause);
  void settle_stack(Stack& stack);

  // tasks (tasks.cc)
  void want_offers();
  mesos::v1::TaskInfo launch(Stack& stack, Node& node, const mesos::v1::Offer& offer);
  void task_running(Stack& stack, Node& node, const mesos::v1::TaskStatus& status);
  void take_report(Stack& stack, Node& node, const ChildReport& report);
  void task_ended(Stack& stack, Node& node, const mesos::v1::TaskStatus& status);
  void relaunch(Stack& stack, Node& node, const std::string& cause, bool counts);
  void acknowledge(const mesos::v1::TaskStatus& status);
  void kill(const Node& node);
  void reconcile(const Node& node);
  void lose(Stack& stack, Node& node);
  void forget_task(Node& node);

  // handover (handover.cc has the pure part)
  void refresh_handover(Stack& stack, Node& node);
  void push(Node& node);
  static void observe(Node& node, const ChildReport& report);

  // stopping (stopping.cc)
  bool settle_stopping(Stack& stack, Node& node);
  void begin_stop(Stack& stack, Node& node);
  bool go_on_stopping(Stack& stack, Node& node);
  bool drain_further(Stack& stack, Node& node);
  void stopped(Stack& stack, Node& node);

  Stack* find(const std::string& stack);
  [[nodiscard]] static Duration drain_limit(const StackRecord& record);
  std::pair<Stack*, Node*> find_task(const std::string& task_id);
  [[nodiscard]] banyan::root::NodeStatus status_of(const Stack& stack, const Node& node) const;
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
  std::set<std::string> wanting_;        ///< tasks' names that wanted offers last time
  bool reviving_ = false;                ///< offers are wanted and asked for

  // Valid during step() only.
  Now now_{};
  Changes changes_;  // loading leaves its own for the first step: what was converted is written before anything is done
  std::vector<Effect> effects_;
  bool changed_ = false;
};

/// What the root subscribes with: MULTI_ROLE, RESERVATION_REFINEMENT, PARTITION_AWARE, checkpoint, a week to come back.
[[nodiscard]] mesos::v1::FrameworkInfo framework_info(const std::string& user);

}  // namespace banyan::root
