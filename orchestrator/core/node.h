// One node of a stack: its life, each phase with its own data, and its place among the others.
//
// A life has three sides. The *state* (states.h) is what the node deserves and what people see; it is written down. The
// *task* is what its child scheduler's task does; the *stop* is how far `down` has come with it. Each phase of task and
// stop holds only what is due in it, so a deadline cannot outlive its phase. life_of() is the one way from a record to
// a life.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "banyan/handover.pb.h"
#include "banyan/root_records.pb.h"
#include "orchestrator/core/states.h"
#include "runtime/base/time.h"
#include "specs/stack.h"

namespace banyan::root {

struct Node;
struct Stack;

/// What the child scheduler's task does.
namespace task {
/// None out, none wanted.
struct None {};
struct Wanted {
  std::optional<Instant> after;  ///< back-off; absent: any offer will do
};
/// What is asked of the master and told to the executor while a task is out.
struct Out {
  bool confirmed = true;    ///< it has answered since; else the node's state is a memory
  std::uint64_t asker = 0;  ///< what its answer repeats at least: the number of the event since which it is asked
  std::optional<Instant> push_at;        ///< next MESSAGE, while a handover, restart or report is outstanding
  unsigned pushes = 0;                   ///< tried so far, for the back-off
  bool report_wanted = false;            ///< the executor is to repeat its report
  bool gate_stale = false;               ///< the child was started again and waits to hear that it may start
  std::optional<Instant> reconcile_at;   ///< ask the master, while it has not spoken
  std::optional<Instant> unknown_since;  ///< the master has said ever since that it does not know the task
};
struct Launched : Out {};  ///< ACCEPTed, no word yet
struct Running : Out {
  Instant since;
};
struct Unreachable : Out {  ///< its agent is silent: it may still run
  Instant since;
};
}  // namespace task
using Task = std::variant<task::None, task::Wanted, task::Launched, task::Running, task::Unreachable>;

/// How far `down` has come with a node in state stopping.
namespace stop {
struct Drain {
  Instant deadline;      ///< then it is torn down
  bool drained = false;  ///< its scheduler has left as it was asked to
};
struct Teardown {
  bool done = false;             ///< the master has forgotten the framework
  bool asked = false;            ///< and not answered yet
  std::optional<Instant> retry;  ///< of KILL
};
struct Release {
  std::optional<Instant> retry;
};
}  // namespace stop
using Stop = std::variant<std::monostate, stop::Drain, stop::Teardown, stop::Release>;

struct Life {
  State state = State::waiting;
  Task task;
  Stop stop;
};

/// Of a record as it was left, or of a fresh one. What runs is not known yet: the record only says what to ask about.
/// `down`: the stack is being taken down; `drain_limit`: patience with its draining from now on.
[[nodiscard]] Life life_of(const NodeRecord& record, bool down, Instant now, Duration drain_limit);

/// What the node counts as in its stack.
struct Standing {
  bool met = false;       ///< has acted on all that is asked, this root has heard so, and it is where it is to be
  bool given_up = false;  ///< failed or quarantined
  bool degraded = false;
  bool settled = false;  ///< nobody waits for it any longer
  bool stopped = false;
  bool operator==(const Standing&) const = default;
};

/// All that others look at. They are looked at again when it changes, and only then.
struct Outside {
  State state = State::waiting;
  bool confirmed = true;
  Instant begun;
  std::string cause;            ///< the node whose failure is this one's
  std::uint64_t endpoints = 0;  ///< rises with every change of them
  bool operator==(const Outside&) const = default;
};

struct Node {
  // Its place; bind() sets it.
  Stack* stack = nullptr;
  const specs::Node* spec = nullptr;
  std::uint32_t at = 0;           ///< in launch order
  std::vector<Node*> needs;       ///< one per edge, in the order of the edges
  std::vector<Node*> dependants;  ///< in launch order
  Duration patience{};            ///< with its starting, or with its being degraded
  std::size_t first_up = 0;       ///< under `down`: the dependants before this one have stopped

