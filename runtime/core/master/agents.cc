// Agents: how they join, come back, fall silent, and what that means for their tasks.
#include <utility>

#include "runtime/base/check.h"
#include "runtime/core/master/core.h"
#include "runtime/core/master/validation.h"

namespace banyan::master {

// --- joining ------------------------------------------------------------------------------------------------------

std::string Core::admission_error(const AgentRegister& agent) const {
  if (!agent.id.empty())
    if (const auto why = id_error("agent id", agent.id.str()); !why.empty()) return why;
  const auto total = with_checkpointed(agent.declared, agent.checkpointed);
  if (!total) return total.error().message;
  Resources needed;
  std::string clash;
  const auto add = [&](const Resources& resources) {
    for (const auto& resource : resources.without_allocation().list()) {
      if (!needed.accepts(resource)) clash = resource.identity.name;
      if (clash.empty()) needed.add(resource);
    }
  };
  for (const auto& known : agent.tasks)
    if (!is_terminal(known.latest)) add(known.task.resources);
  for (const auto& known : agent.executors) add(known.executor.resources);
  if (!clash.empty()) return "its tasks use '" + clash + "' as amounts of two kinds";
  if (!total->contains(needed))
    return "its tasks and executors use " + needed.str() + ", but it has only " + total->str() +
           "; give it those resources again until they have ended";
  return "";
}

void Core::on(const AgentRegister& known) {
  if (const auto why = admission_error(known); !why.empty()) {
    if (refused_.size() > limits::unreachable_agents_max) refused_.clear();
    if (std::exchange(refused_[known.id], why) != why)  // it tries again and again
      note("agent " + known.id.str() + " at " + known.hostname + " is refused: " + why);
    emit(SendToAgent{known.link, orders::Refused{why}});
    emit(CloseLink{known.link});
    return;
  }
  if (known.epoch_seen > state_.epoch) {  // it obeyed a later master than the store remembers: go past that one
    state_.epoch = known.epoch_seen + 1;
    save({registry::epoch_key(), registry::write_epoch(state_.epoch)});
  }
  refused_.erase(known.id);
  const auto before = state_.agents.find(known.id);
  const bool was_unreachable = before != state_.agents.end() && before->second.phase == Agent::Phase::unreachable;
  Agent& agent = admit(known);
  adopt_frameworks(known);
  std::set<TaskKey> still_there;
  for (const auto& task : known.tasks) still_there.insert({task.framework, task.task.id});
  settle_missing_tasks(agent, still_there);
  set_total(agent, with_checkpointed(known.declared, known.checkpointed).value());

  std::set<FrameworkId> gone;
  const auto check = [&](const FrameworkId& id) {
    if (!state_.frameworks.count(id)) gone.insert(id);
  };
  for (const auto& task : known.tasks) check(task.framework);
  for (const auto& executor : known.executors) check(executor.framework);
  order(agent, orders::Registered{agent.id, state_.epoch, {gone.begin(), gone.end()}});
  adopt_executors(agent, known);
  adopt_tasks(agent, known, was_unreachable);
  look_at(agent.id);
  note("agent " + agent.id.str() + " at " + agent.hostname + " has registered with " + agent.total.str() + ", " +
       std::to_string(agent.tasks.size()) + " tasks");
}

/// The agent's entry, durable and linked, holding nothing: what is there is taken from its list by the caller.
Agent& Core::admit(const AgentRegister& known) {
  const AgentId id = known.id.empty() ? AgentId(state_.master_id + "-S" + std::to_string(next_agent_++)) : known.id;
  Agent& agent = state_.agents[id];
  const bool fresh = agent.id.empty();
  agent.id = id;
  disconnect(agent);  // a former link, if any
  if (fresh || agent.phase == Agent::Phase::unreachable || !agent.info || *agent.info != known.info) {
    save({registry::agent_key(id), registry::write(registry::AgentRecord{known.info, {}})});
    for (auto& [framework_id, framework] : state_.frameworks)
      std::erase_if(framework.filters, [&](const auto& entry) { return entry.first.second == id; });
  }
  release_everything(agent);
  agent.phase = Agent::Phase::registered;
  agent.link = known.link;
  links_[known.link] = id;
  agent.hostname = known.hostname;
  agent.port = known.port;
  agent.version = known.version;
  agent.info = std::make_shared<const std::string>(known.info);
  agent.declared = known.declared;
  agent.last_heard = now_.mono;
  agent.unreachable_since.reset();
  (agent.registered ? agent.reregistered : agent.registered) = now_.wall;
  return agent;
}

void Core::adopt_frameworks(const AgentRegister& known) {
  for (const auto& description : known.frameworks) {
    if (state_.completed.count(description.id) || state_.frameworks.count(description.id)) continue;
    Framework& framework = state_.frameworks[description.id];
    framework.id = description.id;
    describe(framework, description);
    note("framework " + framework.id.str() + " is known from an agent");
  }
}

void Core::adopt_executors(Agent& agent, const AgentRegister& known) {
  for (const auto& [id, executor] : known.executors) {
    const auto [it, fresh] = agent.executors.try_emplace({id, executor.id});
    if (!fresh) continue;
    Framework* framework = find_framework(id);
    std::string role = "*";
    if (!executor.resources.empty()) role = executor.resources.entries().begin()->first.allocation_role;
    it->second = {executor.resources.without_allocation(), role, framework == nullptr, executor.info};
    use(agent, framework, role, it->second.resources);
  }
}

void Core::adopt_tasks(Agent& agent, const AgentRegister& register_, bool was_unreachable) {
  for (const KnownTask& known : register_.tasks) {
    const TaskKey key{known.framework, known.task.id};
    const Resources resources = known.task.resources.without_allocation();
    const ExecutorId executor = known.task.executor ? known.task.executor->id : ExecutorId();
    Framework* framework = find_framework(known.framework);
    Task* task = framework ? find_task(*framework, known.task.id) : nullptr;
    if (!framework || (task && task->agent != agent.id)) {
      // Its framework is gone, or the id runs elsewhere: it holds its resources until it has ended.
      if (framework) order(agent, orders::KillTask{known.framework, known.task.id, {}});
      if (is_terminal(known.latest) || !agent.remains.try_emplace(key, Remains{executor, resources}).second) continue;
      use(agent, nullptr, "", resources);
      continue;
    }
    // A master that has restarted knows no tasks of an agent it took for unreachable, but has called them so.
    const bool returns = task ? task->unreachable : was_unreachable;
    if (!task) {
      task = &framework->tasks[known.task.id];
      task->id = known.task.id;
      task->agent = agent.id;
      task->executor = executor;
      task->role = resources.empty() ? "*" : known.task.resources.entries().begin()->first.allocation_role;
      task->resources = resources;
      task->info = known.task.info;
      agent.tasks.insert(key);
    }
    task->unreachable = false;
    task->reported |= known.latest != TaskState::staging;
    if (!is_terminal(task->state)) task->state = known.latest;
    task->forwarded = known.unacknowledged.value_or(task->state);
    task->forwarded_uuid = known.unacknowledged_uuid;
    if (!known.last_status.empty() && task->statuses.empty())
      task->statuses.push_back({known.latest, known.last_status});
    if (task->holds_resources()) use(agent, framework, task->role, task->resources);
    if (task->kill) order(agent, orders::KillTask{known.framework, known.task.id, *task->kill});
    if (returns)
      report(*framework, {task->id,
                          task->state,
                          Reason::agent_reregistered,
                          "The agent has come back",
                          agent.id,
                          {},
                          task->statuses.empty() ? Bytes() : task->statuses.back().status});
  }
}

/// Tasks that were sent to the agent and that it does not have: their launch was lost on the way, or they ended and
/// their last acknowledgement has reached it.
void Core::settle_missing_tasks(Agent& agent, const std::set<TaskKey>& known) {
  const std::set<TaskKey> mine = agent.tasks;
  for (const auto& key : mine) {
    if (known.count(key)) continue;
    Framework& framework = state_.frameworks.at(key.first);
    Task& task = framework.tasks.at(key.second);
    if (!is_terminal(task.state)) {
      task.state = task.reported ? TaskState::gone : TaskState::dropped;
      report(framework,
             {task.id, task.state, Reason::reconciliation, "Task is unknown to the agent", agent.id, {}, {}});
    }
    forget_task(framework, task.id);
  }
}

// --- leaving ------------------------------------------------------------------------------------------------------

/// As if nothing ran there: before its list is read anew, or when it is lost. Its tasks stay known.
void Core::release_everything(Agent& agent) {
  for (const auto& [id, task_id] : agent.tasks) {
    Framework& framework = state_.frameworks.at(id);
    const Task& task = framework.tasks.at(task_id);
    if (agent.present() && task.holds_resources()) allocator::subtract(framework.held[task.role], task.resources);
  }
  for (const auto& [key, executor] : agent.executors)
    if (Framework* framework = find_framework(key.first); framework && !executor.torn_down)
      allocator::subtract(framework->held[executor.role], executor.resources);
  agent.executors.clear();
  agent.remains.clear();
  agent.used = {};
  set_total(agent, {});
}

void Core::set_total(Agent& agent, const Resources& total) {
  allocator::subtract(state_.total, agent.total);
  agent.total = total;
  allocator::add(state_.total, agent.total);
}

void Core::disconnect(Agent& agent) {
  if (agent.link == 0) return;
  rescind_all(agent);
  emit(CloseLink{agent.link});
  links_.erase(agent.link);
  agent.link = 0;
  agent.phase = Agent::Phase::disconnected;
  fail_applying(agent, "The agent has disconnected");
}

void Core::fail_applying(Agent& agent, const std::string& why) {
  for (const auto& [uuid, what] : std::exchange(agent.applying, {}))
    if (what.call) answer(*what.call, 409, why);
}

void Core::on(const AgentClosed& closed) {
  const auto it = links_.find(closed.link);
  if (it == links_.end()) return;
  Agent& agent = state_.agents.at(it->second);
  note("agent " + agent.id.str() + " has disconnected");
  disconnect(agent);
}

void Core::mark_unreachable(Agent& agent) {
  disconnect(agent);
  note("agent " + agent.id.str() + " at " + agent.hostname + " is unreachable");
  release_everything(agent);
  agent.phase = Agent::Phase::unreachable;
  agent.unreachable_since = now_.wall;
  save({registry::agent_key(agent.id), registry::write(registry::AgentRecord{*agent.info, now_.wall})});
  for (const auto& [id, task_id] : agent.tasks) {
    Framework& framework = state_.frameworks.at(id);
    Task& task = framework.tasks.at(task_id);
    if (is_terminal(task.state)) continue;
    task.unreachable = true;
    report(framework, {task.id,
                       TaskState::unreachable,
                       Reason::agent_removed,
                       "The agent is unreachable",
                       agent.id,
                       agent.unreachable_since,
                       {}});
  }
  for (const auto& [id, framework] : state_.frameworks) tell(framework, events::Failure{agent.id, {}, {}});
}

// --- small messages -----------------------------------------------------------------------------------------------

void Core::on(const AgentPonged& pong) { agent_of(pong.link); }

void Core::on(const AgentExecutorMessage& message) {
  const Agent* agent = agent_of(message.link);
  const Framework* framework = find_framework(message.framework);
  if (agent && framework) tell(*framework, events::Message{agent->id, message.executor, message.data});
}

void Core::on(const AgentExecutorExited& exited) {
  Agent* agent = agent_of(exited.link);
  if (!agent) return;
  Framework* framework = find_framework(exited.framework);
  for (auto it = agent->remains.begin(); it != agent->remains.end();) {
    const auto& [id, task] = it->first;
    const bool ended =
        id == exited.framework && (it->second.executor == exited.executor || task.str() == exited.executor.str());
    if (ended) release(*agent, nullptr, "", it->second.resources);
    it = ended ? agent->remains.erase(it) : std::next(it);
  }
  const auto it = agent->executors.find({exited.framework, exited.executor});
  if (it == agent->executors.end()) return;
  release(*agent, it->second.torn_down ? nullptr : framework, it->second.role, it->second.resources);
  agent->executors.erase(it);
  if (framework) tell(*framework, events::Failure{agent->id, exited.executor, exited.wait_status});
}

}  // namespace banyan::master
