// What holds after every step. Nothing here trusts an index: each is counted afresh.
#include "orchestrator/core/core.h"
#include "orchestrator/core/edges.h"
#include "orchestrator/core/handover.h"
#include "runtime/base/check.h"

namespace banyan::root {

void Core::check_invariants() const {
  std::size_t due = 0, wanting = 0, silent = 0, ids = 0, revisions = 0;
  for (const auto& [stack_name, stack] : stacks_) {
    BANYAN_CHECK(!stack.open() || !stack.down());
    check_indexes(stack);
    revisions += stack.due ? 1 : 0;
    for (const Node* node : stack.order) {
      check_node(*node);
      check_rest(*node);
      due += node->due ? 1 : 0;
      wanting += wanting_.contains(const_cast<Node*>(node)) ? 1 : 0;
      silent += in<task::Unreachable>(*node) ? 1 : 0;
      ids += (out(node->task) != nullptr ? 1 : 0) + (node->ending ? 1 : 0);
    }
  }
  // No entry is left of a node that is gone.
  BANYAN_CHECK(due == due_.size() && revisions == revisions_due_.size());
  BANYAN_CHECK(wanting == wanting_.size() && silent == silent_.size() && ids == tasks_.size());
  BANYAN_CHECK(restless_.empty() || !connected_ || !stacks_.empty());
}

void Core::check_node(const Node& node) const {
  const bool known = out(node.task) != nullptr;
  BANYAN_CHECK(known == !node.record.task_id().empty());
  BANYAN_CHECK(!known || node.record.used());
  BANYAN_CHECK(node.record.state() == name(node.state));
  BANYAN_CHECK(node.state != State::stopped || in<task::None>(node));
  BANYAN_CHECK(node.state != State::waiting || in<task::None>(node));
  BANYAN_CHECK((node.state == State::stopping) == !in<std::monostate>(node));
  BANYAN_CHECK(node.record.handover_version() >= node.record.report().handover_version());
  // Teardown is the reverse: nothing stops before all that need it have stopped.
  if (node.state == State::stopping || (node.stack->down() && node.state == State::stopped))
    for (const Node* dependant : node.dependants) BANYAN_CHECK(dependant->state == State::stopped);
}

void Core::check_indexes(const Stack& stack) const {
  BANYAN_CHECK(stack.order.size() == stack.nodes.size());
  Tally tally;
  for (const Node* node : stack.order) {
    BANYAN_CHECK(stack.order[node->at] == node && node->spec == &stack.spec.nodes[node->at]);
    std::optional<Standing> counted;
    tally.replace(counted, standing_of(*node), node->at);
    const auto* wanted = std::get_if<task::Wanted>(&node->task);
    BANYAN_CHECK(wanting_.contains(const_cast<Node*>(node)) == (wanted != nullptr && !wanted->after));
    BANYAN_CHECK(silent_.contains(const_cast<Node*>(node)) == in<task::Unreachable>(*node));
    if (out(node->task) != nullptr) BANYAN_CHECK(tasks_.at(node->record.task_id()) == node);
    if (node->ending) BANYAN_CHECK(tasks_.at(node->ending->executor) == node);
    BANYAN_CHECK(node->outside == outside_of(*node));
  }
  BANYAN_CHECK(tally == stack.tally);
}

/// Another look would find nothing to do: who should have been marked was.
void Core::check_rest(const Node& node) const {
  const Stack& stack = *node.stack;
  BANYAN_CHECK(stack.dirty.empty() && !node.touched && !node.looked && !node.news);
  // Frozen, what was due stays due: it is looked at when the master is back.
  if (connected_) BANYAN_CHECK(node.due == due_of(node));
  if (stack.down()) return;
  if (node.state == State::waiting) {
    const Wait wait = wait_of(node);
    BANYAN_CHECK(wait.verdict == Wait::Verdict::wait && wait.text == node.record.reason());
    return;
  }
  const auto target = judge(node).first;
  const bool sticky = given_up(node) || node.state == State::completed;
  BANYAN_CHECK(sticky || target == node.state);
  BANYAN_CHECK(!node.record.failed_for_need() || any_broken(node));
  if (out(node.task) != nullptr)
    BANYAN_CHECK(node.handover && node.record.handover_hash() == content_hash(wanted_handover(node)) &&
                 node.record.handover_hash() == content_hash(*node.handover));
}

}  // namespace banyan::root
