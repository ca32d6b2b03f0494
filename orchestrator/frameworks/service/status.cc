// What the scheduler says about its servers and the node.
#include <algorithm>

#include "orchestrator/frameworks/service/core.h"
#include "specs/names.h"

namespace banyan::service {

bool Core::ready(const Instance& i) const {
  if (i.phase != Phase::running || node_.goal == specs::Goal::completed) return false;
  const auto& readiness = server_of(i).readiness;
  const bool proven = i.served || (i.running_since && now_.mono - *i.running_since >= serving_proves_after);
  if (node_.goal == specs::Goal::running || readiness.empty()) return proven;
  if (!port_complaint(i).empty()) return false;
  const bool checked = std::any_of(readiness.begin(), readiness.end(),
                                   [](const auto& r) { return std::holds_alternative<specs::ExecProbe>(r.probe); });
  return (i.check_passes || !checked) && readiness_.instance_ready(i.name);
}

/// When staying up will have proven a server that nothing probes.
std::optional<Instant> Core::proves_at(const Instance& i) const {
  const bool unprobed = node_.goal == specs::Goal::running || server_of(i).readiness.empty();
  if (i.phase != Phase::running || node_.goal == specs::Goal::completed || !unprobed || i.served) return std::nullopt;
  return i.running_since ? std::optional(*i.running_since + serving_proves_after) : std::nullopt;
}

/// A probe that passes proves nothing while the port it asks is not the server's own.
std::string Core::port_complaint(const Instance& i) const {
  if (i.phase != Phase::running) return "";
  for (const auto& readiness : server_of(i).readiness) {
    const auto* name = probed_port(readiness.probe);
    const auto port = name == nullptr ? i.ports().end() : i.ports().find(*name);
    if (port == i.ports().end() || !i.record.listens) continue;
    const auto number = std::to_string(port->second);
    if (i.record.listens->contains("tcp/" + number)) continue;
    if (const auto who = held_by(i.record, specs::Transport::tcp, port->second); !who.empty())
      return "port " + number + " is held by " + who + ", not by this server";
    return "port " + number + " is not listened on by this server yet";
  }
  return "";
}

bool Core::serving(const Instance& i) const { return i.served && ready(i); }

void Core::note_serving() {
  for (auto& i : instances_) {
    const bool all_ready = node_.goal == specs::Goal::running || readiness_.server_ready(i.server);
    if (ready(i) && all_ready) i.served = true;
    if (!serving(i)) i.serving_since.reset();
    else if (!i.serving_since) i.serving_since = now_.mono;
  }
}

bool Core::node_serving() const {
  if (instances_.empty() || draining() || !config_error_.empty() || !refused_.empty()) return false;
  return std::all_of(instances_.begin(), instances_.end(), [&](const auto& i) {
    return serving(i) && (node_.goal == specs::Goal::running || readiness_.server_ready(i.server));
  });
}

bool Core::node_completed() const {
  return node_.goal == specs::Goal::completed && !instances_.empty() && config_error_.empty() &&
         std::all_of(instances_.begin(), instances_.end(), [](const auto& i) { return i.record.completed; });
}

std::string Core::state_word(const Instance& i) const {
  switch (i.phase) {
    case Phase::idle:
      if (i.record.quarantined) return "quarantined";
      if (i.record.failed) return "failed";
      if (i.record.completed) return "completed";
      return draining() ? "stopped" : "waiting";
    case Phase::launched: return "launching";
    case Phase::running:
      if (node_.goal == specs::Goal::completed) return "running";
      return serving(i) ? "serving" : i.served ? "degraded" : "starting";
    case Phase::killing: return "stopping";
    case Phase::unknown:
    case Phase::unreachable: return "waiting";
  }
  return "waiting";
}

std::string Core::reason(const Instance& i) const {
  if (serving(i) || i.record.completed) return "";
  if (i.phase == Phase::unknown) return "the master has not yet said whether its task runs";
  if (i.phase == Phase::running) {
    if (node_.goal == specs::Goal::completed) return "";
    if (auto port = port_complaint(i); !port.empty()) return port;
    if (proves_at(i)) return "it has just started; nothing probes it, so it must stay up for a moment";
    const auto own = readiness_.complaint(i.name, i.server);
    if (!own.empty() || !ready(i)) return own.empty() ? "its readiness check has not passed yet" : own;
    return readiness_.complaint("", i.server);
  }
  if (i.phase == Phase::idle && !i.note.empty() && i.backoff_until) return "starts again after a pause; " + i.note;
  if (i.phase == Phase::idle && !draining() && !i.ended_for_good() && !gate_open())
    return "waits until everything its framework needs serves";
  if (i.phase == Phase::idle && i.note.empty() && !draining()) {
    if (i.record.place.agent.empty()) return "waiting for an offer with " + needs_text(server_of(i));
    return "waiting for an offer of agent " + i.record.place.agent + ", where its place is";
  }
  return i.note;
}

std::string Core::node_reason() const {
  if (!handover_) return "waiting for the handover";
  if (!config_error_.empty()) return config_error_;
  if (!refused_.empty()) return refused_;
  if (node_serving() || node_completed()) return "";
  if (draining()) return "stopping its servers";
  if (!subscribed_) return "not registered with a master";
  std::string first;
  std::size_t more = 0;
  for (const auto& i : instances_) {
    if (serving(i) || i.record.completed) continue;
    if (!first.empty()) {
      ++more;
      continue;
    }
    const auto why = reason(i);
    first = i.name + " is " + state_word(i) + (why.empty() ? "" : ": " + why);
  }
  if (more > 0) first += " (and " + std::to_string(more) + " more)";
  if (!first.empty()) return first;
  for (std::size_t s = 0; s < node_.servers.size(); ++s)
    if (const auto complaint = readiness_.complaint("", s); !complaint.empty())
      return node_.servers[s].name + ": " + complaint;
  return "its readiness probe has not passed yet";
}

ChildStatus Core::status() const {
  ChildStatus status;
  status.set_serving(handover_ && node_serving());
  if (const auto why = node_reason(); !why.empty()) status.set_reason(why);
  if (!handover_) return status;
  status.set_handover_version(handover_->version());
  if (node_completed()) status.set_completed(true);
  if (drained_) status.set_drained(true);
  for (const auto& [name, spec] : node_.endpoints) {
    auto* endpoint = status.add_endpoints();
    endpoint->set_name(name);
    endpoint->set_service_name(specs::service_name(handover_->stack(), node_.name, name));
    for (auto& address : addresses_of(node_, instances_, spec)) *endpoint->add_addresses() = std::move(address);
  }
  for (const auto& i : instances_) {
    describe(i, *status.add_servers());
    if (i.record.quarantined) status.set_quarantined(true);
    if (i.record.failed) status.set_failed(true);
  }
  for (const auto& l : leaving_) {
    auto* server = status.add_servers();
    server->set_task_id(l.instance.record.task);
    server->set_name(l.instance.name);
    server->set_state("stopping");
    server->set_reason("it is not declared any more");
    if (l.instance.pid) server->set_pid(*l.instance.pid);
  }
  if (observed()) status.set_observed(handover_->node_hash());
  if (auto step = progress(); !step.empty()) status.set_step(std::move(step));
  return status;
}

void Core::describe(const Instance& i, ServerStatus& server) const {
  const auto& record = i.record;
  server.set_task_id(record.task.empty() ? task_id(*handover_, i.name, record.attempt) : record.task);
  server.set_name(i.name);
  server.set_state(state_word(i));
  if (const auto why = reason(i); !why.empty()) server.set_reason(why);
  server.set_restarts(record.restarts);
  if (i.pid) server.set_pid(*i.pid);
  if (!record.place.agent.empty()) server.set_agent_id(record.place.agent);
  if (!record.place.host.empty()) server.set_host(record.place.host);
  for (const auto& [name, number] : i.ports()) server.add_addresses(record.place.host + ":" + std::to_string(number));
  if (!record.launched.empty()) server.set_launched(record.launched);
  if (i.phase != Phase::running) return;
  const auto now = addresses_of(*handover_);
  for (const auto& [name, addresses] : record.launched_with) {
    const auto today = now.find(name);
    if (today == now.end() || today->second == addresses) continue;
    server.add_launched_with(name.substr(0, name.find('.')) + name.substr(name.rfind('.')) + " " + addresses);
  }
  if (!server_of(i).ports.empty() && !record.listens)
    server.set_ports_unseen("nobody looks who listens on its ports: its executor is not Banyan's");
}

std::string Core::summary() const {
  std::string line;
  for (const auto& i : instances_) line += i.name + "=" + state_word(i) + " ";
  const auto why = node_reason();
  return line + "| " + (why.empty() ? "serving" : "not serving: " + why);
}

void Core::report() {
  auto now_status = status();
  auto bytes = now_status.SerializeAsString();
  if (reported_ == bytes) return;
  reported_ = std::move(bytes);
  effects_.push_back(Report{std::move(now_status)});
}

}  // namespace banyan::service
