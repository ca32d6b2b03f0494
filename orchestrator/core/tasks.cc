// Child schedulers as tasks: offers taken, updates heard, handovers pushed, ended tasks launched again.
#include <algorithm>
#include <set>
#include <utility>

#include "orchestrator/core/core.h"
#include "orchestrator/core/handover.h"
#include "orchestrator/core/patience.h"
#include "orchestrator/core/words.h"
#include "runtime/base/task_state.h"
#include "specs/names.h"

namespace banyan::root {
namespace {

using mesos::v1::scheduler::Call;

/// Nothing follows, or nothing is known: both end a task (how long "unknown" is doubted is decided before).
bool terminal(mesos::v1::TaskState state) { return is_terminal(task_state(state)) || state == mesos::v1::TASK_UNKNOWN; }

/// What an offer still has while tasks are being cut from it: thousandths of cpus, bytes of memory; unreserved only.
struct Room {
  std::int64_t cpus_milli = 0;
  std::int64_t mem_bytes = 0;

  explicit Room(const mesos::v1::Offer& offer) {
    for (const auto& resource : offer.resources()) {
      if (resource.reservations_size() > 0 || resource.has_disk()) continue;
      if (resource.name() == "cpus") cpus_milli += static_cast<std::int64_t>(resource.scalar().value() * 1000 + 0.5);
      if (resource.name() == "mem") mem_bytes += static_cast<std::int64_t>(resource.scalar().value() * (1 << 20));
    }
  }

