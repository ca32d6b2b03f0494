// Start, time, and the little that time alone decides.
#include "runtime/core/master/core.h"

namespace banyan::master {

void Core::on(const Start&) {
  state_.started = now_.wall;
  state_.epoch = recovered_.epoch + 1;
  emit(Persist{{{registry::epoch_key(), registry::write_epoch(state_.epoch)}}});
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
    if (now_.mono - agent.last_heard >= patience)
      mark_unreachable(agent);
    else
      order(agent, orders::Ping{});
  }
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
  if (!framework || !framework->removal_due || now_.mono < *framework->removal_due) return;
  remove_framework(*framework, "its failover timeout has passed");
}

void Core::fire(const FilterEnds& ends) { look_at(ends.agent); }

}  // namespace banyan::master
