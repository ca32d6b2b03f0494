// `down`: in reverse order; drain, let the child leave by itself, tear it down at the deadline, release what it held.
#include <algorithm>
#include <utility>

#include "orchestrator/core/core.h"
#include "orchestrator/core/patience.h"
#include "orchestrator/core/words.h"
#include "specs/names.h"

namespace banyan::root {

namespace {

/// How long its servers may take to stop as they are declared: one after the other, where they must.
Duration longest_grace(const specs::Node& node) {
  Duration all{0}, most{0};
  for (const auto& server : node.servers) {
    const bool serial = server.stop.order == specs::StopOrder::serial;
    const Duration mine = server.stop.grace * (serial ? static_cast<std::int64_t>(server.instances) : 1);
    all += mine;
    most = std::max(most, mine);
  }
  return node.stop.order == specs::StopOrder::serial ? all : most;
}

}  // namespace

bool Core::settle_stopping(Stack& stack, Node& node) {
  if (node.state == State::stopped) return false;
  if (node.state == State::stopping) return go_on_stopping(stack, node);
  for (const auto& dependant : stack.dependants.at(node.spec->name))
    if (stack.nodes.at(dependant).state != State::stopped) {
      explain(node, "stops after " + dependant);
      return false;
    }
  begin_stop(stack, node);
  return true;
}

Duration Core::drain_limit(const StackRecord& record) {
  return record.deadline_ms() == 0 ? patience::drain : Duration(std::chrono::milliseconds(record.deadline_ms()));
}

void Core::begin_stop(Stack& stack, Node& node) {
  node.torn_down = !node.record.used();
  node.teardown_asked = false;
  node.stop_retry.reset();
  // Whoever ever ran may have servers, also while its scheduler is on its way: only draining ends them before what they
  // need is stopped. TEARDOWN alone says nothing about when they are dead.
  // A program that never spoke to its executor cannot be asked to drain: it is ended, and its framework torn down.
  const bool can_drain = node.spec->scheduler.service || node.record.report().managed();
  const bool drain = node.record.used() && !stack.record.now() && can_drain;
  node.stop = drain ? StopStep::drain : StopStep::teardown;
  if (!drain && node.phase == TaskPhase::wanted) node.phase = TaskPhase::none;
  node.stop_deadline = now_.mono + drain_limit(stack.record) + longest_grace(*node.spec);
  const auto& dependants = stack.dependants.at(node.spec->name);
  std::string cause;
  for (const auto& dependant : dependants) cause += (cause.empty() ? "" : ", ") + dependant + " is stopped";
  move(stack, node, State::stopping, cause.empty() ? "nothing depends on it" : cause);
}

bool Core::go_on_stopping(Stack& stack, Node& node) {
  if (node.stop == StopStep::drain) {
    if (!drain_further(stack, node)) return false;
    node.stop = StopStep::teardown;
    if (node.phase == TaskPhase::wanted) node.phase = TaskPhase::none;
    node.stop_retry.reset();
    node.push_at.reset();
  }
  const bool due = connected_ && (!node.stop_retry || *node.stop_retry <= now_.mono);
  const auto& name_of = node.spec->name;
  if (node.stop == StopStep::teardown) {
    const bool task_gone = node.phase == TaskPhase::none || node.phase == TaskPhase::unreachable;
    const bool executor_gone = node.ending_executor.empty() || node.executor_deadline <= now_.mono;
    if (node.torn_down && task_gone && executor_gone) {
      node.ending_executor.clear();
      node.stop = StopStep::release;
      node.stop_retry.reset();
      return true;
    }
    if (!due) return false;
    node.stop_retry = now_.mono + patience::stop_retry;
    if (!node.torn_down && !std::exchange(node.teardown_asked, true))
      effects_.emplace_back(
          TearDown{stack.spec.name, name_of, specs::framework_id(stack.spec.name, name_of, node.record.incarnation())});
    if (!task_gone) kill(node);
    return false;
  }
  if (!stack.record.volumes()) {
    stopped(stack, node);
    return true;
  }
  if (!due) return false;
  node.stop_retry = now_.mono + patience::stop_retry;
  effects_.emplace_back(ReleaseRole{stack.spec.name, name_of, specs::role(stack.spec.name, name_of)});
  return false;
}

/// True when draining is over: done, or its time has passed. A scheduler that dies meanwhile is launched again for it.
bool Core::drain_further(Stack& stack, Node& node) {
  tend(stack, node);
  const auto& child = node.record.report().child();
  explain(node, child.has_reason() ? "draining: " + child.reason() : "draining");
  if (connected_ && node.stop_deadline <= now_.mono) {
    tell(stack.spec.name, node.spec->name, "node.torn_down", node.record.handover().framework_id(),
         "it did not drain in time");
    return true;
  }
  if (node.phase != TaskPhase::none) return false;
  if (node.drained || !node.spec->scheduler.service) return true;
  node.phase = TaskPhase::wanted;
  node.phase_since = now_.mono;
  node.launch_after = now_.mono + patience::relaunch.min;
  return false;
}

/// Nothing of it is left. A torn down framework id is burnt: the next incarnation gets a new one.
void Core::stopped(Stack& stack, Node& node) {
  NodeRecord fresh;
  fresh.set_incarnation(node.record.incarnation() + (node.record.used() ? 1 : 0));
  fresh.set_attempt(node.record.attempt());
  if (stack.record.volumes())
    effects_.emplace_back(RemoveFolder{setup_.nodes_folder + "/" + stack.spec.name + "." + node.spec->name});
  node.record = fresh;
  node.phase = TaskPhase::none;
  node.drained = false;
  node.stop = StopStep::none;
  node.stop_retry.reset();
  node.push_at.reset();
  node.reconcile_at.reset();
  move(stack, node, State::stopped, stack.record.volumes() ? "its volumes are gone too" : "its data is kept");
}

void Core::on(const TornDown& input) {
  Stack* stack = find(input.stack);
  if (stack == nullptr || !stack->nodes.contains(input.node)) return;
  Node& node = stack->nodes.at(input.node);
  if (node.stop != StopStep::teardown) return;
  node.teardown_asked = false;
  // While its task may still subscribe, the master's word that there is nothing (any more) is not the last.
  if (input.error.empty()) node.torn_down = node.phase == TaskPhase::none || node.phase == TaskPhase::unreachable;
  else explain(node, "teardown: " + input.error);
}

void Core::on(const Released& input) {
  for (auto it = releasing_.begin(); it != releasing_.end();) {
    auto& [call, waits] = *it;
    const bool ours = !input.stack.empty() && !stacks_.contains(input.stack) && waits.erase(input.node) > 0;
    DownReply reply;
    if (ours && !input.error.empty()) reply.set_error("release of " + input.node + ": " + input.error);
    if (!ours || (waits.empty() ? false : input.error.empty())) {
      ++it;
      continue;
    }
    effects_.emplace_back(Answer{call, reply});
    it = releasing_.erase(it);
  }
  Stack* stack = find(input.stack);
  if (stack == nullptr || !stack->nodes.contains(input.node)) return;
  Node& node = stack->nodes.at(input.node);
  if (node.stop != StopStep::release) return;
  if (input.error.empty()) return stopped(*stack, node);
  explain(node, "release: " + input.error);
}

}  // namespace banyan::root
