#include "runtime/core/master/core.h"

#include <utility>

#include "runtime/base/check.h"

namespace banyan::master {

Core::Core(Options options, registry::Registry recovered, std::uint64_t seed)
    : options_(options), recovered_(std::move(recovered)), rng_(seed) {
  state_.master_id = rng_.uuid();
}

std::vector<Effect> Core::step(Now now, const Input& input) {
  now_ = now;
  std::visit([this](const auto& what) { on(what); }, input);
  if (!changes_.empty()) effects_.emplace(effects_.begin(), Persist{std::exchange(changes_, {})});
  return std::exchange(effects_, {});
}

std::optional<Instant> Core::next_deadline() const {
  if (all_stale_ || !stale_agents_.empty()) return now_.mono;
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

void Core::tell(const Framework& framework, events::Any event) {
  if (framework.phase == Framework::Phase::connected) emit(SendEvent{framework.stream, std::move(event)});
}

void Core::order(const Agent& agent, orders::Any what) {
  if (agent.link != 0) emit(SendToAgent{agent.link, std::move(what)});
}

Agent* Core::agent_of(LinkId link) {
  const auto it = links_.find(link);
  if (it == links_.end()) return nullptr;
  Agent& agent = state_.agents.at(it->second);
  agent.last_heard = now_.mono;
  return &agent;
}

Agent* Core::find_agent(const AgentId& id) {
  const auto it = state_.agents.find(id);
  return it == state_.agents.end() ? nullptr : &it->second;
}

Framework* Core::find_framework(const FrameworkId& id) {
  const auto it = state_.frameworks.find(id);
  return it == state_.frameworks.end() ? nullptr : &it->second;
}

Task* Core::find_task(Framework& framework, const TaskId& id) {
  const auto it = framework.tasks.find(id);
  return it == framework.tasks.end() ? nullptr : &it->second;
}

namespace {

std::string_view phase_name(Agent::Phase phase) {
  constexpr std::string_view names[] = {"recovered", "registered", "disconnected", "unreachable"};
  return names[static_cast<int>(phase)];
}
std::string_view phase_name(Framework::Phase phase) {
  constexpr std::string_view names[] = {"connected", "disconnected", "recovered"};
  return names[static_cast<int>(phase)];
}

allocator::Quantities without_zeros(allocator::Quantities all) {
  std::erase_if(all, [](const auto& entry) { return entry.second == 0; });
  return all;
}

/// What the allocator divides by and compares is what there is: the cluster's total, each framework's part of it.
void check_shares(const State& state) {
  allocator::Quantities total;
  std::map<FrameworkId, std::map<std::string, allocator::Quantities>> held;
  for (const auto& [id, agent] : state.agents) {
    allocator::add(total, agent.total);
    for (const auto& [key, executor] : agent.executors)
      if (!executor.torn_down) allocator::add(held[key.first][executor.role], executor.resources);
  }
  BANYAN_CHECK(without_zeros(state.total) == without_zeros(total));
  for (const auto& [id, offer] : state.offers) allocator::add(held[offer.framework][offer.role], offer.resources);
  for (const auto& [id, framework] : state.frameworks) {
    for (const auto& [task_id, task] : framework.tasks)
      if (task.holds_resources()) allocator::add(held[id][task.role], task.resources);
    for (const auto& [role, believed] : framework.held)
      BANYAN_CHECK(without_zeros(believed) == without_zeros(held[id][role]));
    for (const auto& [role, real] : held[id])
      BANYAN_CHECK(without_zeros(real).empty() || framework.held.contains(role));
  }
}

}  // namespace

std::string Core::summary() const {
  std::string agents;
  std::string frameworks;
  std::string tasks;
  for (const auto& [id, agent] : state_.agents)
    agents.append(" ").append(id.str()).append("=").append(phase_name(agent.phase));
  for (const auto& [id, framework] : state_.frameworks) {
    frameworks.append(" ").append(id.str()).append("=").append(phase_name(framework.phase));
    for (const auto& [task_id, task] : framework.tasks)
      tasks.append(" ")
          .append(task_id.str())
          .append("=")
          .append(task.unreachable ? "TASK_UNREACHABLE" : name(task.state));
  }
  const auto shown = [](const std::string& list) { return list.empty() ? std::string(" none") : list; };
  return "epoch " + std::to_string(state_.epoch) + "  agents:" + shown(agents) + "  frameworks:" + shown(frameworks) +
         "  offers: " + std::to_string(state_.offers.size()) + "  tasks:" + shown(tasks);
}

void Core::check_invariants() const {
  check_shares(state_);
  for (const auto& [link, id] : links_) BANYAN_CHECK(state_.agents.at(id).link == link);
  for (const auto& [stream, id] : streams_) BANYAN_CHECK(state_.frameworks.at(id).stream == stream);
  std::map<AgentId, Resources> offered;
  for (const auto& [id, offer] : state_.offers) {
    BANYAN_CHECK(id == offer.id && !offer.resources.empty());
    const auto framework = state_.frameworks.find(offer.framework);
    BANYAN_CHECK(framework != state_.frameworks.end());
    BANYAN_CHECK(framework->second.phase == Framework::Phase::connected);
    BANYAN_CHECK(state_.agents.at(offer.agent).phase == Agent::Phase::registered);
    offered[offer.agent] += offer.resources;
  }
  std::map<AgentId, Resources> used;
  for (const auto& [id, framework] : state_.frameworks) {
    BANYAN_CHECK(!state_.completed.count(id));
    const bool connected = framework.phase == Framework::Phase::connected;
    BANYAN_CHECK(connected ? streams_.contains(framework.stream) : framework.filters.empty() && !framework.asked);
    BANYAN_CHECK(!connected || !framework.removal_due);
    for (const auto& [task_id, task] : framework.tasks) {
      const Agent& agent = state_.agents.at(task.agent);
      BANYAN_CHECK(agent.tasks.count({id, task_id}));
      BANYAN_CHECK(agent.present() || !task.holds_resources());
      if (task.holds_resources()) used[task.agent] += task.resources;
    }
  }
  for (const auto& [id, agent] : state_.agents) {
    for (const auto& [key, executor] : agent.executors) {
      used[id] += executor.resources;
      BANYAN_CHECK(executor.torn_down || state_.frameworks.contains(key.first));
    }
    for (const auto& [key, remains] : agent.remains) used[id] += remains.resources;
    for (const auto& [framework, task] : agent.tasks) BANYAN_CHECK(state_.frameworks.at(framework).tasks.count(task));
    BANYAN_CHECK(agent.used == used[id]);
    BANYAN_CHECK(agent.offered == offered[id]);
    BANYAN_CHECK(agent.total.contains(agent.used + agent.offered));
    BANYAN_CHECK(agent.present() ? !agent.unreachable_since : agent.total.empty() && agent.applying.empty());
    BANYAN_CHECK((agent.link != 0) == (agent.phase == Agent::Phase::registered));
    BANYAN_CHECK(agent.link == 0 || links_.at(agent.link) == id);
  }
}

}  // namespace banyan::master
