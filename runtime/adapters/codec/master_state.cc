#include "runtime/adapters/codec/master_state.h"

#include "runtime/adapters/codec/master_descriptions.h"
#include "runtime/adapters/codec/master_events.h"
#include "runtime/adapters/codec/resources.h"

namespace banyan::codec {
namespace {

using mesos::v1::master::Response;
using ResourceList = google::protobuf::RepeatedPtrField<mesos::v1::Resource>;

/// `field` is made only when the time is known: TimeInfo has a required field (a restarted master knows no times).
template <class Message>
void set_time(const std::optional<WallTime>& time, Message* out, mesos::v1::TimeInfo* (Message::*field)()) {
  if (time) (out->*field)()->set_nanoseconds(time->time_since_epoch().count());
}

/// Resources of tasks, executors and offers, each marked with the role it is allocated to.
struct Allocation {
  Resources used;
  Resources offered;
};
using ByAgent = std::map<AgentId, Allocation>;
using ByFramework = std::map<FrameworkId, Allocation>;

/// Agents may disagree about what kind of amount a name has: such a resource is left out of a framework's sum.
void add_up(Resources& sum, const Resources& more) {
  for (const auto& [identity, amount] : more.entries())
    if (Resource r{identity, amount}; sum.accepts(r)) sum.add(r);
}

void allocations(const master::State& state, ByAgent& agents, ByFramework& frameworks) {
  for (const auto& [id, framework] : state.frameworks) {
    for (const auto& [task_id, task] : framework.tasks) {
      if (!task.holds_resources()) continue;
      const Resources marked = task.resources.with_allocation(task.role);
      agents[task.agent].used += marked;
      add_up(frameworks[id].used, marked);
    }
  }
  for (const auto& [id, agent] : state.agents) {
    for (const auto& [key, executor] : agent.executors) {
      const Resources marked = executor.resources.with_allocation(executor.role);
      agents[id].used += marked;
      add_up(frameworks[key.first].used, marked);
    }
    for (const auto& [key, remains] : agent.remains) agents[id].used += remains.resources.with_allocation("*");
  }
  for (const auto& [id, offer] : state.offers) {
    const Resources marked = offer.resources.with_allocation(offer.role);
    agents[offer.agent].offered += marked;
    add_up(frameworks[offer.framework].offered, marked);
  }
}

void show(const Resources& resources, ResourceList* out) { encode(resources, ResourceFormat::operator_, out); }

void add_capabilities(Response::GetAgents::Agent* agent) {
  using Capability = mesos::v1::AgentInfo::Capability;
  for (const auto type : {Capability::MULTI_ROLE, Capability::HIERARCHICAL_ROLE, Capability::RESERVATION_REFINEMENT})
    agent->add_capabilities()->set_type(type);
}

mesos::v1::AgentInfo info_of(const master::Agent& agent) {
  auto info = parse<mesos::v1::AgentInfo>(*agent.info);
  info.mutable_id()->set_value(agent.id.str());
  return info;
}

mesos::v1::FrameworkInfo info_of(const FrameworkId& id, const master::SharedBytes& bytes) {
  auto info = parse<mesos::v1::FrameworkInfo>(*bytes);
  info.mutable_id()->set_value(id.str());
  return info;
}

mesos::v1::Task show_task(const FrameworkId& framework, const master::Task& task) {
  auto info = parse<mesos::v1::TaskInfo>(task.info);
  mesos::v1::Task shown;
  shown.set_name(info.name());
  shown.mutable_task_id()->set_value(task.id.str());
  shown.mutable_framework_id()->set_value(framework.str());
  if (!task.executor.empty()) shown.mutable_executor_id()->set_value(task.executor.str());
  shown.mutable_agent_id()->set_value(task.agent.str());
  shown.set_state(task.unreachable ? mesos::v1::TASK_UNREACHABLE : static_cast<mesos::v1::TaskState>(task.state));
  encode(task.resources.with_allocation(task.role), ResourceFormat::refined, shown.mutable_resources());
  for (const auto& known : task.statuses) shown.add_statuses()->ParsePartialFromString(known.status);
  if (task.reported) shown.set_status_update_state(static_cast<mesos::v1::TaskState>(task.forwarded));
  if (!task.forwarded_uuid.empty()) shown.set_status_update_uuid(task.forwarded_uuid);
  if (info.has_labels()) shown.mutable_labels()->Swap(info.mutable_labels());
  if (info.has_discovery()) shown.mutable_discovery()->Swap(info.mutable_discovery());
  if (info.has_container()) shown.mutable_container()->Swap(info.mutable_container());
  if (info.has_health_check()) shown.mutable_health_check()->Swap(info.mutable_health_check());
  if (info.has_kill_policy()) shown.mutable_kill_policy()->Swap(info.mutable_kill_policy());
  const auto& command = info.has_command() ? info.command() : info.executor().command();
  if (command.has_user()) shown.set_user(command.user());
  return shown;
}

}  // namespace

Response::GetAgents show_agents(const master::State& state) {
  ByAgent agents;
  ByFramework frameworks;
  allocations(state, agents, frameworks);
  Response::GetAgents shown;
  for (const auto& [id, agent] : state.agents) {
    if (agent.phase == master::Agent::Phase::recovered) *shown.add_recovered_agents() = info_of(agent);
    if (!agent.present()) continue;
    auto* out = shown.add_agents();
    *out->mutable_agent_info() = info_of(agent);
    out->set_active(agent.phase == master::Agent::Phase::registered);
    out->set_deactivated(false);
    out->set_version(agent.version.empty() ? mesos_version : agent.version);
    out->set_pid("slave(1)@" + agent.hostname + ":" + std::to_string(agent.port));
    set_time(agent.registered, out, &Response::GetAgents::Agent::mutable_registered_time);
    set_time(agent.reregistered, out, &Response::GetAgents::Agent::mutable_reregistered_time);
    show(agent.total, out->mutable_total_resources());
    show(agents[id].used, out->mutable_allocated_resources());
    show(agents[id].offered, out->mutable_offered_resources());
    add_capabilities(out);
  }
  return shown;
}

Response::GetFrameworks show_frameworks(const master::State& state) {
  ByAgent agents;
  ByFramework frameworks;
  allocations(state, agents, frameworks);
  std::map<FrameworkId, std::vector<const master::Offer*>> offers;
  for (const auto& [id, offer] : state.offers) offers[offer.framework].push_back(&offer);

  Response::GetFrameworks shown;
  for (const auto& [id, framework] : state.frameworks) {
    auto* out = shown.add_frameworks();
    const bool connected = framework.phase == master::Framework::Phase::connected;
    *out->mutable_framework_info() = info_of(id, framework.info);
    out->set_active(connected);
    out->set_connected(connected);
    out->set_recovered(framework.phase == master::Framework::Phase::recovered);
    set_time(framework.registered, out, &Response::GetFrameworks::Framework::mutable_registered_time);
    set_time(framework.reregistered, out, &Response::GetFrameworks::Framework::mutable_reregistered_time);
    show(frameworks[id].used, out->mutable_allocated_resources());
    show(frameworks[id].offered, out->mutable_offered_resources());
    for (const auto* offer : offers[id]) {
      const master::events::Offer event{offer->id,
                                        offer->framework,
                                        offer->agent,
                                        offer->role,
                                        offer->resources,
                                        {},
                                        state.agents.at(offer->agent).info};
      *out->add_offers() = encode(event, framework.capabilities);
    }
  }
  for (const auto& [id, completed] : state.completed) {
    auto* out = shown.add_completed_frameworks();
    *out->mutable_framework_info() = info_of(id, completed.info);
    out->set_active(false);
    out->set_connected(false);
    out->set_recovered(false);
    set_time(completed.registered, out, &Response::GetFrameworks::Framework::mutable_registered_time);
    set_time(completed.unregistered, out, &Response::GetFrameworks::Framework::mutable_unregistered_time);
  }
  return shown;
}

Response::GetTasks show_tasks(const master::State& state) {
  Response::GetTasks shown;
  for (const auto& [id, framework] : state.frameworks)
    for (const auto& [task_id, task] : framework.tasks)
      *(task.unreachable ? shown.add_unreachable_tasks() : shown.add_tasks()) = show_task(id, task);
  for (const auto& completed : state.completed_tasks)
    *shown.add_completed_tasks() = show_task(completed.framework, completed.task);
  return shown;
}

Response::GetExecutors show_executors(const master::State& state) {
  Response::GetExecutors shown;
  for (const auto& [id, agent] : state.agents) {
    for (const auto& [key, executor] : agent.executors) {
      auto* out = shown.add_executors();
      out->mutable_executor_info()->ParsePartialFromString(executor.info);
      out->mutable_agent_id()->set_value(id.str());
    }
  }
  return shown;
}

Response::GetRoles show_roles(const master::State& state) {
  std::map<std::string, std::vector<FrameworkId>> roles;
  std::map<std::string, Resources> used;
  for (const auto& [id, framework] : state.frameworks) {
    for (const auto& role : framework.roles) roles[role].push_back(id);
    for (const auto& [task_id, task] : framework.tasks)
      if (task.holds_resources()) add_up(used[task.role], task.resources.with_allocation(task.role));
  }
  for (const auto& [id, agent] : state.agents)
    for (const auto& [identity, amount] : agent.total.entries())
      if (identity.reserved()) roles[identity.role()];
  Response::GetRoles shown;
  for (const auto& [name, frameworks] : roles) {
    auto* out = shown.add_roles();
    out->set_name(name);
    out->set_weight(1.0);
    for (const auto& id : frameworks) out->add_frameworks()->set_value(id.str());
    encode(used[name], ResourceFormat::refined, out->mutable_resources());
  }
  return shown;
}

Response::GetMetrics show_metrics(const master::State& state) {
  Response::GetMetrics shown;
  const auto add = [&](const std::string& name, double value) {
    auto* metric = shown.add_metrics();
    metric->set_name(name);
    metric->set_value(value);
  };
  std::map<std::string, double> counts{{"master/frameworks_connected", 0}, {"master/frameworks_disconnected", 0},
                                       {"master/slaves_connected", 0},     {"master/slaves_disconnected", 0},
                                       {"master/slaves_unreachable", 0},   {"master/tasks_running", 0},
                                       {"master/tasks_staging", 0},        {"master/tasks_unreachable", 0}};
  for (const auto& [id, framework] : state.frameworks) {
    const bool connected = framework.phase == master::Framework::Phase::connected;
    ++counts[connected ? "master/frameworks_connected" : "master/frameworks_disconnected"];
    for (const auto& [task_id, task] : framework.tasks) {
      if (task.unreachable) ++counts["master/tasks_unreachable"];
      else if (task.state == TaskState::running) ++counts["master/tasks_running"];
      else if (task.state == TaskState::staging) ++counts["master/tasks_staging"];
    }
  }
  for (const auto& [id, agent] : state.agents) {
    if (agent.phase == master::Agent::Phase::registered) ++counts["master/slaves_connected"];
    if (agent.phase == master::Agent::Phase::disconnected) ++counts["master/slaves_disconnected"];
    if (agent.phase == master::Agent::Phase::unreachable) ++counts["master/slaves_unreachable"];
  }
  add("master/elected", 1);
  add("master/epoch", static_cast<double>(state.epoch));
  add("master/outstanding_offers", static_cast<double>(state.offers.size()));
  for (const auto& [name, value] : counts) add(name, value);
  return shown;
}

}  // namespace banyan::codec
