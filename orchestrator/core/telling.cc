// What executor and root tell each other: reports taken, handovers made when what they are made of changes, and pushed
// until they are acknowledged.
#include <utility>

#include "orchestrator/core/core.h"
#include "orchestrator/core/edges.h"
#include "orchestrator/core/handover.h"
#include "orchestrator/core/report.h"
#include "orchestrator/core/timeouts.h"

namespace banyan::root {
namespace {

std::string words(const google::protobuf::RepeatedPtrField<banyan::Endpoint>& endpoints) {
  std::string text;
  for (const auto& endpoint : endpoints) {
    text += (text.empty() ? "" : "; ") + endpoint.name() + "=";
    for (int i = 0; i < endpoint.addresses_size(); ++i) text += (i == 0 ? "" : ",") + endpoint.addresses(i);
  }
  return text;
}

}  // namespace

void Core::take_report(Node& node, const ChildReport& report) {
  auto& record = node.record;
  auto& running = std::get<task::Running>(node.task);
  const ChildReport old = std::exchange(*record.mutable_report(), report);
  if (!report.has_child() && old.has_child()) {
    *record.mutable_report()->mutable_child() = old.child();
    forget_promises(*record.mutable_report()->mutable_child());
  }
  touch(node);
  // An agent that comes back says again what was not acknowledged: true once, perhaps no more. Only an answer confirms.
  running.confirmed |= !report.has_asker() || report.asker() >= running.asker;
  running.report_wanted = !running.confirmed;
  record.set_heard_ms(milliseconds(now_.wall.time_since_epoch()));

  if (!report.has_pid() && old.has_pid()) node.scheduler_down_since = now_.mono;
  const bool first = !old.has_pid();
  if (report.has_pid() && (first ? record.restarts() + report.restarts() > 0 : report.pid() != old.pid())) {
    const auto down = std::exchange(node.scheduler_down_since, std::nullopt);
    record_event(node, "scheduler.restarted", "pid " + std::to_string(report.pid()),
                 report.restarts() == 0 ? "its task had ended" : "it had died; its executor started it again",
                 down ? now_.mono - *down : Duration{});
  }
  if (report.has_child()) {
    if (merge_endpoints(node.stack->name(), node.spec->name, report.child().endpoints(), record)) {
      ++node.endpoints;
      record_event(node, "node.endpoints", words(record.endpoints()), "");
    }
    record_servers(node, old.child(), report.child());
  }
  const auto version = record.handover_version();
  observe(node, report);
  if (report.gate_closed() && report.handover_version() >= version && node.handover && node.handover->may_start())
    running.gate_stale = true;
  if (old.handover_version() < version && report.handover_version() >= version && version > 1)
    record_event(node, "handover.taken", "version " + std::to_string(version), "");
  if (running.report_wanted || report.handover_version() < version ||
      report.restart_number() < record.scheduler_restarts()) {
    if (!running.push_at) running.push_at = now_.mono;
    return;
  }
  running.push_at.reset();
  running.pushes = 0;
}

/// What the child says it has acted on. Another's program acts on everything by being told.
void Core::observe(Node& node, const ChildReport& report) {
  auto& record = node.record;
  if (node.spec->scheduler.service) {
    if (report.has_child()) record.set_observed(report.child().observed());
    return;
  }
  if (report.handover_version() >= record.handover_version() && report.has_pid() &&
      report.restart_number() >= record.scheduler_restarts())
    record.set_observed(node.target);
}

Handover Core::wanted_handover(const Node& node) const {
  std::vector<Dependency> dependencies;
  for (const Node* need : node.needs) {
    Dependency dependency;
    dependency.set_node(need->spec->name);
    *dependency.mutable_endpoints() = need->record.endpoints();
    dependencies.push_back(std::move(dependency));
  }
  Handover wanted = build_handover(setup_, node.stack->name(), *node.spec, node.record, std::move(dependencies));
  wanted.set_may_start(edges_hold(node));
  wanted.set_node_hash(node.target);
  if (in<stop::Drain>(node)) wanted.set_drain(true);
  return wanted;
}

/// A new version when it differs. It is made once for each change of what it is made of, and for nobody else's.
void Core::refresh_handover(Node& node) {
  task::Out* known = out(node.task);
  if (known == nullptr) return;
  auto& record = node.record;
  const bool draining = in<stop::Drain>(node), may_start = edges_hold(node);
  const bool repeat = std::exchange(known->gate_stale, false) && may_start;
  if (node.handover && !node.stale && !repeat && node.handover->may_start() == may_start &&
      node.handover->drain() == draining)
    return;
  node.stale = false;
  Handover wanted = wanted_handover(node);
  const std::string hash = content_hash(wanted);
  const bool same = record.handover_version() > 0 && record.handover_hash() == hash && !repeat;
  const auto version = record.handover_version() + (same ? 0 : 1);
  wanted.set_version(version);
  node.handover = std::move(wanted);
  if (same) return;
  record.set_handover_version(version);
  record.set_handover_hash(hash);
  touch(node);
  if (in<task::Launched>(node) && !draining && version == 1) return;
  known->push_at = now_.mono;
  known->pushes = 0;
  if (version > 1)
    record_event(node, "handover.changed", "version " + std::to_string(version), draining ? "drain" : "");
}

void Core::push(Node& node) {
  const auto& record = node.record;
  task::Out& known = *out(node.task);
  if (in<task::Launched>(node)) {
    known.push_at.reset();  // the task itself carries the handover; its first report starts the push again
    return;
  }
  ToExecutor words_to;
  if (record.report().handover_version() < record.handover_version()) *words_to.mutable_handover() = *node.handover;
  if (known.report_wanted) {
    words_to.set_repeat_report(true);
    words_to.set_asker(known.asker);
  }
  const bool restart = record.report().restart_number() < record.scheduler_restarts();
  if (restart) {
    words_to.set_restart(true);
    words_to.set_restart_number(record.scheduler_restarts());
  }
  if (!node.spec->scheduler.service && (restart || words_to.has_handover()))
    *words_to.mutable_command() = child_command(*node.spec, *node.handover);
  if (!words_to.has_handover() && !known.report_wanted && !restart) {
    known.push_at.reset();
    return;
  }
  mesos::v1::scheduler::Call call;
  call.set_type(mesos::v1::scheduler::Call::MESSAGE);
  call.mutable_message()->mutable_agent_id()->set_value(record.agent_id());
  call.mutable_message()->mutable_executor_id()->set_value(record.task_id());
  call.mutable_message()->set_data(words_to.SerializeAsString());
  send(call);
  known.push_at = now_.mono + timeouts::push.wait(known.pushes);
  ++known.pushes;
}

}  // namespace banyan::root