  bool take(const Need& need) {
    if (need.cpus_milli > cpus_milli || need.mem_bytes > mem_bytes) return false;
    cpus_milli -= need.cpus_milli;
    mem_bytes -= need.mem_bytes;
    return true;
  }
};

/// A child that has not spoken since it was started promises nothing; its servers are still the last known ones.
void forget_promises(ChildStatus& child) {
  child.set_serving(false);
  child.clear_completed();
  child.clear_drained();
  child.clear_quarantined();
  child.set_reason("its scheduler was started again and has not reported yet");
}

/// The task of the last report is gone: pid, restarts and handover version were its.
void silence(NodeRecord& record) {
  if (!record.has_report()) return;
  auto& report = *record.mutable_report();
  report.clear_pid();
  report.clear_restarts();
  report.clear_handover_version();
  report.clear_managed();
  if (report.has_child()) forget_promises(*report.mutable_child());
}

std::string words(const google::protobuf::RepeatedPtrField<banyan::Endpoint>& endpoints) {
  std::string text;
  for (const auto& endpoint : endpoints) {
    text += (text.empty() ? "" : "; ") + endpoint.name() + "=";
    for (int i = 0; i < endpoint.addresses_size(); ++i) text += (i == 0 ? "" : ",") + endpoint.addresses(i);
  }
  return text;
}

std::string words(const Room& room) {
  return std::to_string(room.cpus_milli / 1000) + "." + std::to_string(room.cpus_milli % 1000 / 100) + " cpus and " +
         std::to_string(room.mem_bytes >> 20) + " MB";
}

}  // namespace

/// Offers flow while a node wants one, and not otherwise: nobody starves for a root that needs nothing.
void Core::want_offers() {
  if (!connected_) return;
  std::set<std::string> wanting;
  for (auto& [stack_name, stack] : stacks_)
    for (auto& [node_name, node] : stack.nodes) {
      if (node.phase != TaskPhase::wanted) continue;
      if (node.launch_after && *node.launch_after <= now_.mono) node.launch_after.reset();
      if (!node.launch_after) wanting.insert(child_task_id(stack_name, node_name, node.record.attempt()));
    }
  const bool wanted = !wanting.empty();
  // Somebody new: what was declined for those who could not be placed is asked for again.
  const bool news =
      !std::includes(wanting_.begin(), wanting_.end(), wanting.begin(), wanting.end()) && !wanting_.empty();
  wanting_ = std::move(wanting);
  if (wanted == reviving_ && !news) return;
  reviving_ = wanted;
  Call call;
  call.set_type(wanted ? Call::REVIVE : Call::SUPPRESS);
  send(call);
}

void Core::on(const Offered& input) {
  for (const auto& offer : input.offers) {
    Room room(offer);
    std::vector<mesos::v1::TaskInfo> tasks;
    for (auto& [stack_name, stack] : stacks_)
      for (const auto& spec : stack.spec.nodes) {
        Node& node = stack.nodes.at(spec.name);
        if (node.phase != TaskPhase::wanted || node.launch_after) continue;
        if (!room.take(child_need(spec))) {
          explain(node, "its scheduler does not fit the offer of " + offer.hostname() + ", which has " + words(room));
          continue;
        }
        tasks.push_back(launch(stack, node, offer));
      }
    Call call;
    if (tasks.empty()) {
      call.set_type(Call::DECLINE);
      *call.mutable_decline()->add_offer_ids() = offer.id();
    } else {
      call.set_type(Call::ACCEPT);
      *call.mutable_accept()->add_offer_ids() = offer.id();
      auto* operation = call.mutable_accept()->add_operations();
      operation->set_type(mesos::v1::Offer::Operation::LAUNCH);
      for (auto& task : tasks) *operation->mutable_launch()->add_task_infos() = std::move(task);
    }
    send(call);
  }
}

/// The task, written down as being out before ACCEPT leaves.
mesos::v1::TaskInfo Core::launch(Stack& stack, Node& node, const mesos::v1::Offer& offer) {
  auto& record = node.record;
  record.set_attempt(record.attempt() + 1);
  record.set_task_id(child_task_id(stack.spec.name, node.spec->name, record.attempt()));
  record.set_agent_id(offer.agent_id().value());
  record.set_used(true);
  silence(record);
  node.phase = TaskPhase::launched;
  node.phase_since = now_.mono;
  node.launch_after.reset();
  node.dirty = true;
  refresh_handover(stack, node);
  node.push_at.reset();  // the task carries it
  node.report_wanted = false;
  node.reconcile_at = now_.mono + patience::reconcile;
  record.mutable_report()->set_restart_number(record.scheduler_restarts());
  node.confirmed = true;
  explain(node, "its scheduler has been launched");
  node.touched = true;
  changed_ = true;
  effects_.emplace_back(MakeFolder{record.handover().store(), record.handover().user()});
  tell(stack.spec.name, node.spec->name, "scheduler.launched",
       record.task_id() + " on " + offer.hostname() + ", framework " + record.handover().framework_id(),
       record.attempt() > 1 ? "attempt " + std::to_string(record.attempt()) : "");
  return child_task(setup_, stack.spec.name, *node.spec, record, offer.agent_id().value());
}

void Core::on(const Updated& input) {
  const auto& status = input.status;
  if (status.has_uuid()) acknowledge(status);
  const auto [stack, node] = find_task(status.task_id().value());
  if (node == nullptr) {
    // Not ours any more: a task of an earlier attempt, or of a stack that is gone.
    if (terminal(status.state()) || status.state() == mesos::v1::TASK_KILLING) return;
    Call call;
    call.set_type(Call::KILL);
    *call.mutable_kill()->mutable_task_id() = status.task_id();
    if (status.has_agent_id()) *call.mutable_kill()->mutable_agent_id() = status.agent_id();
    send(call);
    return;
  }
  if (status.state() == mesos::v1::TASK_UNKNOWN && node->stop == StopStep::none) {
    // A master that has just come back may not have heard of the agent yet: believed only when it stays that way.
    if (!node->unknown_since) node->unknown_since = now_.mono;
    if (now_.mono - *node->unknown_since < patience::unknown_task) {
      node->reconcile_at = now_.mono + patience::unknown_retry;
      return;
    }
  }
  node->unknown_since.reset();
  node->reconcile_at.reset();
  if (status.state() == mesos::v1::TASK_RUNNING) return task_running(*stack, *node, status);
  if (terminal(status.state())) return task_ended(*stack, *node, status);
  if (status.state() != mesos::v1::TASK_UNREACHABLE) return;
  node->phase = TaskPhase::unreachable;
  node->phase_since = now_.mono;
}

void Core::on(const ExecutorEnded& input) {
  for (auto& [stack_name, stack] : stacks_)
    for (auto& [node_name, node] : stack.nodes)
      if (node.ending_executor == input.executor_id) node.ending_executor.clear();
}

void Core::acknowledge(const mesos::v1::TaskStatus& status) {
  Call call;
  call.set_type(Call::ACKNOWLEDGE);
  *call.mutable_acknowledge()->mutable_agent_id() = status.agent_id();
  *call.mutable_acknowledge()->mutable_task_id() = status.task_id();
  call.mutable_acknowledge()->set_uuid(status.uuid());
  send(call);
}

void Core::kill(const Node& node) {
  Call call;
  call.set_type(Call::KILL);
  call.mutable_kill()->mutable_task_id()->set_value(node.record.task_id());
  call.mutable_kill()->mutable_agent_id()->set_value(node.record.agent_id());
  send(call);
}

void Core::reconcile(const Node& node) {
  Call call;
  call.set_type(Call::RECONCILE);
  auto* task = call.mutable_reconcile()->add_tasks();
  task->mutable_task_id()->set_value(node.record.task_id());
  task->mutable_agent_id()->set_value(node.record.agent_id());
  send(call);
}

void Core::task_running(Stack& stack, Node& node, const mesos::v1::TaskStatus& status) {
  if (node.phase != TaskPhase::running) {
    node.phase = TaskPhase::running;
    node.phase_since = now_.mono;
    changed_ = true;
  }
  ChildReport report;
  if (status.has_data() && report.ParseFromString(status.data())) return take_report(stack, node, report);
  if (status.reason() != mesos::v1::TaskStatus::REASON_RECONCILIATION) return;
  if (node.report_wanted && node.push_at) return;
  node.report_wanted = true;  // reconciliation carries no data
  node.push_at = now_.mono;
}

void Core::take_report(Stack& stack, Node& node, const ChildReport& report) {
  const auto& stack_name = stack.spec.name;
  const auto& node_name = node.spec->name;
  const ChildReport old = node.record.report();
  node.record.mutable_report()->CopyFrom(report);
  if (!report.has_child() && old.has_child()) {
    *node.record.mutable_report()->mutable_child() = old.child();
    forget_promises(*node.record.mutable_report()->mutable_child());
  }
  node.touched = true;
  changed_ = true;
  node.report_wanted = false;
  node.confirmed = true;
  node.heard_at = now_.mono;

  const bool first = !old.has_pid();
  if (report.has_pid() && (first ? node.record.restarts() > 0 : report.pid() != old.pid()))
    tell(stack_name, node_name, "scheduler.restarted", "pid " + std::to_string(report.pid()),
         first ? "its task had ended" : "it had died; its executor started it again");
  if (report.has_child()) {
    if (merge_endpoints(stack_name, node_name, report.child().endpoints(), node.record))
      tell(stack_name, node_name, "node.endpoints", words(node.record.endpoints()), "");
    std::map<std::string, std::pair<std::string, std::string>> before;  // id -> state, pid
    for (const auto& server : old.child().servers())
      before[server.task_id()] = {server.state(), std::to_string(server.pid())};
    for (const auto& server : report.child().servers()) {
      const std::pair<std::string, std::string> present{server.state(), std::to_string(server.pid())};
      if (const auto found = before.find(server.task_id()); found != before.end() && found->second == present) continue;
      tell(stack_name, node_name, "server." + server.state(),
           server.name() + (server.pid() == 0 ? "" : " pid " + present.second), server.reason());
    }
  }
  const auto version = node.record.handover().version();
  observe(node, report);
  if (report.gate_closed() && report.handover_version() >= version && node.record.handover().may_start())
    node.gate_stale = true;
  if (report.handover_version() < version || report.restart_number() < node.record.scheduler_restarts()) {
    if (!node.push_at) node.push_at = now_.mono;
    return;
  }
  if (old.handover_version() < version && version > 1)
    tell(stack_name, node_name, "handover.taken", "version " + std::to_string(version), "");
  node.push_at.reset();
  node.pushes = 0;
}

void Core::task_ended(Stack& stack, Node& node, const mesos::v1::TaskStatus& status) {
  auto& record = node.record;
  const std::string state = mesos::v1::TaskState_Name(status.state()).substr(5);
  const std::string what = status.has_message() ? state + ": " + status.message() : state;
  tell(stack.spec.name, node.spec->name, "scheduler.ended", record.task_id(), what);
  record.set_restarts(record.restarts() + record.report().restarts());
  const bool job_done = !node.spec->scheduler.service && node.spec->goal == specs::Goal::completed;
  const bool completed =
      (record.report().child().completed() || job_done) && status.state() == mesos::v1::TASK_FINISHED;
  const std::string task_id = record.task_id();
  node.drained = node.stop == StopStep::drain && status.state() == mesos::v1::TASK_FINISHED;
  forget_task(node);
  if (stack.record.down()) {
    node.stop_retry.reset();  // now that nothing subscribes any more, the master is asked (again) to forget it
    if (node.stop == StopStep::teardown) node.torn_down = !record.used();
    node.teardown_asked = false;
    const bool outlives = status.reason() != mesos::v1::TaskStatus::REASON_EXECUTOR_TERMINATED &&
                          status.source() == mesos::v1::TaskStatus::SOURCE_EXECUTOR;
    if (outlives) node.ending_executor = task_id;
    node.executor_deadline = now_.mono + patience::executor_end;
    return;
  }
  if (completed && node.state != State::completed) {
    if (job_done) record.set_observed(node.target);
    return move(stack, node, State::completed, "it ended well");
  }
  if (node.state == State::completed) return;
  if (node.state == State::failed || node.state == State::quarantined) return;  // given up already
  const bool own_fault = status.state() == mesos::v1::TASK_FAILED || status.state() == mesos::v1::TASK_FINISHED ||
                         status.state() == mesos::v1::TASK_ERROR;
  relaunch(stack, node, "its scheduler ended: " + what, own_fault);
}

/// The executor has given up or is gone: a new task, new id, same framework id.
void Core::relaunch(Stack& stack, Node& node, const std::string& cause, bool counts) {
  auto& record = node.record;
  const bool proven = node.serving_since && now_.mono - *node.serving_since >= sound_after;
  // One that never speaks "serves" as long as it runs; only staying up proves it.
  const bool was_serving =
      node.state == State::serving && (node.spec->scheduler.service || record.report().managed() || proven);
  if (proven) record.set_deaths(0);
  if (counts && !was_serving) record.set_deaths(record.deaths() + 1);
  record.set_restarts(record.restarts() + 1);
  if (record.deaths() > patience::deaths_max)
    return move(stack, node, State::quarantined,
                "its scheduler died " + std::to_string(record.deaths()) + " times before serving; last: " + cause);
  node.phase = TaskPhase::wanted;
  node.phase_since = now_.mono;
  const bool at_once = was_serving && counts;
  node.launch_after = at_once ? now_.mono : now_.mono + patience::relaunch.wait(record.deaths());
  const State to = record.served() ? State::degraded : State::launching;
  if (node.state != to) move(stack, node, to, cause);
  else explain(node, cause);
}

/// Its agent has been silent for too long: the old scheduler is given up, and killed should it ever come back.
void Core::lose(Stack& stack, Node& node) {
  const std::string why = "its agent has been unreachable for " + words(patience::lost_agent);
  tell(stack.spec.name, node.spec->name, "scheduler.lost", node.record.task_id(), why);
  kill(node);
  forget_task(node);
  if (node.state == State::quarantined || node.state == State::completed) return;
  if (node.state == State::failed) node.record.set_served(false);  // it timed out meanwhile: it begins anew
  node.record.mutable_report()->mutable_child()->clear_servers();
  relaunch(stack, node, why, false);
}

void Core::forget_task(Node& node) {
  node.record.clear_task_id();
  node.record.clear_agent_id();
  silence(node.record);
  node.confirmed = true;
  node.phase = TaskPhase::none;
  node.phase_since = now_.mono;
  node.push_at.reset();
  node.reconcile_at.reset();
  node.report_wanted = false;
  node.pushes = 0;
  node.touched = true;
  changed_ = true;
}

/// What the child says it has acted on. Another's program acts on everything by being told.
void Core::observe(Node& node, const ChildReport& report) {
  auto& record = node.record;
  if (node.spec->scheduler.service) {
    if (report.has_child()) record.set_observed(report.child().observed());
    return;
  }
  if (report.handover_version() >= record.handover().version() && report.has_pid() &&
      report.restart_number() >= record.scheduler_restarts())
    record.set_observed(node.target);
}

void Core::refresh_handover(Stack& stack, Node& node) {
  auto& record = node.record;
  if (record.task_id().empty()) return;
  std::vector<Dependency> dependencies;
  for (const auto& edge : node.spec->edges) {
    Dependency dependency;
    dependency.set_node(edge.on);
    *dependency.mutable_endpoints() = stack.nodes.at(edge.on).record.endpoints();
    dependencies.push_back(std::move(dependency));
  }
  Handover wanted;
  if (node.dirty) {
    wanted = build_handover(setup_, stack.spec.name, *node.spec, record, std::move(dependencies));
  } else {
    wanted = record.handover();
    wanted.clear_dependencies();
    for (auto& dependency : dependencies) *wanted.add_dependencies() = std::move(dependency);
  }
  wanted.set_may_start(edges_hold(stack, node));
  wanted.set_node_hash(node.target = target_of(*node.spec, record));
  const bool draining = node.stop == StopStep::drain;
  if (draining) wanted.set_drain(true);
  else wanted.clear_drain();
  node.dirty = false;
  const bool repeat = std::exchange(node.gate_stale, false) && wanted.may_start();
  if (record.has_handover() && !repeat && same_content(wanted, record.handover())) return;
  const auto version = record.handover().version() + 1;
  wanted.set_version(version);
  *record.mutable_handover() = std::move(wanted);
  node.touched = true;
  changed_ = true;
  if (node.phase == TaskPhase::launched && !draining && version == 1) return;
  node.push_at = now_.mono;
  node.pushes = 0;
  if (version > 1)
    tell(stack.spec.name, node.spec->name, "handover.changed", "version " + std::to_string(version),
         draining ? "drain" : "");
}

void Core::push(Node& node) {
  const auto& record = node.record;
  if (record.task_id().empty() || node.phase == TaskPhase::launched) {
    node.push_at.reset();  // the task itself carries the handover; its first report starts the push again
    return;
  }
  ToExecutor words_to;
  if (record.report().handover_version() < record.handover().version())
    *words_to.mutable_handover() = record.handover();
  if (node.report_wanted) words_to.set_repeat_report(true);
  const bool restart = record.report().restart_number() < record.scheduler_restarts();
  if (restart) {
    words_to.set_restart(true);
    words_to.set_restart_number(record.scheduler_restarts());
  }
  if (!node.spec->scheduler.service && (restart || words_to.has_handover()))
    *words_to.mutable_command() = child_command(*node.spec, record.handover());
  if (!words_to.has_handover() && !node.report_wanted && !restart) {
    node.push_at.reset();
    return;
  }
  Call call;
  call.set_type(Call::MESSAGE);
  call.mutable_message()->mutable_agent_id()->set_value(record.agent_id());
  call.mutable_message()->mutable_executor_id()->set_value(record.task_id());
  call.mutable_message()->set_data(words_to.SerializeAsString());
  send(call);
  node.push_at = now_.mono + patience::push.wait(node.pushes);
  ++node.pushes;
}

}  // namespace banyan::root
