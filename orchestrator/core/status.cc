// What the core knows, as people and programs read it.
#include "orchestrator/core/core.h"
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

banyan::root::NodeStatus Core::status_of(const Stack& stack, const Node& node) const {
  static constexpr std::string_view phases[] = {"none", "waiting", "launching", "running", "unreachable"};
  const auto& record = node.record;
  banyan::root::NodeStatus wire;
  wire.set_name(node.spec->name);
  wire.set_state(std::string(name(node.state)));
  wire.set_reason(node.state == State::serving || node.state == State::completed ? "" : record.reason());
  wire.set_since_ms(static_cast<std::uint64_t>(milliseconds(now_.mono - node.since)));
  wire.set_timed_out(node.timed_out);
  auto& scheduler = *wire.mutable_scheduler();
  scheduler.set_pid(record.report().pid());
  if (record.used())
    scheduler.set_framework_id(specs::framework_id(stack.spec.name, node.spec->name, record.incarnation()));
  scheduler.set_restarts(record.restarts() + record.report().restarts());
  scheduler.set_state(std::string(phases[static_cast<std::size_t>(node.phase)]));
  scheduler.set_agent(record.agent_id());
  scheduler.set_task_id(record.task_id());
  fill_tasks(record, wire);
  for (const auto& known : record.endpoints()) {
    auto* endpoint = wire.add_endpoints();
    endpoint->set_name(known.name());
    *endpoint->mutable_addresses() = known.addresses();
    endpoint->set_service_name(known.service_name());
  }
  for (const auto& spec : node.spec->edges) {
    auto* edge = wire.add_edges();
    edge->set_on(spec.on);
    edge->set_condition(word(spec.condition));
    edge->set_holds(view(stack, node, spec).holds);
    edge->set_origin((spec.origin.empty() ? "depends_on" : spec.origin) + " at " +
                     (spec.file.empty() ? stack.record.file() : spec.file) + ":" + std::to_string(spec.at.line) + ":" +
                     std::to_string(spec.at.column));
    edge->set_required(spec.required);
    edge->set_timeout_ms(static_cast<std::uint64_t>(milliseconds(spec.timeout)));
  }
  wire.set_handover_version(record.handover().version());
  wire.set_handover_acknowledged(record.report().handover_version());
  wire.set_took_ms(record.took_ms());
  wire.set_goal(word(node.spec->goal));
  wire.set_target(node.target);
  wire.set_observed(record.observed());
  wire.set_confirmed(node.confirmed);
  if (!node.confirmed && node.heard_at)
    wire.set_heard_ms(static_cast<std::uint64_t>(milliseconds(now_.mono - *node.heard_at)));
  wire.set_cause_node(record.cause_node());
  wire.set_met(met(node));
  return wire;
}

Status Core::status(Now now, const std::string& wanted) const {
  Status status;
  status.set_connected(connected_);
  for (const auto& [stack_name, stack] : stacks_) {
    if (!wanted.empty() && stack_name != wanted) continue;
    auto* wire = status.add_stacks();
    wire->set_name(stack_name);
    bool failed = false, degraded = false, settled = true;
    for (const auto& spec : stack.spec.nodes) {
      const Node& node = stack.nodes.at(spec.name);
      auto* node_wire = wire->add_nodes();
      *node_wire = status_of(stack, node);
      node_wire->set_since_ms(
          static_cast<std::uint64_t>(std::max<std::int64_t>(0, milliseconds(now.mono - node.since))));
      failed |= node.state == State::failed || node.state == State::quarantined;
      degraded |= node.state == State::degraded;
      settled &= row(node.state).settled && node.confirmed;
    }
    wire->set_state(stack.record.down() ? "stopping"
                    : failed            ? "failed"
                    : degraded          ? "degraded"
                    : settled           ? "serving"
                                        : "starting");
    *wire->mutable_revision() = shown(stack, now);
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

std::vector<Event> Core::events(const std::string& stack, std::uint64_t after) const {
  std::vector<Event> found;
  for (const auto& event : events_)
    if (event.seq() > after && (stack.empty() || event.stack().empty() || event.stack() == stack))
      found.push_back(event);
  return found;
}

}  // namespace banyan::root
