// The nodes of a running stack: may they launch, what state are they in, has a wait passed its deadline.
#include <algorithm>
#include <utility>

#include "orchestrator/core/core.h"
#include "orchestrator/core/patience.h"
#include "orchestrator/core/words.h"
#include "runtime/base/check.h"

namespace banyan::root {
namespace {

/// A server that may be on the machine: by the last word about it, whoever is left to say so.
bool on_the_way(const banyan::ServerStatus& server) {
  const auto& state = server.state();
  return server.pid() != 0 || state == "launching" || state == "starting" || state == "serving" ||
         state == "degraded" || state == "stopping";
}

bool satisfies(State state, specs::Condition condition) {
  switch (condition) {
    case specs::Condition::started:
      return state == State::starting || state == State::serving || state == State::degraded ||
             state == State::completed;
    case specs::Condition::serving: return state == State::serving || state == State::completed;
    case specs::Condition::completed: return state == State::completed;
  }
  return false;
}

}  // namespace

Core::EdgeView Core::view(const Stack& stack, const Node& node, const specs::Edge& edge) {
  const Node& on = stack.nodes.at(edge.on);
  EdgeView view;
  view.holds = on.confirmed && satisfies(on.state, edge.condition);
  if (view.holds) return view;
  view.broken = on.state == State::failed || on.state == State::quarantined;
  if (on.state != State::waiting) view.deadline = std::max(node.since, on.begun) + edge.timeout;
  view.why = edge.on + " to be " + word(edge.condition) + " (it is " +
             (on.confirmed ? std::string(name(on.state)) : "not heard of yet") + ")";
  if (view.broken) view.cause = on.record.cause_node().empty() ? edge.on : on.record.cause_node();
  return view;
}

/// Every moment at which something of this node is due; the past ones have been dealt with.
std::vector<std::optional<Instant>> Core::deadlines_of(const Stack& stack, const Node& node) {
  std::vector<std::optional<Instant>> due{node.push_at, node.reconcile_at, node.stop_retry};
  if (node.phase == TaskPhase::wanted) due.push_back(node.launch_after);
  if (node.stop == StopStep::drain) due.emplace_back(node.stop_deadline);
  if (!node.ending_executor.empty()) due.emplace_back(node.executor_deadline);
  if (stack.record.down()) return due;
  if (node.phase == TaskPhase::unreachable) due.emplace_back(node.phase_since + patience::lost_agent);
  if (node.state == State::waiting)
    for (const auto& edge : node.spec->edges)
      if (const auto edge_view = view(stack, node, edge); !edge_view.holds) due.push_back(edge_view.deadline);
  if (node.state == State::launching) due.emplace_back(node.since + patience::launching);
  if (node.state == State::starting || node.state == State::degraded)
    due.emplace_back(node.since + patience_with(stack, node));
  if (node.phase == TaskPhase::running && !node.spec->scheduler.service && !node.record.report().managed())
    due.emplace_back(node.phase_since + patience::silent_child);
  return due;
}

void Core::settle() {
  // Each pass moves every node as far as its neighbours allow; a pass that moves nothing ends it.
  std::size_t passes = 0;
  for (bool moved = true; moved;) {
    moved = false;
    std::size_t nodes = 0;
    for (auto it = stacks_.begin(); it != stacks_.end();) {
      Stack& stack = (it++)->second;  // stopping the last node erases the stack
      nodes += stack.nodes.size();
      std::vector<std::string> order;
      for (const auto& spec : stack.spec.nodes) order.push_back(spec.name);
      if (stack.record.down()) std::reverse(order.begin(), order.end());
      for (const auto& node_name : order) moved |= settle(stack, stack.nodes.at(node_name));
      judge_revision(stack);
      settle_stack(stack);
    }
    BANYAN_CHECK(++passes <= 20 + 10 * nodes || !moved);
  }
  for (auto& [stack_name, stack] : stacks_)
    for (auto& [node_name, node] : stack.nodes)
      if (node.touched) save(stack, node);
  want_offers();
}

void Core::settle_stack(Stack& stack) {
  const auto stopped_node = [](const auto& entry) { return entry.second.state == State::stopped; };
  if (!stack.record.down() || !std::all_of(stack.nodes.begin(), stack.nodes.end(), stopped_node)) return;
  const std::string stack_name = stack.spec.name;
  for (auto& [node_name, node] : stack.nodes) {
    save(stack, node);
    past_[stack_name + "." + node_name] = node.record;
  }
  changes_.push_back({"stack/" + stack_name, std::nullopt});
  const StackRecord old = stack.record;
  tell(stack_name, "", "stack.stopped", "", "down");
  stacks_.erase(stack_name);
  drop_configs(old);
  changed_ = true;
}

bool Core::settle(Stack& stack, Node& node) {
  const State before = node.state;
  const TaskPhase phase_before = node.phase;
  const bool more = stack.record.down()            ? settle_stopping(stack, node)
                    : node.state == State::waiting ? settle_waiting(stack, node)
                                                   : settle_task(stack, node);
  return more || node.state != before || node.phase != phase_before;
}

bool Core::settle_waiting(Stack& stack, Node& node) {
  std::string waits, holding;
  for (const auto& edge : node.spec->edges) {
    const auto edge_view = view(stack, node, edge);
    if (edge_view.holds) {
      holding += (holding.empty() ? "" : ", ") + edge.on + " is " + std::string(name(stack.nodes.at(edge.on).state));
      continue;
    }
    const bool late = connected_ && edge_view.deadline && *edge_view.deadline <= now_.mono;
    if (!edge.required && (edge_view.broken || late)) continue;
    if (edge_view.broken) {
      fail_for_need(stack, node, edge_view);
      return true;
    }
    if (late) {
      fail(stack, node, "waited " + words(edge.timeout) + " for " + edge_view.why, true);
      return true;
    }
    waits += (waits.empty() ? "waits for " : ", ") + edge_view.why;
  }
  if (waits.empty()) {
    begin(stack, node, holding.empty() ? "depends on nothing" : holding);
    return true;
  }
  explain(node, waits);
  return false;
}

/// The state a node deserves by what its task and its child say.
std::pair<State, std::string> Core::judge(const Node& node) const {
  const bool served = node.record.served();
  const State on_the_way = served ? State::degraded : State::launching;
  switch (node.phase) {
    case TaskPhase::none: return {node.state, node.record.reason()};
    case TaskPhase::wanted:
    case TaskPhase::launched:
      // An older reason says more than "launched".
      return {on_the_way, node.state == on_the_way && !node.record.reason().empty() ? node.record.reason()
                          : node.phase == TaskPhase::wanted                         ? "its scheduler waits for an offer"
                                                            : "its scheduler has been launched"};
    case TaskPhase::unreachable:
      return {served ? State::degraded : node.state, "the agent of its scheduler is unreachable"};
    case TaskPhase::running: break;
  }
  const auto& report = node.record.report();
  const State not_serving = served ? State::degraded : State::starting;
  if (report.has_child()) {
    const auto& child = report.child();
    // What it gave up on may be mended by a handover that it has not seen yet.
    const bool up_to_date =
        !child.has_handover_version() || child.handover_version() >= node.record.handover().version();
    if (child.quarantined() && up_to_date) return {State::quarantined, child.reason()};
    if (child.failed() && up_to_date) return {State::failed, child.reason()};
    if (child.completed() && up_to_date) return {State::completed, ""};
    if (child.serving()) return {State::serving, ""};
    return {not_serving, child.has_reason() ? child.reason() : "its servers are not ready"};
  }
  if (!node.spec->scheduler.service && !report.managed()) return judge_foreign(node, not_serving);
  return {not_serving, "its scheduler has started and not reported yet"};
}

/// A program that knows nothing of Banyan is judged by its process alone.
std::pair<State, std::string> Core::judge_foreign(const Node& node, State not_serving) const {
  const auto& record = node.record;
  if (node.spec->goal == specs::Goal::completed) return {not_serving, "it runs"};
  if (record.has_report() && !record.report().has_pid())
    return {not_serving, "its process has died and is being started again"};
  if (node.spec->scheduler.readiness.kind != specs::SchedulerReadiness::Kind::alive && record.has_report()) {
    const auto& report = record.report();
    if (report.ready()) return {State::serving, ""};
    return {not_serving, report.has_not_ready() ? report.not_ready() : "its readiness check has not passed yet"};
  }
  const bool silent_long_enough = connected_ && node.phase_since + patience::silent_child <= now_.mono;
  if (node.state == State::serving || node.spec->goal == specs::Goal::running || silent_long_enough)
    return {State::serving, ""};
  return {not_serving, "its scheduler has started and not reported yet"};
}

bool Core::edges_hold(const Stack& stack, const Node& node) {
  return std::all_of(node.spec->edges.begin(), node.spec->edges.end(),
                     [&](const specs::Edge& edge) { return !edge.required || view(stack, node, edge).holds; });
}

/// Whether one of its servers may be running: then it is repaired at once, whatever its dependencies do.
bool Core::may_run(const Node& node) {
  const auto& servers = node.record.report().child().servers();
  return std::any_of(servers.begin(), servers.end(), on_the_way);
}

/// Whoever waits for it longer than the usual decides.
Duration Core::patience_with(const Stack& stack, const Node& node) {
  if (node.spec->goal == specs::Goal::completed) return std::chrono::hours(24 * 365);  // a job takes what it takes
  Duration most = patience::starting;
  for (const auto& dependant : stack.dependants.at(node.spec->name))
    for (const auto& edge : stack.nodes.at(dependant).spec->edges)
      if (edge.on == node.spec->name) most = std::max(most, edge.timeout);
  return most;
}

bool Core::settle_task(Stack& stack, Node& node) {
  if (node.state == State::failed && node.failed_for_need) {
    const bool still = std::any_of(node.spec->edges.begin(), node.spec->edges.end(), [&](const specs::Edge& edge) {
      return edge.required && view(stack, node, edge).broken;
    });
    if (!still) retry(stack, node, "what it needs is being brought back");
    return !still;
  }
  if (node.phase == TaskPhase::wanted && (node.state == State::launching || node.state == State::degraded) &&
      !may_run(node) && !edges_hold(stack, node)) {
    node.phase = TaskPhase::none;  // nothing of it runs: order holds at every launch, not only at the first
    node.launch_after.reset();
    move(stack, node, State::waiting, "what it needs does not hold any more");
    return true;
  }
  const auto [target, reason] = judge(node);
  const bool good = target == State::serving || target == State::completed;
  const bool sticky = (node.state == State::failed && !good && target != State::quarantined) ||
                      (node.state == State::completed && target != State::completed);
  if (!sticky && target != node.state) {
    if (target == State::failed) fail(stack, node, reason, false);
    else move(stack, node, target, reason);
  } else if (!sticky) {
    explain(node, reason);
  }

  if (connected_) {
    if (node.state == State::launching && node.since + patience::launching <= now_.mono) {
      const bool out = node.phase == TaskPhase::launched || node.phase == TaskPhase::unreachable;
      if (out) kill(node);
      else node.phase = TaskPhase::none;
      fail(stack, node,
           (out ? "no word of its scheduler's task for " : "no offer fitted for ") + words(patience::launching) + ": " +
               node.record.reason(),
           true);
    }
    if ((node.state == State::starting || node.state == State::degraded) &&
        node.since + patience_with(stack, node) <= now_.mono)
      fail(stack, node, "not serving after " + words(patience_with(stack, node)) + ": " + node.record.reason(), true);
    if (node.phase == TaskPhase::unreachable && node.phase_since + patience::lost_agent <= now_.mono) lose(stack, node);
  }
  tend(stack, node);
  return false;
}

/// Keeps the child told and the master asked.
void Core::tend(Stack& stack, Node& node) {
  refresh_handover(stack, node);
  if (connected_ && node.push_at && *node.push_at <= now_.mono) push(node);
  if (connected_ && node.reconcile_at && *node.reconcile_at <= now_.mono) {
    reconcile(node);
    node.reconcile_at = now_.mono + patience::reconcile;
  }
}

void Core::move(Stack& stack, Node& node, State to, const std::string& reason) {
  BANYAN_CHECK(may_move(node.state, to));
  node.state = to;
  node.since = now_.mono;
  node.timed_out = false;
  node.record.set_state(std::string(name(to)));
  node.record.set_reason(reason);
  node.record.set_timed_out(false);
  node.failed_for_need = false;
  node.record.set_failed_for_need(false);
  node.record.clear_cause_node();
  if (to == State::serving) {
    node.serving_since = now_.mono;
    node.record.set_served(true);
    if (node.record.took_ms() == 0 && node.launched_at)
      node.record.set_took_ms(
          static_cast<std::uint64_t>(std::max<std::int64_t>(1, milliseconds(now_.mono - *node.launched_at))));
  }
  node.touched = true;
  changed_ = true;
  const std::string detail = to == State::starting && node.record.report().has_pid()
                                 ? "scheduler pid " + std::to_string(node.record.report().pid())
                                 : "";
  tell(stack.spec.name, node.spec->name, "node." + std::string(name(to)), detail, reason);
}

void Core::explain(Node& node, const std::string& reason) {
  if (node.record.reason() == reason) return;
  node.record.set_reason(reason);
  node.touched = true;
  changed_ = true;
}

void Core::fail(Stack& stack, Node& node, const std::string& reason, bool timed_out) {
  move(stack, node, State::failed, reason);
  node.timed_out = timed_out;
  node.record.set_timed_out(timed_out);
}

/// Goes on when what it needs does. Its reason is a link: who asks why is sent to the node that failed first.
void Core::fail_for_need(Stack& stack, Node& node, const EdgeView& need) {
  fail(stack, node, "needs " + need.why, false);
  node.failed_for_need = true;
  node.record.set_failed_for_need(true);
  node.record.set_cause_node(need.cause);
}

/// All its edges hold: it wants a task.
void Core::begin(Stack& stack, Node& node, const std::string& cause) {
  node.begun = now_.mono;
  node.launched_at = now_.mono;
  node.phase = TaskPhase::wanted;
  node.phase_since = now_.mono;
  node.launch_after.reset();
  move(stack, node, State::launching, cause);
  node.record.set_reason("its scheduler waits for an offer");
}

/// Tries a node again that was given up, or that is asked to start anew.
void Core::retry(Stack& stack, Node& node, const std::string& cause) {
  node.record.set_served(false);
  node.record.set_deaths(0);
  node.record.set_took_ms(0);
  node.launched_at = now_.mono;
  if (node.record.report().has_child()) {
    auto& child = *node.record.mutable_report()->mutable_child();
    child.clear_quarantined();
    child.clear_failed();
    child.clear_completed();
  }
  if (node.phase != TaskPhase::none) {  // its scheduler still runs: it only has to come to serving
    move(stack, node, node.phase == TaskPhase::running ? State::starting : State::launching, cause);
    return;
  }
  move(stack, node, State::waiting, cause);
}

}  // namespace banyan::root
