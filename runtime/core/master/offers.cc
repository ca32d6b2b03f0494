// Offers: made as soon as there is something to offer, taken back when they are answered, stale or late.
#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/core/master/core.h"

namespace banyan::master {
namespace {

bool filtered(const Framework& framework, const std::string& role, const AgentId& agent, const Resources& resources,
              Instant now) {
  const auto it = framework.filters.find({role, agent});
  if (it == framework.filters.end()) return false;
  return std::any_of(it->second.begin(), it->second.end(),
                     [&](const Filter& f) { return f.until > now && f.refused.contains(resources); });
}

bool subscribed_to_all(const Framework& framework, const std::set<std::string>& roles) {
  return std::includes(framework.roles.begin(), framework.roles.end(), roles.begin(), roles.end());
}

}  // namespace

std::vector<allocator::Claimant> Core::claimants() const {
  std::vector<allocator::Claimant> all;
  for (const auto& [id, framework] : state_.frameworks) {
    if (framework.phase != Framework::Phase::connected) continue;
    for (const auto& role : framework.roles) {
      if (framework.suppressed.count(role)) continue;
      const auto held = framework.held.find(role);
      all.push_back({id, role, held == framework.held.end() ? allocator::Quantities() : held->second, 1,
                     framework.asked, framework.capabilities.gpu_resources,
                     framework.capabilities.reservation_refinement});
    }
  }
  return all;
}

void Core::make_offers() {
  std::vector<allocator::Machine> machines;
  for (const auto& [id, agent] : state_.agents)
    if (agent.phase == Agent::Phase::registered && (all_stale_ || stale_agents_.count(id)))
      machines.push_back({id, agent.free(), agent.total.scalar("gpus").milli > 0});
  all_stale_ = false;
  stale_agents_.clear();

  const auto refused = [this](const allocator::Claimant& claimant, const AgentId& agent, const Resources& resources) {
    return filtered(state_.frameworks.at(claimant.framework), claimant.role, agent, resources, now_.mono);
  };
  std::map<FrameworkId, events::Offers> letters;
  for (auto& grant : allocator::allocate(std::move(machines), claimants(), state_.total, refused)) {
    Framework& framework = state_.frameworks.at(grant.framework);
    Agent& agent = state_.agents.at(grant.agent);
    const OfferId id(state_.master_id + "-O" + std::to_string(next_offer_++));
    agent.offered += grant.resources;
    allocator::add(framework.held[grant.role], grant.resources);
    framework.asked = false;
    events::Offer offer{id, framework.id, agent.id, grant.role, grant.resources, {}, agent.info};
    for (const auto& [key, executor] : agent.executors)
      if (key.first == framework.id) offer.executors.push_back(key.second);
    auto& letter = letters[framework.id];
    letter.capabilities = framework.capabilities;
    letter.offers.push_back(std::move(offer));
    state_.offers[id] = {id, framework.id, agent.id, grant.role, std::move(grant.resources), now_.mono};
    arm(now_.mono + options_.offer_timeout, OfferTimeout{id});
  }
  for (auto& [id, letter] : letters) tell(state_.frameworks.at(id), std::move(letter));
}

Offer Core::take_back(const OfferId& id) {
  const auto it = state_.offers.find(id);
  BANYAN_CHECK(it != state_.offers.end());
  Offer offer = std::move(it->second);
  state_.offers.erase(it);
  state_.agents.at(offer.agent).offered -= offer.resources;
  allocator::subtract(state_.frameworks.at(offer.framework).held[offer.role], offer.resources);
  look_at(offer.agent);
  return offer;
}

void Core::rescind(const OfferId& id) {
  const Offer offer = take_back(id);
  tell(state_.frameworks.at(offer.framework), events::Rescind{id});
}

void Core::rescind_all(const Agent& agent) {
  std::vector<OfferId> there;
  for (const auto& [id, offer] : state_.offers)
    if (offer.agent == agent.id) there.push_back(id);
  for (const auto& id : there) rescind(id);
}

void Core::refuse(Framework& framework, const std::string& role, const AgentId& agent, const Resources& resources,
                  Duration how_long) {
  if (how_long <= Duration::zero() || resources.empty()) return;
  auto& filters = framework.filters[{role, agent}];
  std::erase_if(filters, [&](const Filter& f) { return f.until <= now_.mono; });
  if (filters.size() >= limits::filters_max) filters.erase(filters.begin());
  filters.push_back({resources, now_.mono + how_long});
  watch_filters(agent);
}

void Core::handle(Framework& framework, CallId call, const calls::Decline& decline) {
  answer(call);
  for (const auto& id : decline.offers) {
    const auto it = state_.offers.find(id);
    if (it == state_.offers.end() || it->second.framework != framework.id) continue;
    const Offer offer = take_back(id);
    refuse(framework, offer.role, offer.agent, offer.resources, std::max<Duration>(decline.refuse, limits::refuse_min));
  }
}

void Core::handle(Framework& framework, CallId call, const calls::Revive& revive) {
  answer(call);
  if (!subscribed_to_all(framework, revive.roles)) return;
  const auto& roles = revive.roles.empty() ? framework.roles : revive.roles;
  for (const auto& role : roles) framework.suppressed.erase(role);
  std::erase_if(framework.filters, [&](const auto& entry) { return roles.count(entry.first.first) != 0; });
  look_everywhere();
}

void Core::handle(Framework& framework, CallId call, const calls::Suppress& suppress) {
  answer(call);
  if (!subscribed_to_all(framework, suppress.roles)) return;
  const auto& roles = suppress.roles.empty() ? framework.roles : suppress.roles;
  framework.suppressed.insert(roles.begin(), roles.end());
}

void Core::handle(Framework& framework, CallId call, const calls::Request&) {
  answer(call);
  framework.asked = true;
  look_everywhere();
}

}  // namespace banyan::master
