// Ends that we ask for.
#include <algorithm>
#include <set>

#include "orchestrator/frameworks/service/core.h"

namespace banyan::service {

void Core::kill(Instance& i, Ending ending, std::optional<Duration> grace) {
  i.phase = Phase::killing;
  i.ending = ending;
  i.grace = grace;
  i.serving_since.reset();
  i.ask_backoff = grace.value_or(Duration::zero()) + ask_again.min;
  send_kill(i);
}

/// Repeated until the end is seen: KILL is idempotent and the master may not have heard it.
void Core::send_kill(Instance& i) {
  v1::scheduler::Call call;
  auto* kill = call.mutable_kill();
  kill->mutable_task_id()->set_value(i.record.task);
  if (!i.record.place.agent.empty()) kill->mutable_agent_id()->set_value(i.record.place.agent);
  if (i.grace) kill->mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(i.grace->count());
  send(v1::scheduler::Call::KILL, std::move(call));
  i.ask_again = now_.mono + std::max(i.ask_backoff, ask_again.min);
}

/// Last instance first. The one before ours may have been scaled away too: it is then killed by the task's own grace.
void Core::dismiss() {
  if (!subscribed_) return;
  std::set<std::string> busy;  // servers of which one is being stopped
  for (const auto& l : leaving_)
    if (l.instance.phase == Phase::killing) busy.insert(l.server);
  for (auto it = leaving_.rbegin(); it != leaving_.rend(); ++it) {
    if (it->instance.phase == Phase::killing || it->instance.phase == Phase::unreachable) continue;
    if (it->serial && !busy.insert(it->server).second) continue;
    kill(it->instance, Ending::stop, it->instance.grace);
  }
}

/// One step towards no tasks. Called after every input until none is left.
void Core::drain() {
  for (std::size_t s = node_.servers.size(); s-- > 0;) {
    const bool ended = drain_server(s);
    if (!ended && node_.stop.order == specs::StopOrder::serial) return;
  }
  const auto lives = [](const Instance& i) {
    return i.has_task() && i.phase != Phase::unreachable;  // TEARDOWN ends those whose agent comes back
  };
  drained_ = subscribed_ && std::none_of(instances_.begin(), instances_.end(), lives) &&
             std::none_of(leaving_.begin(), leaving_.end(), [&](const auto& l) { return lives(l.instance); });
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

}  // namespace banyan::service
