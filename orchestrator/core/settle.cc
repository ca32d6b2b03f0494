// Who is looked at in a step, and the indexes that lead there.
#include <algorithm>

#include "orchestrator/core/core.h"
#include "orchestrator/core/edges.h"
#include "orchestrator/core/timeouts.h"
#include "runtime/base/check.h"

namespace banyan::root {

void Core::mark(Node& node) {
  node.stack->dirty.insert(node.at);
  restless_.insert(node.stack->name());
}

/// Its record has changed, or is about to.
void Core::touch(Node& node) {
  node.touched = node.news = true;
  if (!node.looked) mark(node);  // a look sees to itself
}

/// Marks whoever is due.
void Core::wake() {
  if (!connected_) return;  // frozen
  while (Node* node = due_.pop(now_.mono)) mark(*node);
  while (Stack* stack = revisions_due_.pop(now_.mono)) restless_.insert(stack->name());
}

void Core::settle() {
  wake();
  // Nothing of one stack looks at another.
  for (const auto& name : std::exchange(restless_, {}))
    if (const auto found = stacks_.find(name); found != stacks_.end()) settle(found->second);
  restless_.clear();
  want_offers();
}

/// Lets every marked node move as far as its neighbours allow, until nobody is marked: in launch order, so that whom a
/// node looks at has moved before; under `down` the other way round.
void Core::settle(Stack& stack) {
  std::size_t looks = 0;
  while (!stack.dirty.empty()) {
    look(*stack.order[stack.down() ? *stack.dirty.rbegin() : *stack.dirty.begin()]);
    BANYAN_CHECK(++looks <= 100 + 20 * seen_.size());
  }
  judge_revision(stack);
  for (Node* node : seen_) {
    node->looked = false;
    if (node->counted->met) arrived(*node);
    if (std::exchange(node->touched, false)) save(*node);
    if (std::exchange(node->news, false)) changed_.nodes[stack.name()].insert(node->spec->name);
  }
  seen_.clear();
  schedule(stack);
  end_if_stopped(stack);
}

/// It is where it was to be.
void Core::arrived(Node& node) {
  node.story = 0;
  if (!node.launched_at) return;
  const auto took = milliseconds(now_.mono - *std::exchange(node.launched_at, std::nullopt));
  node.record.set_took_ms(static_cast<std::uint64_t>(std::max<std::int64_t>(1, took)));
  node.touched = node.news = true;
}

void Core::look(Node& node) {
  node.stack->dirty.erase(node.at);
  if (!std::exchange(node.looked, true)) seen_.push_back(&node);
  const State state = node.state;
  const std::size_t phase = node.task.index();
  const bool more = node.stack->down()             ? settle_stopping(node)
                    : node.state == State::waiting ? settle_waiting(node)
                                                   : settle_task(node);
  if (more || node.state != state || node.task.index() != phase) mark(node);
  index(node);
}

/// Enters what has become of a node into every index, and marks those who look at it.
void Core::index(Node& node) {
  auto* wanted = std::get_if<task::Wanted>(&node.task);
  if (wanted != nullptr && connected_ && wanted->after && *wanted->after <= now_.mono) wanted->after.reset();
  if (wanted == nullptr || wanted->after) wanting_.erase(&node);
  else wanted_anew_ |= wanting_.insert(&node).second;
  if (in<task::Unreachable>(node)) silent_.insert(&node);
  else silent_.erase(&node);
  due_.set(node, due_of(node));
  node.stack->tally.replace(node.counted, standing_of(node), node.at);

  const Outside now = outside_of(node);
  if (now == node.outside) return;
  const bool moved = now.endpoints != node.outside.endpoints;
  const bool stopped = now.state == State::stopped && node.outside.state != State::stopped;
  node.outside = now;
  for (Node* dependant : node.dependants) {
    dependant->stale |= moved;
    dependant->news = true;
    if (dependant->story == 0) dependant->story = node.story;
    mark(*dependant);
  }
  for (Node* need : node.needs)
    if (stopped) mark(*need);
}

void Core::schedule(Stack& stack) {
  const bool waits = stack.open() && stack.revision_deadline > now_.mono;
  revisions_due_.set(stack, waits ? std::optional(stack.revision_deadline) : std::nullopt);
}

/// Before its nodes change places, or end.
void Core::unindex(Stack& stack) {
  for (auto& [node_name, node] : stack.nodes) {
    wanting_.erase(&node);
    silent_.erase(&node);
    due_.set(node, std::nullopt);
    node.counted.reset();
  }
  stack.dirty.clear();
  stack.tally = {};
}

void Core::end_if_stopped(Stack& stack) {
  if (!stack.down() || stack.tally.stopped != stack.order.size()) return;
  const std::string name = stack.name();
  for (auto& [node_name, node] : stack.nodes) {
    if (node.ending) tasks_.erase(node.ending->executor);
    past_[name + "." + node_name] = node.record;
  }
  unindex(stack);
  revisions_due_.set(stack, std::nullopt);
  changes_.push_back({"stack/" + name, std::nullopt});
  const StackRecord old = stack.record;
  record_event(name, "stack.stopped", "", "down");
  stacks_.erase(name);
  drop_configs(old);
  changed_.everything = true;
}

/// The next moment at which something of this node is due. What is past has been dealt with by the look before.
std::optional<Instant> Core::due_of(const Node& node) const {
  std::optional<Instant> next;
  const auto consider = [&](std::optional<Instant> at) {
    if (at && *at > now_.mono && (!next || *at < *next)) next = at;
  };
  if (const auto* known = out(node.task)) {
    consider(known->push_at);
    consider(known->reconcile_at);
  }
  if (const auto* wanted = std::get_if<task::Wanted>(&node.task)) consider(wanted->after);
  if (const auto* drain = std::get_if<stop::Drain>(&node.stop)) consider(drain->deadline);
  if (const auto* teardown = std::get_if<stop::Teardown>(&node.stop)) consider(teardown->retry);
  if (const auto* release = std::get_if<stop::Release>(&node.stop)) consider(release->retry);
  if (node.ending) consider(node.ending->until);
  if (node.stack->down()) return next;
  if (const auto* silent = std::get_if<task::Unreachable>(&node.task)) consider(silent->since + timeouts::lost_agent);
  if (node.state == State::waiting)
    for (std::size_t i = 0; i < node.needs.size(); ++i)
      if (!holds(node, i)) consider(deadline_of(node, i));
  if (node.state == State::launching) consider(node.since + timeouts::launching);
  if (node.state == State::starting || node.state == State::degraded) consider(node.since + node.patience);
  const auto* running = std::get_if<task::Running>(&node.task);
  if (running != nullptr && !node.spec->scheduler.service && !node.record.report().managed())
    consider(running->since + timeouts::silent_child);
  return next;
}

}  // namespace banyan::root