  NodeRecord record;
  State state = State::waiting;
  Instant since;                       ///< in this state
  Instant begun;                       ///< when it left waiting; its dependants' clocks start then
  std::optional<Instant> launched_at;  ///< on its way to being met since then, for took_ms
  std::optional<Instant> serving_since;
  Task task;
  Stop stop;
  struct Ending {
    std::string executor;
    Instant until;
  };
  std::optional<Ending> ending;  ///< under `down`: its task has ended, the executor has not yet

  std::string target;                ///< hash of what it is to become: configuration and restarts asked for
  std::optional<Handover> handover;  ///< the newest; valid once its task is out
  bool stale = true;                 ///< what its handover is made of has changed, but for the gate
  std::uint64_t endpoints = 0;       ///< version of record.endpoints

  // What the event log tells of it.
  std::uint64_t story = 0;            ///< the event that began what it goes through; 0: nothing
  std::optional<Instant> down_since;  ///< it served, and does not
  std::optional<Instant> scheduler_down_since;
  std::map<std::string, Instant> servers_down;  ///< those that served and do not, of its last report

  // Its entries in the indexes; index() alone writes them.
  std::optional<Instant> due;
  std::optional<Standing> counted;
  Outside outside;

  // Of the present step.
  bool looked = false;   ///< in Core::seen_
  bool touched = false;  ///< its record is to be written
  bool news = false;     ///< its status has changed
};

/// By stack and launch order.
struct ByPlace {
  bool operator()(const Node* a, const Node* b) const;
};

/// How many nodes of a stack stand how. Kept by differences: nobody counts a stack to judge it.
class Tally {
 public:
  /// `counted` becomes `now`.
  void replace(std::optional<Standing>& counted, const Standing& now, std::uint32_t at);
  bool operator==(const Tally&) const = default;

  std::set<std::uint32_t> unmet;  ///< by launch order
  std::size_t on_the_way = 0;     ///< neither met nor given up
  std::size_t given_up = 0, degraded = 0, unsettled = 0, stopped = 0;
};

struct Stack {
  StackRecord record;
  specs::Stack spec;
  std::map<std::string, Node> nodes;
  std::vector<Node*> order;       ///< of launching
  std::set<std::uint32_t> dirty;  ///< nodes to be looked at in this step
  Tally tally;
  Instant revision_deadline;  ///< valid while the revision is open
  std::optional<Instant> due;

  [[nodiscard]] const std::string& name() const { return spec.name; }
  [[nodiscard]] bool down() const { return record.down(); }
  [[nodiscard]] bool open() const { return record.revision().state() == "open"; }
};

[[nodiscard]] inline task::Out* out(Task& task) {
  return std::visit(
      [](auto& phase) -> task::Out* {
        if constexpr (std::is_base_of_v<task::Out, std::decay_t<decltype(phase)>>) return &phase;
        else return nullptr;
      },
      task);
}
[[nodiscard]] inline const task::Out* out(const Task& task) { return out(const_cast<Task&>(task)); }

template <class Phase>
[[nodiscard]] bool in(const Node& node) {
  if constexpr (std::is_constructible_v<Task, Phase>) return std::holds_alternative<Phase>(node.task);
  else return std::holds_alternative<Phase>(node.stop);
}

/// What has no task cannot be unknown.
[[nodiscard]] inline bool confirmed(const Node& node) {
  const auto* known = out(node.task);
  return known == nullptr || known->confirmed;
}
[[nodiscard]] inline bool given_up(const Node& node) {
  return node.state == State::failed || node.state == State::quarantined;
}
/// Where it is to be, whatever it has acted on.
[[nodiscard]] bool at_goal(const Node& node);
[[nodiscard]] bool met(const Node& node);
[[nodiscard]] Standing standing_of(const Node& node);
[[nodiscard]] Outside outside_of(const Node& node);

}  // namespace banyan::root
