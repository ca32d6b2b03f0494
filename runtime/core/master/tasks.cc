// Tasks: their updates, acknowledgements, kills and reconciliation, and what they use.
#include "runtime/base/check.h"
#include "runtime/core/master/core.h"

namespace banyan::master {
namespace {

constexpr int operation_unknown = 9;     // mesos.v1.OperationState
constexpr std::size_t statuses_max = 8;  // there are no more states to go through

/// What frameworks hear that do not know the finer states.
TaskState for_everyone(TaskState state) {
  switch (state) {
    case TaskState::dropped:
    case TaskState::unreachable:
    case TaskState::gone:
    case TaskState::gone_by_operator:
    case TaskState::unknown: return TaskState::lost;
    default: return state;
  }
}

void keep(std::vector<KnownStatus>& statuses, TaskState state, const Bytes& status) {
  if (!statuses.empty() && statuses.back().state == state) {
    statuses.back().status = status;
    return;
  }
  if (statuses.size() >= statuses_max) statuses.erase(statuses.begin());
  statuses.push_back({state, status});
}

}  // namespace

void Core::report(Framework& framework, events::Report report) {
  if (!framework.capabilities.partition_aware) report.state = for_everyone(report.state);
  tell(framework, std::move(report));
}

void Core::use(Agent& agent, Framework* framework, const std::string& role, const Resources& resources) {
  agent.used += resources;
  if (framework) allocator::add(framework->held[role], resources);
}

void Core::release(Agent& agent, Framework* framework, const std::string& role, const Resources& resources) {
  agent.used -= resources;
  if (framework) allocator::subtract(framework->held[role], resources);
  look_at(agent.id);
}

void Core::set_state(Framework& framework, Task& task, TaskState state) {
  if (is_terminal(task.state)) return;  // nothing follows a terminal state
  const bool held = task.holds_resources();
  task.state = state;
  if (held && !task.holds_resources()) release(state_.agents.at(task.agent), &framework, task.role, task.resources);
}

/// Forgets a task that holds nothing any more, or whose resources are held under another name.
void Core::forget_task(Framework& framework, const TaskId& id) {
  const auto it = framework.tasks.find(id);
  state_.agents.at(it->second.agent).tasks.erase({framework.id, id});
  state_.completed_tasks.push_back({framework.id, std::move(it->second)});
  if (state_.completed_tasks.size() > limits::completed_tasks_max) state_.completed_tasks.pop_front();
  framework.tasks.erase(it);
}

// --- from agents --------------------------------------------------------------------------------------------------

void Core::on(const AgentUpdate& update) {
  Agent* agent = agent_of(update.link);
  if (!agent) return;
  Framework* framework = find_framework(update.framework);
  const auto remains = agent->remains.find({update.framework, update.task});
  if (remains != agent->remains.end() && is_terminal(update.latest)) {
    release(*agent, nullptr, "", remains->second.resources);
    agent->remains.erase(remains);
  }
  if (!framework) {
    // Nobody is left to hear it; the agent must not repeat it for ever.
    if (state_.completed.count(update.framework))
      order(*agent, orders::Acknowledge{update.framework, update.task, update.uuid});
    return;
  }
  if (Task* task = find_task(*framework, update.task); task && task->agent == agent->id) {
    task->reported = true;
    task->forwarded = update.state;
    task->forwarded_uuid = update.uuid;
    keep(task->statuses, update.state, update.status);
    set_state(*framework, *task, update.latest);
  }
  tell(*framework, events::Update{update.status});
}

// --- from schedulers ----------------------------------------------------------------------------------------------

void Core::handle(Framework& framework, CallId call, const calls::Acknowledge& acknowledge) {
  answer(call);
  const Agent* agent = find_agent(acknowledge.agent);
  if (!agent || agent->link == 0) return;  // the agent will send the update again
  order(*agent, orders::Acknowledge{framework.id, acknowledge.task, acknowledge.uuid});
  const Task* task = find_task(framework, acknowledge.task);
  if (task && task->agent == agent->id && is_terminal(task->forwarded) && task->forwarded_uuid == acknowledge.uuid)
    forget_task(framework, acknowledge.task);
}

void Core::handle(Framework& framework, CallId call, const calls::Kill& kill) {
  answer(call);
  Task* task = find_task(framework, kill.task);
  if (!task) return reconcile(framework, {kill.task, kill.agent});
  if (kill.agent && *kill.agent != task->agent) return;
  task->kill = kill.policy;  // said again when the agent returns
  const Agent& agent = state_.agents.at(task->agent);
  if (task->unreachable) return reconcile(framework, {kill.task, task->agent});
  order(agent, orders::KillTask{framework.id, kill.task, kill.policy});
}

void Core::handle(Framework& framework, CallId call, const calls::Shutdown& shutdown) {
  answer(call);
  if (const Agent* agent = find_agent(shutdown.agent))
    order(*agent, orders::ShutdownExecutor{framework.id, shutdown.executor});
}

void Core::handle(Framework& framework, CallId call, const calls::Message& message) {
  answer(call);
  if (const Agent* agent = find_agent(message.agent))
    order(*agent, orders::SchedulerMessage{framework.id, message.executor, message.data});
}

void Core::handle(Framework& framework, CallId call, const calls::Reconcile& call_body) {
  answer(call);
  for (const auto& task : call_body.tasks) reconcile(framework, task);
  if (!call_body.tasks.empty()) return;
  for (const auto& [id, task] : framework.tasks)
    if (!task.unreachable) reconcile(framework, {id, task.agent});
}

void Core::reconcile(Framework& framework, const calls::Reconcile::Task& asked) {
  const auto say = [&](TaskState state, std::string message, AgentId agent, std::optional<WallTime> since, Bytes like) {
    report(framework, {asked.id, state, Reason::reconciliation, "Reconciliation: " + std::move(message),
                       std::move(agent), since, std::move(like)});
  };
  const Agent* agent = asked.agent ? find_agent(*asked.agent) : nullptr;
  if (const Task* task = find_task(framework, asked.id)) {
    const Agent& host = state_.agents.at(task->agent);
    if (task->unreachable)
      return say(TaskState::unreachable, "Task is unreachable", host.id, host.unreachable_since, {});
    return say(task->forwarded, "Latest task state", host.id, {},
               task->statuses.empty() ? Bytes() : task->statuses.back().status);
  }
  bool some_recovered = false;
  for (const auto& [id, other] : state_.agents) some_recovered |= other.phase == Agent::Phase::recovered;
  if (agent ? agent->phase == Agent::Phase::recovered : !asked.agent && some_recovered) return;  // ask again later
  if (agent && agent->present()) return say(TaskState::gone, "Task is unknown to the agent", agent->id, {}, {});
  if (agent && agent->phase == Agent::Phase::unreachable)
    return say(TaskState::unreachable, "Task is unreachable", agent->id, agent->unreachable_since, {});
  say(TaskState::unknown, "Task is unknown", asked.agent.value_or(AgentId()), {}, {});
}

void Core::handle(Framework& framework, CallId call, const calls::ReconcileOperations& call_body) {
  answer(call);
  for (const auto& id : call_body.operations)
    tell(framework, events::OperationReport{id, operation_unknown, "Reconciliation: Operation is unknown", {}});
}

}  // namespace banyan::master
