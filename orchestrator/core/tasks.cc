// Child schedulers as tasks: offers taken, updates heard, ended tasks launched again.
#include <utility>

#include "orchestrator/core/core.h"
#include "orchestrator/core/handover.h"
#include "orchestrator/core/report.h"
#include "orchestrator/core/timeouts.h"
#include "orchestrator/core/words.h"
#include "runtime/base/task_state.h"

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

std::string words(std::int64_t cpus_milli, std::int64_t mem_bytes) {
  return words_of_cpus(cpus_milli) + " and " + words_of_bytes(mem_bytes);
}

/// Who holds what the root has launched so far: a cluster that seems empty is often full of schedulers.
template <class Stacks>
std::string holders(const Stacks& stacks) {
  std::size_t count = 0;
  Need held;
  for (const auto& [name, stack] : stacks)
    for (const auto* node : stack.order) {
      if (node->record.task_id().empty()) continue;
      const Need need = child_need(*node->spec);
      held.cpus_milli += need.cpus_milli;
      held.mem_bytes += need.mem_bytes;
      ++count;
    }
  if (count == 0) return "";
  return "; " + std::to_string(count) + (count == 1 ? " scheduler holds " : " schedulers hold ") +
         words(held.cpus_milli, held.mem_bytes) + ", servers hold more";
}

}  // namespace

/// Offers flow while a node wants one, and not otherwise: nobody starves for a root that needs nothing.
void Core::want_offers() {
  if (!connected_) return;
  const bool wanted = !wanting_.empty();
  // Somebody new: what was declined for those who could not be placed is asked for again.
  const bool news = std::exchange(wanted_anew_, false) && wanted_before_ && wanted;
  wanted_before_ = wanted;
  if (wanted == reviving_ && !news) return;
  reviving_ = wanted;
  Call call;
  call.set_type(wanted ? Call::REVIVE : Call::SUPPRESS);
  send(call);
}

