// The nodes of a running stack: may they launch, what state are they in, has a wait passed its deadline.
#include <algorithm>
#include <utility>

#include "orchestrator/core/core.h"
#include "orchestrator/core/edges.h"
#include "orchestrator/core/timeouts.h"
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

/// Whether one of its servers may be running: then it is repaired at once, whatever its dependencies do.
bool may_run(const Node& node) {
  const auto& servers = node.record.report().child().servers();
  return std::any_of(servers.begin(), servers.end(), on_the_way);
}

}  // namespace

Core::Wait Core::wait_of(const Node& node) const {
  using Verdict = Wait::Verdict;
  Listing waits("waits for "), holding;
  for (std::size_t i = 0; i < node.needs.size(); ++i) {
    const Node& on = *node.needs[i];
    const specs::Edge& edge = node.spec->edges[i];
    if (holds(node, i)) {
      holding.add(edge.on + " is " + std::string(name(on.state)));
      continue;
    }
    const auto deadline = deadline_of(node, i);
    const bool late = connected_ && deadline && *deadline <= now_.mono;
    if (!edge.required && (broken(node, i) || late)) continue;
    if (broken(node, i)) return {Verdict::need_failed, "needs " + why(node, i), &on};
    if (late) return {Verdict::late, "waited " + words(edge.timeout) + " for " + why(node, i), &on};
    waits.add(why(node, i));
  }
  if (!waits.empty()) return {Verdict::wait, waits.text(), nullptr};
  return {Verdict::begin, holding.empty() ? "depends on nothing" : holding.text(), nullptr};
}

bool Core::settle_waiting(Node& node) {
  const Wait wait = wait_of(node);
  switch (wait.verdict) {
    case Wait::Verdict::begin: begin(node, wait.text); return true;
    case Wait::Verdict::wait: explain(node, wait.text); return false;
    case Wait::Verdict::late: fail(node, wait.text, true); return true;
    case Wait::Verdict::need_failed:
      // Goes on when what it needs does. Its reason is a link: who asks why is sent to the node that failed first.
      node.story = wait.need->story;
      fail(node, wait.text, false);
      node.record.set_failed_for_need(true);
      node.record.set_cause_node(first_cause(*wait.need));
      return true;
  }
  return false;
}

/// The state a node deserves by what its task and its child say.
std::pair<State, std::string> Core::judge(const Node& node) const {
  const bool served = node.record.served();
  if (in<task::None>(node)) return {node.state, node.record.reason()};
  if (in<task::Wanted>(node) || in<task::Launched>(node)) {
    const State on_the_way = served ? State::degraded : State::launching;
    if (in<task::Wanted>(node) && !refused_.empty())
      return {on_the_way, "its scheduler waits for an offer: " + refused_};
    // An older reason says more than "launched".
    return {on_the_way, node.state == on_the_way && !node.record.reason().empty() ? node.record.reason()
                        : in<task::Wanted>(node)                                  ? waits_for_an_offer
                                                                                  : "its scheduler has been launched"};
  }
  if (in<task::Unreachable>(node))
    return {served ? State::degraded : node.state,
            "the agent of its scheduler is unreachable" + (refused_.empty() ? "" : ": " + refused_)};

  const auto& report = node.record.report();
  const State not_serving = served ? State::degraded : State::starting;
  if (report.has_child()) {
    const auto& child = report.child();
    // What it gave up on may be mended by a handover that it has not seen yet.
    const bool up_to_date = !child.has_handover_version() || child.handover_version() >= node.record.handover_version();
    if (child.quarantined() && up_to_date) return {State::quarantined, child.reason()};
    if (child.failed() && up_to_date) return {State::failed, child.reason()};
    if (child.completed() && up_to_date) return {State::completed, ""};
    if (child.serving()) return {State::serving, ""};
    return {not_serving, child.has_reason() ? child.reason() : "its servers are not ready"};
  }
  if (!node.spec->scheduler.service && !report.managed())
    return judge_foreign(node, std::get<task::Running>(node.task).since, not_serving);
  return {not_serving, "its scheduler has started and not reported yet"};
}

/// A program that knows nothing of Banyan is judged by its process alone. `since`: its task runs.
std::pair<State, std::string> Core::judge_foreign(const Node& node, Instant since, State not_serving) const {
  const auto& record = node.record;
  if (node.spec->goal == specs::Goal::completed) return {not_serving, "it runs"};
  if (record.has_report() && !record.report().has_pid())
    return {not_serving, "its process has died and is being started again"};
  if (node.spec->scheduler.readiness.kind != specs::SchedulerReadiness::Kind::alive && record.has_report()) {
    const auto& report = record.report();
    if (report.ready()) return {State::serving, ""};
    return {not_serving, report.has_not_ready() ? report.not_ready() : "its readiness check has not passed yet"};
  }
  const bool silent_long_enough = connected_ && since + timeouts::silent_child <= now_.mono;
  if (node.state == State::serving || node.spec->goal == specs::Goal::running || silent_long_enough)
    return {State::serving, ""};
  return {not_serving, "its scheduler has started and not reported yet"};
}

