#include "specs/warnings.h"

#include <algorithm>
#include <map>

namespace banyan::specs {

namespace {

Where where_of(const Edge& edge) { return {edge.at, static_cast<std::uint32_t>(edge.on.size()), {}}; }

/// A declared edge to a framework whose addresses are not asked for: they are perhaps written down by hand.
void warn_of_unused_edge(const NodeDraft& draft, const Edge& edge, const NodeDraft& target, Report& report) {
  const bool unused = !edge.implied && edge.condition == Condition::serving && !target.endpoints.empty() &&
                      draft.node.scheduler.service && !draft.uses_variables && !draft.uses.contains(edge.on);
  if (!unused) return;
  report.warn(
      "W501", where_of(edge),
      "framework " + quoted(draft.node.name) + " waits for " + quoted(edge.on) + " but uses none of its endpoints",
      "write ${" + edge.on + ".endpoints." + target.endpoints.front().name +
          "} where its address is needed; each of its launches then gets the address of that moment");
}

/// "Serving" says little about a server that nobody asks.
void warn_of_blind_wait(const NodeDraft& draft, const Edge& edge, const NodeDraft& target, Report& report) {
  const auto listens = [](const ServerDraft& d) { return !d.server.ports.empty(); };
  const auto asked = [](const ServerDraft& d) { return !d.server.readiness.empty(); };
  if (edge.condition != Condition::serving || target.node.goal != Goal::serving || !target.node.scheduler.service ||
      std::ranges::none_of(target.servers, listens) || std::ranges::any_of(target.servers, asked))
    return;
  report
      .warn("W504", {target.node.at, static_cast<std::uint32_t>(target.node.name.size()), {}},
            "others wait until " + quoted(target.node.name) + " serves, but it has no readiness",
            "without one it counts as serving as soon as it runs: readiness: { tcp: " +
                std::ranges::find_if(target.servers, listens)->server.ports.begin()->first + " }")
      .related.push_back({edge.at, quoted(draft.node.name) + " waits", edge.file});
}

using FixedPorts = std::map<std::pair<Transport, std::uint16_t>, std::pair<std::string, Position>>;

/// Fixed ports are taken on the host: whoever comes second cannot run there.
void warn_of_fixed_ports(const NodeDraft& draft, const ServerDraft& server, FixedPorts& taken, Report& report) {
  for (const auto& [name, port] : server.server.ports) {
    if (!port.fixed) continue;
    const Where where{port.at, static_cast<std::uint32_t>(name.size()), {}};
    const auto number = std::to_string(*port.fixed);
    const auto whose = "server " + quoted(server.server.name) + " of " + quoted(draft.node.name);
    if (server.server.instances > 1)
      report.warn("W503", where,
                  "port " + number + " is fixed, so no two of the " + std::to_string(server.server.instances) +
                      " instances can run on one host",
                  "write " + name + ": auto, or have as many hosts as instances");
    const auto [first, fresh] = taken.emplace(std::pair(port.protocol, *port.fixed), std::pair(whose, port.at));
    if (!fresh)
      report
          .warn("W502", where, "port " + number + " is fixed for " + whose + " and for " + first->second.first,
                "on one host only one of them can run; write auto where the number does not matter")
          .related.push_back({first->second.second, "also here", {}});
  }
}

/// Some shells, dash among them, drop what they cannot name from the environment of what they start.
void warn_of_shell_names(const ServerDraft& draft, Report& report) {
  if (!draft.server.command.shell) return;
  for (const auto& [name, value] : draft.server.env) {
    if (is_shell_name(name)) continue;
    report.warn("W505", {value.at, static_cast<std::uint32_t>(value.text.size()), {}},
                "a shell may not pass " + quoted(name) + " on to the program",
                "write the command as a list, which no shell reads: command: [program, argument]");
  }
}

}  // namespace

void warn(const std::vector<NodeDraft>& drafts, Report& report) {
  std::map<std::string_view, const NodeDraft*> nodes;
  for (const auto& draft : drafts) nodes[draft.node.name] = &draft;
  std::set<std::string_view> blind;  // one warning a framework, however many wait for it
  FixedPorts taken;
  for (const auto& draft : drafts) {
    for (const auto& edge : draft.node.edges) {
      const auto& target = *nodes.at(edge.on);
      warn_of_unused_edge(draft, edge, target, report);
      if (blind.insert(edge.on).second) warn_of_blind_wait(draft, edge, target, report);
    }
    for (const auto& server : draft.servers) {
      warn_of_fixed_ports(draft, server, taken, report);
      warn_of_shell_names(server, report);
    }
  }
}

}  // namespace banyan::specs
