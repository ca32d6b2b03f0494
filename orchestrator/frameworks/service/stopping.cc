// Ends that we ask for: rolling restarts, draining.
#include <algorithm>

#include "orchestrator/frameworks/service/core.h"

namespace banyan::service {

void Core::kill(Instance& i, Ending ending, Duration grace) {
  i.phase = Phase::killing;
  i.ending = ending;
  i.grace = grace;
  i.serving_since.reset();
  i.ask_backoff = grace + ask_again.min;
  send_kill(i);
}

/// Repeated until the end is seen: KILL is idempotent and the master may not have heard it.
void Core::send_kill(Instance& i) {
  v1::scheduler::Call call;
  auto* kill = call.mutable_kill();
  kill->mutable_task_id()->set_value(i.record.task);
  if (!i.record.place.agent.empty()) kill->mutable_agent_id()->set_value(i.record.place.agent);
  kill->mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(i.grace.count());
  send(v1::scheduler::Call::KILL, std::move(call));
  i.ask_again = now_.mono + std::max(i.ask_backoff, ask_again.min);
}

/// One step towards no tasks. Called after every input until none is left.
void Core::drain() {
  for (std::size_t s = node_.servers.size(); s-- > 0;) {
    const bool ended = drain_server(s);
    if (!ended && node_.stop.order == specs::StopOrder::serial) return;
  }
  const bool none = std::none_of(instances_.begin(), instances_.end(), [](const auto& i) {
    return i.has_task() && i.phase != Phase::unreachable;  // TEARDOWN ends those whose agent comes back
  });
  drained_ = none && subscribed_;
}

/// True when nothing of this server runs any more.
bool Core::drain_server(std::size_t server) {
  std::vector<Instance*> alive;
  for (auto& i : instances_)
    if (i.server == server && i.has_task() && i.phase != Phase::unreachable) alive.push_back(&i);
  if (alive.empty()) return true;
  const auto& spec = node_.servers[server];
  const bool serial = spec.stop.order == specs::StopOrder::serial;
  for (auto it = alive.rbegin(); it != alive.rend(); ++it) {
    auto& i = **it;
    if (i.phase != Phase::killing || i.ending != Ending::stop) kill(i, Ending::stop, spec.stop.grace);
    if (serial) return false;
  }
  return false;
}

bool Core::outdated(const Instance& i) const {
  const auto print = fingerprints_.find(i.name);
  const bool changed = print != fingerprints_.end() && !print->second.empty() && print->second != i.record.fingerprint;
  return changed || i.record.restart < restarts_wanted(i);
}

/// Rolling restart, one step. Who does not serve has nothing to lose and goes at once (a set of servers whose old
/// configuration never worked would wait for ever otherwise); who serves goes alone, last instance first, while
/// everybody else serves.
void Core::roll() {
  if (!subscribed_ || !places_complete()) return;
  Instance* next = nullptr;
  for (auto& i : instances_) {
    if (i.phase != Phase::running || !outdated(i)) continue;
    if (!i.served) kill(i, Ending::relaunch, server_of(i).stop.grace);
    else next = &i;
  }
  if (next == nullptr) return;
  const bool others_serve = std::all_of(instances_.begin(), instances_.end(), [&](const auto& i) {
    return &i == next || i.record.completed || (serving(i) && readiness_.server_ready(i.server));
  });
  if (others_serve) kill(*next, Ending::relaunch, server_of(*next).stop.grace);
}

}  // namespace banyan::service