/// What has failed or is completed stays so until it is asked for again, or does better by itself.
bool Core::stays(State now, State target) {
  if (now == State::completed) return target != State::completed;
  return now == State::failed && target != State::serving && target != State::completed && target != State::quarantined;
}

bool Core::settle_task(Node& node) {
  if (node.state == State::failed && node.record.failed_for_need()) {
    const bool still = any_broken(node);
    for (const Node* need : node.needs)
      if (!still && need->story != 0) node.story = need->story;  // what brings that one back begins this, too
    if (!still) retry(node, "what it needs is being brought back");
    return !still;
  }
  if (in<task::Wanted>(node) && (node.state == State::launching || node.state == State::degraded) && !may_run(node) &&
      !edges_hold(node)) {
    node.task = task::None{};  // nothing of it runs: order holds at every launch, not only at the first
    move(node, State::waiting, "what it needs does not hold any more");
    return true;
  }
  const auto [target, reason] = judge(node);
  if (target == node.state) explain(node, reason);
  else if (!stays(node.state, target)) move(node, target, reason);
  if (connected_) settle_lateness(node);
  tend(node);
  return false;
}

void Core::settle_lateness(Node& node) {
  if (node.state == State::launching && node.since + timeouts::launching <= now_.mono) {
    const bool known = out(node.task) != nullptr;
    if (known) kill(node);
    else node.task = task::None{};
    fail(node,
         (known ? "no word of its scheduler's task for " : "no offer fitted for ") + words(timeouts::launching) + ": " +
             node.record.reason(),
         true);
  }
  if ((node.state == State::starting || node.state == State::degraded) && node.since + node.patience <= now_.mono)
    fail(node, "not serving after " + words(node.patience) + ": " + node.record.reason(), true);
  const auto* silent = std::get_if<task::Unreachable>(&node.task);
  if (silent != nullptr && silent->since + timeouts::lost_agent <= now_.mono) lose(node);
}

/// Keeps the child told and the master asked.
void Core::tend(Node& node) {
  refresh_handover(node);
  task::Out* known = out(node.task);
  if (known == nullptr || !connected_) return;
  if (known->push_at && *known->push_at <= now_.mono) push(node);
  if (!known->reconcile_at || *known->reconcile_at > now_.mono) return;
  reconcile(node);
  known->reconcile_at = now_.mono + timeouts::reconcile;
}

void Core::move(Node& node, State to, const std::string& reason) {
  BANYAN_CHECK(may_move(node.state, to));
  const bool ends_well = to == State::serving || to == State::completed;
  if (node.state == State::serving && !ends_well) node.down_since = now_.mono;
  node.state = to;
  node.since = now_.mono;
  auto& record = node.record;
  record.set_state(std::string(name(to)));
  record.set_reason(reason);
  record.set_timed_out(false);
  record.set_failed_for_need(false);
  record.clear_cause_node();
  if (to == State::serving) {
    node.serving_since = now_.mono;
    record.set_served(true);
  }
  touch(node);
  const std::string detail = to == State::starting && record.report().has_pid()
                                 ? "scheduler pid " + std::to_string(record.report().pid())
                                 : "";
  const Duration outage = ends_well && node.down_since ? now_.mono - *node.down_since : Duration{};
  if (ends_well || to == State::stopping) node.down_since.reset();
  record_event(node, "node." + std::string(name(to)), detail, reason, outage);
}

void Core::explain(Node& node, const std::string& reason) {
  if (node.record.reason() == reason) return;
  node.record.set_reason(reason);
  touch(node);
}

void Core::fail(Node& node, const std::string& reason, bool timed_out) {
  move(node, State::failed, reason);
  node.record.set_timed_out(timed_out);
}

/// All its edges hold: it wants a task.
void Core::begin(Node& node, const std::string& cause) {
  node.begun = now_.mono;
  node.launched_at = now_.mono;
  node.task = task::Wanted{};
  node.record.set_served(false);  // nothing of it runs any more, also where it once did
  move(node, State::launching, cause);
  node.record.set_reason(waits_for_an_offer);
}

/// Tries a node again that was given up, or that is asked to start anew.
void Core::retry(Node& node, const std::string& cause) {
  auto& record = node.record;
  record.set_served(false);
  record.set_deaths(0);
  record.set_took_ms(0);
  node.launched_at = now_.mono;
  if (record.report().has_child()) {
    auto& child = *record.mutable_report()->mutable_child();
    child.clear_reason();  // of what it gave up on
    child.clear_quarantined();
    child.clear_failed();
    child.clear_completed();
  }
  // While its scheduler still runs it only has to come to serving.
  move(node,
       in<task::None>(node)      ? State::waiting
       : in<task::Running>(node) ? State::starting
                                 : State::launching,
       cause);
}

}  // namespace banyan::root