void Core::on(const Offered& input) {
  std::optional<std::string> held;  // counted for the first that does not fit
  for (const auto& offer : input.offers) {
    Room room(offer);
    std::vector<mesos::v1::TaskInfo> tasks;
    const std::vector<Node*> wanting(wanting_.begin(), wanting_.end());
    for (Node* node : wanting) {
      if (!in<task::Wanted>(*node)) continue;  // an earlier offer was taken for it
      const Need need = child_need(*node->spec);
      if (!room.take(need)) {
        if (!held) held = holders(stacks_);
        explain(*node, "its scheduler needs " + words(need.cpus_milli, need.mem_bytes) + ", and " + offer.hostname() +
                           " has " + words(room.cpus_milli, room.mem_bytes) + " left" + *held);
        continue;
      }
      tasks.push_back(launch(*node, offer));
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
mesos::v1::TaskInfo Core::launch(Node& node, const mesos::v1::Offer& offer) {
  auto& record = node.record;
  const auto& stack = node.stack->name();
  record.set_attempt(record.attempt() + 1);
  record.set_task_id(child_task_id(stack, node.spec->name, record.attempt()));
  record.set_agent_id(offer.agent_id().value());
  record.set_used(true);
  silence(record);
  tasks_[record.task_id()] = &node;
  node.task = task::Launched{};
  node.stale = true;
  refresh_handover(node);
  auto& launched = std::get<task::Launched>(node.task);
  launched.push_at.reset();  // the task carries it
  launched.reconcile_at = now_.mono + timeouts::reconcile;
  record.mutable_report()->set_restart_number(record.scheduler_restarts());
  explain(node, "its scheduler has been launched");
  touch(node);
  effects_.emplace_back(MakeFolder{node.handover->store(), node.handover->user()});
  record_event(node, "scheduler.launched",
               record.task_id() + " on " + offer.hostname() + ", framework " + node.handover->framework_id(),
               record.attempt() > 1 ? "attempt " + std::to_string(record.attempt()) : "");
  return child_task(setup_, node, offer.agent_id().value());
}

void Core::on(const Updated& input) {
  const auto& status = input.status;
  if (status.has_uuid()) acknowledge(status);
  const auto found = tasks_.find(status.task_id().value());
  if (found == tasks_.end() || found->second->record.task_id() != found->first) {
    // Not ours any more: a task of an earlier attempt, or of a stack that is gone.
    if (terminal(status.state()) || status.state() == mesos::v1::TASK_KILLING) return;
    Call call;
    call.set_type(Call::KILL);
    *call.mutable_kill()->mutable_task_id() = status.task_id();
    if (status.has_agent_id()) *call.mutable_kill()->mutable_agent_id() = status.agent_id();
    send(call);
    return;
  }
  Node& node = *found->second;
  task::Out& known = *out(node.task);
  mark(node);
  if (status.state() == mesos::v1::TASK_UNKNOWN && in<std::monostate>(node)) {
    // A master that has just come back may not have heard of the agent yet: believed only when it stays that way.
    if (!known.unknown_since) known.unknown_since = now_.mono;
    if (now_.mono - *known.unknown_since < timeouts::unknown_task) {
      known.reconcile_at = now_.mono + timeouts::unknown_retry;
      return;
    }
  }
  known.unknown_since.reset();
  known.reconcile_at.reset();
  if (status.state() == mesos::v1::TASK_RUNNING) return task_running(node, status);
  if (terminal(status.state())) return task_ended(node, status);
  if (status.state() == mesos::v1::TASK_UNREACHABLE) task_unreachable(node);
}

void Core::on(const ExecutorEnded& input) {
  const auto found = tasks_.find(input.executor_id);
  if (found == tasks_.end() || !found->second->ending || found->second->ending->executor != input.executor_id) return;
  Node& node = *found->second;
  node.ending.reset();
  tasks_.erase(found);
  mark(node);
}

/// What it means for nodes comes as updates of their tasks.
void Core::on(const AgentLost& input) { record_event("", "agent.lost", input.agent_id, "the master has lost it"); }

void Core::on(const AgentsRefused& input) {
  if (std::exchange(refused_, input.text) == input.text) return;
  for (Node* node : wanting_) {
    explain(*node, waits_for_an_offer);
    mark(*node);
  }
  for (Node* node : silent_) mark(*node);
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

void Core::task_running(Node& node, const mesos::v1::TaskStatus& status) {
  if (!in<task::Running>(node)) {
    task::Out known = *out(node.task);
    if (const auto* away = std::get_if<task::Unreachable>(&node.task)) {
      record_event(node, "scheduler.reachable", node.record.task_id(), "its agent is back", now_.mono - away->since);
      known.confirmed = false;
      known.asker = event_seq_;
      known.report_wanted = true;
      known.push_at = now_.mono;
    }
    node.task = task::Running{known, now_.mono};
    node.news = true;
  }
  ChildReport report;
  if (status.has_data() && report.ParseFromString(status.data())) return take_report(node, report);
  if (status.reason() != mesos::v1::TaskStatus::REASON_RECONCILIATION) return;
  auto& running = std::get<task::Running>(node.task);
  if (running.report_wanted && running.push_at) return;
  running.report_wanted = true;  // reconciliation carries no data
  running.push_at = now_.mono;
}

void Core::task_unreachable(Node& node) {
  if (in<task::Unreachable>(node)) return;
  record_event(node, "scheduler.unreachable", node.record.task_id(), "agent " + node.record.agent_id() + " is silent");
  node.task = task::Unreachable{*out(node.task), now_.mono};
  node.news = true;
}

void Core::task_ended(Node& node, const mesos::v1::TaskStatus& status) {
  auto& record = node.record;
  const std::string state = mesos::v1::TaskState_Name(status.state()).substr(5);
  const std::string what = status.has_message() ? state + ": " + status.message() : state;
  record_event(node, "scheduler.ended", record.task_id(), what);
  record.set_restarts(record.restarts() + record.report().restarts());
  const bool job_done = !node.spec->scheduler.service && node.spec->goal == specs::Goal::completed;
  const bool finished = status.state() == mesos::v1::TASK_FINISHED;
  const bool completed = (record.report().child().completed() || job_done) && finished;
  const std::string task_id = record.task_id();
  forget_task(node);
  if (node.state == State::stopping || node.state == State::stopped) {
    if (auto* drain = std::get_if<stop::Drain>(&node.stop)) drain->drained = finished;
    // Now that nothing subscribes any more, the master is asked (again) to forget it.
    if (in<stop::Teardown>(node)) node.stop = stop::Teardown{!record.used(), false, {}};
    const bool outlives = status.reason() != mesos::v1::TaskStatus::REASON_EXECUTOR_TERMINATED &&
                          status.source() == mesos::v1::TaskStatus::SOURCE_EXECUTOR;
    if (!outlives) return;
    if (node.ending) tasks_.erase(node.ending->executor);
    node.ending = Node::Ending{task_id, now_.mono + timeouts::executor_end};
    tasks_[task_id] = &node;
    return;
  }
  if (completed && node.state != State::completed) {
    if (job_done) record.set_observed(node.target);
    return move(node, State::completed, "it ended well");
  }
  if (node.state == State::completed || given_up(node)) return;
  node.scheduler_down_since = now_.mono;
  const bool own_fault =
      finished || status.state() == mesos::v1::TASK_FAILED || status.state() == mesos::v1::TASK_ERROR;
  relaunch(node, "its scheduler ended: " + what, own_fault);
}

/// The executor has given up or is gone: a new task, new id, same framework id.
void Core::relaunch(Node& node, const std::string& cause, bool counts) {
  auto& record = node.record;
  const bool proven = node.serving_since && now_.mono - *node.serving_since >= sound_after;
  // One that never speaks "serves" as long as it runs; only staying up proves it.
  const bool was_serving =
      node.state == State::serving && (node.spec->scheduler.service || record.report().managed() || proven);
  if (proven) record.set_deaths(0);
  if (counts && !was_serving) record.set_deaths(record.deaths() + 1);
  record.set_restarts(record.restarts() + 1);
  if (record.deaths() > timeouts::deaths_max)
    return move(node, State::quarantined,
                "its scheduler died " + std::to_string(record.deaths()) + " times before serving; last: " + cause);
  const bool at_once = was_serving && counts;
  node.task = task::Wanted{at_once ? now_.mono : now_.mono + timeouts::relaunch.wait(record.deaths())};
  const State to = record.served() ? State::degraded : State::launching;
  if (node.state != to) move(node, to, cause);
  else explain(node, cause);
}

/// Its agent has been silent for too long: the old scheduler is given up, and killed should it ever come back.
void Core::lose(Node& node) {
  const std::string why = "its agent has been unreachable for " + words(timeouts::lost_agent);
  record_event(node, "scheduler.lost", node.record.task_id(), why);
  kill(node);
  forget_task(node);
  if (node.state == State::quarantined || node.state == State::completed) return;
  if (node.state == State::failed) node.record.set_served(false);  // it timed out meanwhile: it begins anew
  node.record.mutable_report()->mutable_child()->clear_servers();
  relaunch(node, why, false);
}

void Core::forget_task(Node& node) {
  tasks_.erase(node.record.task_id());
  node.record.clear_task_id();
  node.record.clear_agent_id();
  silence(node.record);
  node.task = task::None{};
  touch(node);
}

}  // namespace banyan::root
