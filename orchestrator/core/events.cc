// The bounded event log: what happened, why, what began it, and how long something was away.
#include <cstdio>
#include <utility>

#include "orchestrator/core/core.h"
#include "runtime/base/limits.h"

namespace banyan::root {
namespace {

std::string event_key(std::uint64_t seq) {
  char key[32];
  std::snprintf(key, sizeof key, "event/%020llu", static_cast<unsigned long long>(seq));
  return key;
}

}  // namespace

void Core::record_event(const std::string& stack, const std::string& kind, const std::string& detail,
                        const std::string& cause) {
  Event event;
  event.set_stack(stack);
  event.set_kind(kind);
  event.set_detail(detail);
  event.set_cause(cause);
  log_event(event);
}

/// A node's story begins with the first event while it is met, and ends when it is met again: settle() forgets it then.
void Core::record_event(Node& node, const std::string& kind, const std::string& detail, const std::string& cause,
                        Duration outage) {
  Event event;
  event.set_stack(node.stack->name());
  event.set_node(node.spec->name);
  event.set_kind(kind);
  event.set_detail(detail);
  event.set_cause(cause);
  event.set_root_cause(node.story);
  event.set_outage_ms(static_cast<std::uint64_t>(milliseconds(outage)));
  log_event(event);
  if (node.story == 0) node.story = event_seq_;
}

void Core::log_event(Event& event) {
  event.set_seq(++event_seq_);
  event.set_wall_ms(milliseconds(now_.wall.time_since_epoch()));
  event.set_mono_ms(static_cast<std::uint64_t>(milliseconds(now_.mono.time_since_epoch())));
  changes_.push_back({event_key(event.seq()), event.SerializeAsString()});
  events_.push_back(event);
  if (events_.size() > limits::event_log_max) {
    changes_.push_back({event_key(events_.front().seq()), std::nullopt});
    events_.pop_front();
  }
  effects_.emplace_back(Announce{event});
}

/// Of each server whose state or pid is another one. A relaunched server has a new task, and its old name.
void Core::record_servers(Node& node, const ChildStatus& before, const ChildStatus& now) {
  std::map<std::string, const banyan::ServerStatus*> by_name;
  for (const auto& server : before.servers()) by_name[server.name()] = &server;
  std::map<std::string, Instant> down;
  for (const auto& server : now.servers()) {
    const auto found = by_name.find(server.name());
    const banyan::ServerStatus* old = found == by_name.end() ? nullptr : found->second;
    const bool serves = server.state() == "serving" || server.state() == "completed";
    const auto since = node.servers_down.find(server.name());
    if (!serves && since != node.servers_down.end()) down[server.name()] = since->second;
    else if (!serves && old != nullptr && old->state() == "serving") down[server.name()] = now_.mono;
    if (old != nullptr && old->task_id() == server.task_id() && old->state() == server.state() &&
        old->pid() == server.pid())
      continue;
    record_event(node, "server." + server.state(),
                 server.name() + (server.pid() == 0 ? "" : " pid " + std::to_string(server.pid())), server.reason(),
                 serves && since != node.servers_down.end() ? now_.mono - since->second : Duration{});
  }
  node.servers_down = std::move(down);
}

std::vector<Event> Core::events(const std::string& stack, std::uint64_t after) const {
  std::vector<Event> found;
  for (const auto& event : events_)
    if (event.seq() > after && (stack.empty() || event.stack().empty() || event.stack() == stack))
      found.push_back(event);
  return found;
}

}  // namespace banyan::root
