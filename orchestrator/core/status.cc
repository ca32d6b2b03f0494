// What the core knows, as people and programs read it.
#include <algorithm>

#include "orchestrator/core/core.h"
#include "orchestrator/core/edges.h"
#include "orchestrator/core/words.h"
#include "specs/names.h"

namespace banyan::root {
namespace {

void fill_tasks(const NodeRecord& record, banyan::root::NodeStatus& wire) {
  for (const auto& server : record.report().child().servers()) {
    auto* task = wire.add_tasks();
    task->set_id(server.task_id());
    task->set_name(server.name());
    task->set_state(server.state());
    task->set_pid(server.pid());
    task->set_agent(server.agent_id());
    task->set_reason(server.reason());
    task->set_restarts(server.restarts());
    *task->mutable_addresses() = server.addresses();
    task->set_launched(server.launched());
    *task->mutable_launched_with() = server.launched_with();
    task->set_ports_unseen(server.ports_unseen());
  }
}

}  // namespace

banyan::root::NodeStatus Core::status_of(const Node& node, Now now) const {
  static constexpr std::string_view phases[std::variant_size_v<Task>] = {"none", "waiting", "launching", "running",
                                                                         "unreachable"};
  const auto& record = node.record;
  const Stack& stack = *node.stack;
  banyan::root::NodeStatus wire;
  wire.set_name(node.spec->name);
  wire.set_state(std::string(name(node.state)));
  wire.set_reason(node.state == State::serving || node.state == State::completed ? "" : record.reason());
  wire.set_since_ms(static_cast<std::uint64_t>(std::max<std::int64_t>(0, milliseconds(now.mono - node.since))));
  wire.set_timed_out(record.timed_out());
  auto& scheduler = *wire.mutable_scheduler();
  scheduler.set_pid(record.report().pid());
  if (record.used())
    scheduler.set_framework_id(specs::framework_id(stack.name(), node.spec->name, record.incarnation()));
  scheduler.set_restarts(record.restarts() + record.report().restarts());
  scheduler.set_state(std::string(phases[node.task.index()]));
  scheduler.set_agent(record.agent_id());
  scheduler.set_task_id(record.task_id());
  fill_tasks(record, wire);
  for (const auto& known : record.endpoints()) {
    auto* endpoint = wire.add_endpoints();
    endpoint->set_name(known.name());
    *endpoint->mutable_addresses() = known.addresses();
    endpoint->set_service_name(known.service_name());
  }
  for (std::size_t i = 0; i < node.needs.size(); ++i) {
    const auto& spec = node.spec->edges[i];
    auto* edge = wire.add_edges();
    edge->set_on(spec.on);
    edge->set_condition(word(spec.condition));
    edge->set_holds(holds(node, i));
    edge->set_origin((spec.origin.empty() ? "depends_on" : spec.origin) + " at " +
                     (spec.file.empty() ? stack.record.file() : spec.file) + ":" + std::to_string(spec.at.line) + ":" +
                     std::to_string(spec.at.column));
    edge->set_required(spec.required);
    edge->set_timeout_ms(static_cast<std::uint64_t>(milliseconds(spec.timeout)));
  }
  wire.set_handover_version(record.handover_version());
  wire.set_handover_acknowledged(record.report().handover_version());
  wire.set_took_ms(record.took_ms());
  wire.set_goal(word(node.spec->goal));
  wire.set_target(node.target);
  wire.set_observed(record.observed());
  wire.set_confirmed(confirmed(node));
  if (!confirmed(node) && record.heard_ms() != 0)
    wire.set_heard_ms(static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, milliseconds(now.wall.time_since_epoch()) - record.heard_ms())));
  wire.set_cause_node(record.cause_node());
  wire.set_met(met(node));
  return wire;
}

/// All of a stack but its nodes.
void Core::fill(const Stack& stack, Now now, StackStatus& wire) const {
  const Tally& tally = stack.tally;
  wire.set_name(stack.name());
  wire.set_state(stack.down()           ? "stopping"
                 : tally.given_up > 0   ? "failed"
                 : tally.degraded > 0   ? "degraded"
                 : tally.unsettled == 0 ? "serving"
                                        : "starting");
  *wire.mutable_revision() = shown(stack, now);
}

Status Core::status(Now now, const std::string& wanted) const {
  Status status;
  status.set_connected(connected_);
  for (const auto& [stack_name, stack] : stacks_) {
    if (!wanted.empty() && stack_name != wanted) continue;
    auto* wire = status.add_stacks();
    fill(stack, now, *wire);
    for (const Node* node : stack.order) *wire->add_nodes() = status_of(*node, now);
  }
  for (const auto& [stack_name, why] : unreadable_) {
    if (!wanted.empty() && stack_name != wanted) continue;
    auto* wire = status.add_stacks();
    wire->set_name(stack_name);
    wire->set_state("unreadable");
    wire->mutable_revision()->set_reason(why);
  }
  return status;
}

Status Core::status(Now now, const std::string& wanted, const StatusChanged& changed) const {
  if (changed.everything) return status(now, wanted);
  Status status;
  status.set_delta(true);
  status.set_connected(connected_);
  for (const auto& [stack_name, nodes] : changed.nodes) {
    const auto stack = stacks_.find(stack_name);
    if (stack == stacks_.end() || (!wanted.empty() && stack_name != wanted)) continue;
    auto* wire = status.add_stacks();
    fill(stack->second, now, *wire);
    for (const auto& node : nodes) *wire->add_nodes() = status_of(stack->second.nodes.at(node), now);
  }
  return status;
}

std::string Core::summary() const {
  std::string text;
  for (const auto& [stack_name, stack] : stacks_) {
    text += (text.empty() ? "" : "\n") + stack_name + ":";
    for (const Node* node : stack.order) text += " " + node->spec->name + "=" + std::string(name(node->state));
  }
  return text;
}

}  // namespace banyan::root
