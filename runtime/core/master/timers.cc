// Start, time, and the little that time alone decides.
#include "runtime/core/master/core.h"

namespace banyan::master {

void Core::on(const Start&) {
  state_.started = now_.wall;
  state_.epoch = recovered_.epoch + 1;
  save({registry::epoch_key(), registry::write_epoch(state_.epoch)});
  for (auto& [id, record] : recovered_.agents) {
    Agent& agent = state_.agents[id];
    agent.id = id;
    agent.info = std::make_shared<const std::string>(std::move(record.info));
    agent.unreachable_since = record.unreachable_since;
    agent.phase = record.unreachable_since ? Agent::Phase::unreachable : Agent::Phase::recovered;
    agent.last_heard = now_.mono;
  }
  for (auto& [id, record] : recovered_.completed) {
    next_completed_ = std::max(next_completed_, record.order + 1);
    state_.completed[id] = {id, record.order, std::make_shared<const std::string>(std::move(record.info)), {}, {}};
  }
  recovered_ = {};
  watch_due_ = now_.mono + limits::ping_interval;
  arm(watch_due_, Watch{});
  note("master " + state_.master_id + ", epoch " + std::to_string(state_.epoch) + ", knows " +
       std::to_string(state_.agents.size()) + " agents");
}

void Core::on(const Tick&) {
  while (!timers_.empty() && timers_.begin()->first <= now_.mono) {
    const Timer timer = std::move(timers_.extract(timers_.begin()).mapped());
    std::visit([this](const auto& what) { fire(what); }, timer);
  }
  if (all_stale_ || !stale_agents_.empty()) make_offers();
}

void Core::fire(const Watch&) {
  // A master that was itself stopped must not take its own silence for that of its agents.
  const bool was_away = now_.mono - watch_due_ > options_.agent_silence / 2;
  for (auto& [id, agent] : state_.agents) {
    if (agent.phase == Agent::Phase::unreachable) continue;
    if (was_away) agent.last_heard = now_.mono;
    const Duration patience =
        agent.phase == Agent::Phase::recovered ? options_.agent_reregister_timeout : options_.agent_silence;
    if (now_.mono - agent.last_heard >= patience) mark_unreachable(agent);
    else order(agent, orders::Ping{});
  }
  forget_oldest_unreachable();
  watch_due_ = now_.mono + limits::ping_interval;
  arm(watch_due_, Watch{});
}

void Core::fire(const Beat& beat) {
  if (!streams_.count(beat.stream)) return;
  emit(SendEvent{beat.stream, events::Heartbeat{}});
  arm(now_.mono + limits::heartbeat_interval, beat);
}

void Core::fire(const OfferTimeout& timeout) {
  const auto it = state_.offers.find(timeout.offer);
  if (it == state_.offers.end()) return;
  const Offer offer = it->second;
  note("offer " + offer.id.str() + " was not answered by " + offer.framework.str());
  rescind(offer.id);
  // Others come first now: a silent framework must not get the same offer again at once.
  refuse(state_.frameworks.at(offer.framework), offer.role, offer.agent, offer.resources, limits::refuse_default);
}

void Core::fire(const Removal& removal) {
  Framework* framework = find_framework(removal.framework);
  if (!framework || !framework->removal_due || framework->removal_timer != removal.due) return;
  if (now_.mono < *framework->removal_due) return watch_removal(*framework);
  remove_framework(*framework, "its failover timeout has passed");
}

void Core::watch_removal(Framework& framework) {
  framework.removal_timer = soon(*framework.removal_due);
  arm(framework.removal_timer, Removal{framework.id, framework.removal_timer});
}

void Core::fire(const FilterEnds& ends) {
  const auto it = filter_timers_.find(ends.agent);
  if (it == filter_timers_.end() || it->second != ends.due) return;
  filter_timers_.erase(it);
  look_at(ends.agent);
  watch_filters(ends.agent);
}

/// Arms a timer for the first filter on that agent to end.
void Core::watch_filters(const AgentId& agent) {
  std::optional<Instant> first;
  for (const auto& [id, framework] : state_.frameworks)
    for (const auto& role : framework.roles)
      if (const auto it = framework.filters.find({role, agent}); it != framework.filters.end())
        for (const auto& filter : it->second)
          if (filter.until > now_.mono && (!first || filter.until < *first)) first = filter.until;
  if (!first) return;
  const Instant due = soon(*first);
  const auto [it, fresh] = filter_timers_.try_emplace(agent, due);
  if (!fresh && it->second <= due) return;
  it->second = due;
  arm(due, FilterEnds{agent, due});
}

void Core::forget_oldest_unreachable() {
  std::multimap<WallTime, AgentId> unreachable;
  for (const auto& [id, agent] : state_.agents)
    if (agent.phase == Agent::Phase::unreachable) unreachable.emplace(agent.unreachable_since.value_or(WallTime()), id);
  while (unreachable.size() > options_.unreachable_agents_max) {
    const AgentId id = unreachable.extract(unreachable.begin()).mapped();
    const std::set<TaskKey> lost = state_.agents.at(id).tasks;
    for (const auto& [framework, task] : lost) forget_task(state_.frameworks.at(framework), task);
    state_.agents.erase(id);
    save({registry::agent_key(id), std::nullopt});
    note("agent " + id.str() + " has been unreachable for longest and is forgotten");
  }
}

}  // namespace banyan::master
