// `down`: in reverse order; drain, let the child leave by itself, tear it down at the deadline, release what it held.
#include <algorithm>
#include <utility>

#include "orchestrator/core/core.h"
#include "orchestrator/core/timeouts.h"
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

bool Core::settle_stopping(Node& node) {
  if (node.state == State::stopped) return false;
  if (node.state == State::stopping) return go_on_stopping(node);
  // Whoever has stopped stays so: nobody is asked twice.
  auto& first = node.first_up;
  while (first < node.dependants.size() && node.dependants[first]->state == State::stopped) ++first;
  if (first < node.dependants.size()) {
    // Until its turn it is looked after as ever: who needs it may still need it to end well.
    const auto [target, reason] = judge(node);
    if (!stays(node.state, target) && target != node.state) move(node, target, reason);
    explain(node, "stops after " + node.dependants[first]->spec->name);
    tend(node);
    return false;
  }
  begin_stop(node);
  return true;
}

Duration Core::drain_limit(const StackRecord& record, const specs::Node& node) {
  const Duration patience =
      record.deadline_ms() == 0 ? timeouts::drain : Duration(std::chrono::milliseconds(record.deadline_ms()));
  return patience + longest_grace(node);
}

void Core::begin_stop(Node& node) {
  auto& record = node.record;
  // Whoever ever ran may have servers, also while its scheduler is on its way: only draining ends them before what they
  // need is stopped. TEARDOWN alone says nothing about when they are dead.
  // A program that never spoke to its executor cannot be asked to drain: it is ended, and its framework torn down.
  const bool can_drain = node.spec->scheduler.service || record.report().managed();
  const bool drain = record.used() && !node.stack->record.now() && can_drain;
  if (drain) node.stop = stop::Drain{now_.mono + drain_limit(node.stack->record, *node.spec)};
  else node.stop = stop::Teardown{!record.used(), false, {}};
  record.set_stop(drain ? "drain" : "teardown");
  if (!drain && in<task::Wanted>(node)) node.task = task::None{};
  Listing cause;
  for (const Node* dependant : node.dependants) cause.add(dependant->spec->name + " is stopped");
  move(node, State::stopping, cause.empty() ? "nothing depends on it" : cause.text());
}

bool Core::go_on_stopping(Node& node) {
  if (auto* drain = std::get_if<stop::Drain>(&node.stop)) {
    if (!drain_further(node, *drain)) return false;
    node.stop = stop::Teardown{!node.record.used(), false, {}};
    node.record.set_stop("teardown");
    if (in<task::Wanted>(node)) node.task = task::None{};
    if (auto* known = out(node.task)) known->push_at.reset();
    touch(node);
    return true;
  }
  if (auto* teardown = std::get_if<stop::Teardown>(&node.stop)) return tear_down_further(node, *teardown);
  return release_further(node, std::get<stop::Release>(node.stop));
}

/// True when draining is over: done, or its time has passed. A scheduler that dies meanwhile is launched again for it.
bool Core::drain_further(Node& node, stop::Drain& drain) {
  tend(node);
  const auto& child = node.record.report().child();
  explain(node, child.has_reason() ? "draining: " + child.reason() : "draining");
  if (connected_ && drain.deadline <= now_.mono) {
    record_event(node, "node.torn_down",
                 specs::framework_id(node.stack->name(), node.spec->name, node.record.incarnation()),
                 "it did not drain in time");
    return true;
  }
  if (!in<task::None>(node)) return false;
  if (drain.drained || !node.spec->scheduler.service) return true;
  node.task = task::Wanted{now_.mono + timeouts::relaunch.min};
  return false;
}

bool Core::tear_down_further(Node& node, stop::Teardown& teardown) {
  const bool task_gone = in<task::None>(node) || in<task::Unreachable>(node);
  const bool executor_gone = !node.ending || node.ending->until <= now_.mono;
  if (teardown.done && task_gone && executor_gone) {
    if (node.ending) tasks_.erase(node.ending->executor);
    node.ending.reset();
    node.stop = stop::Release{};
    node.record.set_stop("release");
    touch(node);
    return true;
  }
  if (!connected_ || (teardown.retry && *teardown.retry > now_.mono)) return false;
  teardown.retry = now_.mono + timeouts::stop_retry;
  const auto& stack = node.stack->name();
  if (!teardown.done && !std::exchange(teardown.asked, true))
    effects_.emplace_back(
        TearDown{stack, node.spec->name, specs::framework_id(stack, node.spec->name, node.record.incarnation())});
  if (!task_gone) kill(node);
  return false;
}

bool Core::release_further(Node& node, stop::Release& release) {
  if (!node.stack->record.volumes()) {
    stopped(node);
    return true;
  }
  if (!connected_ || (release.retry && *release.retry > now_.mono)) return false;
  release.retry = now_.mono + timeouts::stop_retry;
  const auto& stack = node.stack->name();
  effects_.emplace_back(ReleaseRole{stack, node.spec->name, specs::role(stack, node.spec->name)});
  return false;
}

/// Nothing of it is left. A torn down framework id is burnt: the next incarnation gets a new one.
void Core::stopped(Node& node) {
  const bool volumes = node.stack->record.volumes();
  NodeRecord fresh;
  fresh.set_incarnation(node.record.incarnation() + (node.record.used() ? 1 : 0));
  fresh.set_attempt(node.record.attempt());
  if (volumes)
    effects_.emplace_back(RemoveFolder{setup_.nodes_folder + "/" + node.stack->name() + "." + node.spec->name});
  if (!node.record.task_id().empty()) tasks_.erase(node.record.task_id());  // of an agent that is silent
  node.record = fresh;
  node.task = task::None{};
  node.stop = std::monostate{};
  node.handover.reset();
  move(node, State::stopped, volumes ? "its volumes are gone too" : "its data is kept");
}

void Core::on(const TornDown& input) {
  Node* node = find(input.stack, input.node);
  auto* teardown = node == nullptr ? nullptr : std::get_if<stop::Teardown>(&node->stop);
  if (teardown == nullptr) return;
  mark(*node);
  teardown->asked = false;
  // While its task may still subscribe, the master's word that there is nothing (any more) is not the last.
  if (input.error.empty()) teardown->done = in<task::None>(*node) || in<task::Unreachable>(*node);
  else explain(*node, "teardown: " + input.error);
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
  Node* node = find(input.stack, input.node);
  if (node == nullptr || !in<stop::Release>(*node)) return;
  mark(*node);
  if (input.error.empty()) return stopped(*node);
  explain(*node, "release: " + input.error);
}

}  // namespace banyan::root
