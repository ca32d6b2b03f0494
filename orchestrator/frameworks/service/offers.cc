// Places and launches: what offers are used for.
#include <algorithm>

#include "orchestrator/frameworks/service/core.h"

namespace banyan::service {

namespace {

constexpr double refuse_while_wanting_s = 1;
constexpr double refuse_long_s = 3600;

std::string given(const Claim& claim) { return "given:" + claim.key; }

bool holds(const Place& place, const Claim& claim) {
  return place.held.contains(claim.key) || place.held.contains(given(claim));
}

bool complete(const Place& place, const specs::Server& server) {
  if (place.agent.empty()) return false;
  const auto claims = claims_of(server);
  return std::all_of(claims.begin(), claims.end(), [&](const auto& c) { return holds(place, c); });
}

v1::Filters filters(double refuse_s) {
  v1::Filters f;
  f.set_refuse_seconds(refuse_s);
  return f;
}

void add_operation(v1::scheduler::Call& call, v1::Offer::Operation operation) {
  *call.mutable_accept()->add_operations() = std::move(operation);
}

}  // namespace

bool Core::wants_place(const Instance& i) const {
  return !i.ended_for_good() && !complete(i.record.place, server_of(i));
}

bool Core::wants_launch(const Instance& i) const {
  return may_start() && !i.has_task() && !i.ended_for_good() && !i.backoff_until;
}

/// The gate that keeps the order of edges at every launch. Who has something running repairs it, whatever it says.
bool Core::may_start() const {
  return !handover_->has_may_start() || handover_->may_start() ||
         std::any_of(instances_.begin(), instances_.end(), [](const auto& i) { return i.has_task(); });
}

bool Core::places_complete() const {
  return std::all_of(instances_.begin(), instances_.end(),
                     [&](const auto& i) { return i.ended_for_good() || complete(i.record.place, server_of(i)); });
}

void Core::offers(const v1::scheduler::Event::Offers& event) {
  std::map<std::string, Pool> pools;  // by agent: one ACCEPT may take several offers of one agent
  for (const auto& offer : event.offers()) {
    const auto [pool, fresh] = pools.try_emplace(offer.agent_id().value(), handover_->role(), offer);
    if (!fresh) pool->second.add(offer);
  }
  const bool open = config_error_.empty() && !draining();
  for (auto& [agent, pool] : pools) {
    if (!open) break;
    for (auto& i : instances_) check_place(pool, i);
    for (auto& i : instances_)  // first those at home here, so that a newcomer takes nothing from them
      if (!i.record.place.agent.empty() || pool.knows(i.name)) find_place(pool, i);
  }
  for (auto& [agent, pool] : pools)
    for (auto& i : instances_)
      if (open && i.record.place.agent.empty()) find_place(pool, i);
  if (places_changed_) refresh_fingerprints();
  const bool launching = open && places_complete();
  for (auto& [agent, pool] : pools) {
    Launch accept;
    std::vector<v1::TaskInfo> tasks;
    for (auto& i : instances_)
      if (launching && wants_launch(i) && i.record.place.agent == agent) launch(pool, i, accept, tasks);
    answer(pool, std::move(tasks), std::move(accept));
  }
}

/// A record that may be stale is corrected by the first offer of its agent.
void Core::check_place(Pool& pool, Instance& i) {
  auto& place = i.record.place;
  if (i.has_task() || place.agent != pool.agent()) return;
  places_changed_ = places_changed_ || place.host != pool.host() || place.volumes != pool.volumes();
  place.host = pool.host();  // its machine may have come back under another address
  place.volumes = pool.volumes();
  if (!i.place_doubtful) return;
  i.place_doubtful = false;
  for (const auto& claim : claims_of(server_of(i)))
    if (!pool.reserved(i.name, claim)) place.held.erase(claim.key);
}

void Core::find_place(Pool& pool, Instance& i) {
  auto& place = i.record.place;
  if (!wants_place(i)) return;
  if (!place.agent.empty() && place.agent != pool.agent()) return;
  const auto claims = claims_of(server_of(i));
  Pool trial = pool;
  Place found = place;
  found.agent = pool.agent();
  found.host = pool.host();
  found.volumes = pool.volumes();
  bool fits = true;
  for (const auto& claim : claims) {
    if (holds(found, claim)) continue;
    const auto port = trial.reserved(i.name, claim);
    if (port && (claim.volume || !claim.fixed || *port == *claim.fixed)) {
      found.held.insert(claim.key);
      if (!claim.volume) found.ports[claim.name] = *port;
      continue;
    }
    std::uint16_t number = found.ports[claim.name];
    const auto claimed = trial.claim(i.name, claim, number, number);
    fits = fits && claimed != Pool::Claimed::no_room;
    if (!fits) break;
    found.held.insert(claimed == Pool::Claimed::given ? given(claim) : claim.key);
    if (!claim.volume) found.ports[claim.name] = number;
  }
  for (auto it = found.ports.begin(); it != found.ports.end();)  // also drops the 0 that a volume's look-up left
    it = server_of(i).ports.contains(it->first) ? std::next(it) : found.ports.erase(it);
  // A newcomer goes where it can also run; who has data here stays, and waits if it must.
  const bool newcomer = place.agent.empty() && !pool.knows(i.name);
  if (fits && !i.has_task()) fits = trial.set_aside(server_of(i).resources) || !newcomer;
  if (!fits) {
    i.note = "no offer has " + needs_text(server_of(i));
    return;
  }
  pool = std::move(trial);
  place = std::move(found);
  i.note.clear();
  places_changed_ = true;
  persist(i);
}

bool Core::launch(Pool& pool, Instance& i, Launch& into, std::vector<v1::TaskInfo>& tasks) {
  const auto& server = server_of(i);
  auto& place = i.record.place;
  Pool trial = pool;
  std::vector<v1::Resource> used;
  for (const auto& claim : claims_of(server)) {
    if (place.held.contains(given(claim))) continue;
    const auto port = place.ports.find(claim.name);
    if (trial.take_claim(i.name, claim, port == place.ports.end() ? std::uint16_t{0} : port->second, used)) continue;
    miss_claims(pool, i);
    return false;
  }
  i.claim_missed.reset();
  if (!trial.take_scalars(server.resources, used)) {
    i.note = "no offer of agent " + place.agent + " has " + needs_text(server);
    return false;
  }
  const auto rendered = render(node_, server, *handover_, view_of(node_, *handover_, instances_, i, false));
  if (!rendered) {
    i.note = "cannot render " + rendered.error().message;
    return false;
  }
  pool = std::move(trial);
  if (i.record.attempt > 0) ++i.record.restarts;
  i.record.task = task_id(*handover_, i.name, ++i.record.attempt);
  i.record.fingerprint = fingerprints_[i.name];
  i.record.restart = restarts_wanted(i);
  i.phase = Phase::launched;
  i.served = false;
  i.ask_backoff = ask_again.max;
  i.ask_again = now_.mono + i.ask_backoff;
  persist(i);
  tasks.push_back(task_info(*handover_, node_, server, i, *rendered, used));
  if (!rendered->files.empty()) into.files.push_back({i.record.task, rendered->files});
  return true;
}

/// The reservation is not in this offer: perhaps in another (just freed), perhaps destroyed by an operator.
void Core::miss_claims(const Pool& pool, Instance& i) {
  if (!i.claim_missed) i.claim_missed = now_.mono;
  i.note = "agent " + pool.agent() + " does not offer what is reserved for it";
  if (now_.mono - *i.claim_missed < claim_missed_max) return;
  i.place_doubtful = true;  // the next offer decides
  i.claim_missed.reset();
}

void Core::answer(Pool& pool, std::vector<v1::TaskInfo> tasks, Launch launch) {
  bool wanting = false;
  for (const auto& i : instances_) wanting = wanting || (!draining() && (wants_place(i) || wants_launch(i)));
  auto& call = launch.call;
  if (tasks.empty() && pool.to_reserve().empty() && pool.to_create().empty()) {
    declined_ = true;
    for (const auto& id : pool.offers()) *call.mutable_decline()->add_offer_ids() = id;
    *call.mutable_decline()->mutable_filters() = filters(wanting ? refuse_while_wanting_s : refuse_long_s);
    return send(v1::scheduler::Call::DECLINE, std::move(call));
  }
  for (const auto& id : pool.offers()) *call.mutable_accept()->add_offer_ids() = id;
  *call.mutable_accept()->mutable_filters() = filters(wanting ? 0 : refuse_long_s);
  declined_ = declined_ || !wanting;
  if (!pool.to_reserve().empty()) {
    v1::Offer::Operation reserve;
    reserve.set_type(v1::Offer::Operation::RESERVE);
    for (const auto& r : pool.to_reserve()) *reserve.mutable_reserve()->add_resources() = r;
    add_operation(call, std::move(reserve));
  }
  if (!pool.to_create().empty()) {
    v1::Offer::Operation create;
    create.set_type(v1::Offer::Operation::CREATE);
    for (const auto& r : pool.to_create()) *create.mutable_create()->add_volumes() = r;
    add_operation(call, std::move(create));
  }
  if (!tasks.empty()) {
    v1::Offer::Operation run;
    run.set_type(v1::Offer::Operation::LAUNCH);
    for (auto& task : tasks) *run.mutable_launch()->add_task_infos() = std::move(task);
    add_operation(call, std::move(run));
  }
  call.set_type(v1::scheduler::Call::ACCEPT);
  effects_.push_back(std::move(launch));
}

/// REVIVE when someone newly wants offers, SUPPRESS when nobody does: no framework starves another.
void Core::adjust_offers() {
  if (!subscribed_) return;
  std::string wanted;
  if (!draining())
    for (const auto& i : instances_)
      if (wants_place(i) || wants_launch(i)) wanted += i.name + "." + std::to_string(i.record.attempt) + " ";
  v1::scheduler::Call call;
  if (wanted.empty()) {
    if (!suppressed_) {
      call.mutable_suppress()->add_roles(handover_->role());
      send(v1::scheduler::Call::SUPPRESS, std::move(call));
      suppressed_ = true;
    }
  } else if (wanted != wanted_ && (suppressed_ || declined_)) {
    call.mutable_revive()->add_roles(handover_->role());
    send(v1::scheduler::Call::REVIVE, std::move(call));
    suppressed_ = declined_ = false;
  }
  wanted_ = std::move(wanted);
}

}  // namespace banyan::service
