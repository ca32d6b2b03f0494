// Places and launches: what offers are used for.
#include <algorithm>

#include "orchestrator/frameworks/service/core.h"
#include "specs/change.h"

namespace banyan::service {

namespace {

constexpr double refuse_while_wanting_s = 1;
constexpr double refuse_long_s = 3600;

bool holds(const Place& place, const Claim& claim) {
  const auto port = place.ports.find(claim.name);
  if (!claim.volume && (port == place.ports.end() || (claim.fixed && port->second != *claim.fixed))) return false;
  return place.held.contains(claim.key);
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
  return !i.has_task() && !i.ended_for_good() && !i.backoff_until && gate_open();
}

/// Only the root knows the edges. While one of ours runs, what ends beside it is repaired whatever it says.
bool Core::gate_open() const {
  if (!handover_->has_may_start() || handover_->may_start()) return true;
  return std::any_of(instances_.begin(), instances_.end(), [](const auto& i) {
    return i.phase == Phase::launched || i.phase == Phase::running || i.phase == Phase::killing;
  });
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
  if (open) find_new_places(pools);
  if (places_changed_) refresh_fingerprints();
  const bool all_placed = places_complete();
  for (auto& [agent, pool] : pools) {
    Launch accept;
    std::vector<v1::TaskInfo> tasks;
    if (open) give_back(pool);
    for (auto& i : instances_) {
      // Who starts for the first time waits until all have their addresses; nobody else is kept down by a newcomer.
      const bool may = open && (all_placed || !i.record.launched.empty());
      if (may && wants_launch(i) && complete(i.record.place, server_of(i)) && i.record.place.agent == agent)
        launch(pool, i, accept, tasks);
    }
    answer(pool, std::move(tasks), std::move(accept));
  }
}

/// Newcomers go where the fewest of their kind are: one lost agent should not take a whole server.
void Core::find_new_places(std::map<std::string, Pool>& pools) {
  for (auto& i : instances_) {
    if (!i.record.place.agent.empty()) continue;
    std::multimap<std::ptrdiff_t, Pool*> by_kin;
    for (auto& [agent, pool] : pools)
      by_kin.emplace(
          std::count_if(instances_.begin(), instances_.end(),
                        [&](const auto& o) { return o.server == i.server && o.record.place.agent == agent; }),
          &pool);
    for (const auto& [kin, pool] : by_kin) {
      find_place(*pool, i);
      if (!i.record.place.agent.empty()) break;
    }
  }
}

/// Ports that are no claim of their instance's place any more: changed, removed, or left to a stranger.
void Core::give_back(Pool& pool) {
  for (const auto& i : instances_) {
    const auto& place = i.record.place;
    if (!pool.knows(i.name) || i.place_doubtful || !complete(place, server_of(i))) continue;
    std::map<std::string, std::uint16_t> kept;
    for (const auto& claim : claims_of(server_of(i)))
      if (!claim.volume && place.agent == pool.agent()) kept[claim.key] = place.ports.at(claim.name);
    pool.give_back_ports(i.name, kept);
  }
}

/// Why a fixed port of the instance cannot be one on this host: another server of ours has it. "" if it can.
std::string Core::taken_here(const Pool& pool, const Instance& i, const Claim& claim) const {
  if (!claim.fixed) return "";
  for (const auto& other : instances_) {
    if (&other == &i || other.record.place.agent.empty() || other.record.place.host != pool.host()) continue;
    for (const auto* ports : {&other.record.place.ports, &other.ports()})
      for (const auto& [name, number] : *ports)
        if (number == *claim.fixed)
          return "port " + std::to_string(number) + " of agent " + pool.agent() + " is " + other.name + "'s";
  }
  return "";
}

/// Ports of that agent that a stranger was seen to hold.
std::set<std::uint16_t> Core::avoided(const std::string& agent) const {
  std::set<std::uint16_t> all;
  for (const auto& i : instances_)
    if (i.record.place.agent == agent) all.insert(i.record.place.avoids.begin(), i.record.place.avoids.end());
  return all;
}

/// A record that may be stale is corrected by the first offer of its agent.
void Core::check_place(Pool& pool, Instance& i) {
  auto& place = i.record.place;
  if (i.has_task() || place.agent != pool.agent()) return;
  places_changed_ = places_changed_ || place.host != pool.host() || place.volumes != pool.volumes();
  place.host = pool.host();  // its machine may have come back under another address
  place.volumes = pool.volumes();
  const bool doubtful = std::exchange(i.place_doubtful, false);
  for (const auto& claim : claims_of(server_of(i))) {
    const auto size = pool.volume_mb(i.name, claim);
    if ((doubtful && !pool.reserved(i.name, claim)) || (size && *size != claim.size_mb)) place.held.erase(claim.key);
  }
}

void Core::find_place(Pool& pool, Instance& i) {
  auto& place = i.record.place;
  if (!wants_place(i)) return;
  if (!place.agent.empty() && place.agent != pool.agent()) return;
  Pool trial = pool;
  Place found = place;
  found.agent = pool.agent();
  found.host = pool.host();
  found.volumes = pool.volumes();
  std::string trouble;
  for (const auto& claim : claims_of(server_of(i))) {
    trouble = find_claim(trial, i, claim, found);
    if (!trouble.empty()) break;
  }
  std::erase_if(found.ports, [&](const auto& port) { return !server_of(i).ports.contains(port.first); });
  // A newcomer goes where it can also run; who has data here stays, and waits if it must.
  const bool newcomer = place.agent.empty() && !pool.knows(i.name);
  if (trouble.empty() && !i.has_task() && !trial.set_aside(server_of(i).resources) && newcomer)
    trouble = "no offer has " + needs_text(server_of(i));
  if (!trouble.empty()) {
    i.note = trouble;
    return;
  }
  pool = std::move(trial);
  place = std::move(found);
  i.note.clear();
  places_changed_ = true;
  persist(i);
}

/// Adds the claim to the place, as it is reserved here or from what is free. Returns why that is not possible, or "".
std::string Core::find_claim(Pool& trial, const Instance& i, const Claim& claim, Place& found) const {
  if (holds(found, claim)) return "";
  const auto here = trial.reserved(i.name, claim);
  const auto size = trial.volume_mb(i.name, claim);
  if (size && *size != claim.size_mb && !trial.resize(i.name, claim))
    return "agent " + trial.agent() + " has not the disk to grow volume " + claim.name + " from " +
           std::to_string(*size) + " MB to " + std::to_string(claim.size_mb) + " MB";
  const auto avoid = avoided(trial.agent());
  if (here && (claim.volume || (claim.fixed ? *here == *claim.fixed : !avoid.contains(*here)))) {
    found.held.insert(claim.key);
    if (!claim.volume) found.ports[claim.name] = *here;
    return "";
  }
  if (auto taken = taken_here(trial, i, claim); !taken.empty()) return taken;
  std::uint16_t number = 0;
  if (const auto before = found.ports.find(claim.name); before != found.ports.end()) number = before->second;
  if (!trial.claim(i.name, claim, number, avoid, number))
    return claim.fixed ? "port " + std::to_string(*claim.fixed) + " is not free on agent " + trial.agent()
                       : "no offer has " + needs_text(server_of(i));
  found.held.insert(claim.key);
  if (!claim.volume) found.ports[claim.name] = number;
  return "";
}

bool Core::launch(Pool& pool, Instance& i, Launch& into, std::vector<v1::TaskInfo>& tasks) {
  const auto& server = server_of(i);
  auto& place = i.record.place;
  Pool trial = pool;
  std::vector<v1::Resource> used;
  for (const auto& claim : claims_of(server)) {
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
  const auto rendered = render_now(i);
  if (!rendered) {
    i.note = "cannot render " + rendered.error().message;
    return false;
  }
  pool = std::move(trial);
  if (i.record.attempt > 0) ++i.record.restarts;
  i.record.task = task_id(*handover_, i.name, ++i.record.attempt);
  i.record.fingerprint = fingerprints_[i.name];
  i.record.launched = specs::hash(node_, server);
  i.record.launched_with =
      addresses_in(node_, server, *handover_, view_of(node_, *handover_, instances_, i, false), *rendered);
  i.record.ports = place.ports;
  i.record.listens.reset();
  i.record.strangers.clear();
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

/// One that ran before comes back although a newcomer, whom its texts would name, has no place yet.
Result<RenderedTask> Core::render_now(const Instance& i) const {
  const auto with = [&](Peers peers) {
    return render(node_, server_of(i), *handover_, view_of(node_, *handover_, instances_, i, false, peers));
  };
  auto rendered = with(Peers::all);
  return rendered || i.record.launched.empty() ? std::move(rendered) : with(Peers::placed);
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
  if (tasks.empty() && pool.to_reserve().empty() && pool.to_create().empty() && pool.to_resize().empty() &&
      pool.to_unreserve().empty()) {
    declined_ = true;
    for (const auto& id : pool.offers()) *call.mutable_decline()->add_offer_ids() = id;
    *call.mutable_decline()->mutable_filters() = filters(wanting ? refuse_while_wanting_s : refuse_long_s);
    return send(v1::scheduler::Call::DECLINE, std::move(call));
  }
  for (const auto& id : pool.offers()) *call.mutable_accept()->add_offer_ids() = id;
  *call.mutable_accept()->mutable_filters() = filters(wanting ? 0 : refuse_long_s);
  declined_ = declined_ || !wanting;
  if (!pool.to_unreserve().empty()) {
    v1::Offer::Operation unreserve;
    unreserve.set_type(v1::Offer::Operation::UNRESERVE);
    for (const auto& r : pool.to_unreserve()) *unreserve.mutable_unreserve()->add_resources() = r;
    add_operation(call, std::move(unreserve));
  }
  if (!pool.to_reserve().empty()) {
    v1::Offer::Operation reserve;
    reserve.set_type(v1::Offer::Operation::RESERVE);
    for (const auto& r : pool.to_reserve()) *reserve.mutable_reserve()->add_resources() = r;
    add_operation(call, std::move(reserve));
  }
  for (const auto& operation : pool.to_resize()) add_operation(call, operation);
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
      if (wants_place(i) || wants_launch(i))
        wanted += i.name + "." + std::to_string(i.record.attempt) + (wants_launch(i) ? "! " : " ");
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
