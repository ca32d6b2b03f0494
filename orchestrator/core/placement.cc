#include "orchestrator/core/placement.h"

#include <algorithm>
#include <set>
#include <utility>

#include "orchestrator/core/words.h"

namespace banyan::root {
namespace {

std::string whose(const specs::Node& node, const specs::Server& server) {
  return node.name + (server.name == node.name ? "" : "/" + server.name);
}

/// A port that is written down as a number.
struct FixedPort {
  std::pair<specs::Transport, std::uint16_t> key;
  std::string name, owner;
  specs::Position at;
};

std::vector<FixedPort> fixed_ports(const specs::Stack& stack) {
  std::vector<FixedPort> ports;
  for (const auto& node : stack.nodes)
    for (const auto& server : node.servers)
      for (const auto& [name, port] : server.ports)
        if (port.fixed) ports.push_back({{port.protocol, *port.fixed}, name, whose(node, server), port.at});
  return ports;
}

/// "31000-32000, 1024-2000"; agents of one kind offer the same.
std::string words(const std::vector<PortRange>& ranges) {
  std::set<std::string> told;
  std::string text;
  for (const auto& [begin, end] : ranges)
    if (auto range = std::to_string(begin) + "-" + std::to_string(end); told.insert(range).second)
      text += (text.empty() ? "" : ", ") + range;
  return text;
}

/// Fixed ports are reserved on the agents, so they must be among those that an agent offers.
void judge_offers(const std::vector<FixedPort>& ports, const std::string& file, const std::vector<AgentTotal>& agents,
                  Placement& placement) {
  std::vector<PortRange> offered;
  for (const auto& agent : agents) offered.insert(offered.end(), agent.ports.begin(), agent.ports.end());
  if (offered.empty()) return;  // nothing is known; the node's scheduler will say what it waits for
  for (const auto& port : ports) {
    const auto number = port.key.second;
    if (std::ranges::any_of(offered, [&](const PortRange& r) { return r.begin <= number && number <= r.end; }))
      continue;
    specs::Diagnostic error;
    error.code = "E501";
    error.file = file;
    error.at = port.at;
    error.message = "port " + std::to_string(number) + " is offered by no agent";
    error.width = static_cast<std::uint32_t>(port.name.size());
    error.hint = "write auto, or a port of " + words(offered) + "; an agent offers others by --resources";
    placement.errors.push_back(std::move(error));
  }
}

/// And no other stack may have them.
void judge_others(const std::vector<FixedPort>& ports, const std::vector<const specs::Stack*>& others, bool one_agent,
                  Placement& placement) {
  for (const auto* other : others)
    for (const auto& taken : fixed_ports(*other)) {
      const auto mine = std::ranges::find(ports, taken.key, &FixedPort::key);
      if (mine == ports.end()) continue;
      const std::string text = "port " + std::to_string(taken.key.second) + " of " + mine->owner + " is taken by " +
                               taken.owner + " of stack " + other->name + "; choose another number, or auto";
      if (one_agent) placement.refusals.push_back(text);
      else placement.warnings.push_back("warning: " + text + ", unless they are to run on different hosts");
    }
}

std::string mem(std::int64_t bytes) { return words_of_bytes(bytes) + " of memory"; }
std::string disk(std::int64_t bytes) { return words_of_bytes(bytes) + " of disk"; }

struct Amount {
  std::int64_t need;
  std::int64_t AgentTotal::* has;
  std::string (*text)(std::int64_t);
};

/// One instance of a server lies on one agent: the biggest must hold it.
void judge_size(const std::string& who, const specs::Server& server, const std::vector<AgentTotal>& agents,
                Placement& placement) {
  std::int64_t disk_bytes = server.resources.disk_bytes;
  for (const auto& [name, volume] : server.volumes) disk_bytes += volume.size_bytes;
  for (const auto& amount : {Amount{server.resources.cpus_milli, &AgentTotal::cpus_milli, words_of_cpus},
                             Amount{server.resources.mem_bytes, &AgentTotal::mem_bytes, mem},
                             Amount{disk_bytes, &AgentTotal::disk_bytes, disk}}) {
    const auto& biggest = *std::ranges::max_element(agents, {}, amount.has);
    if (amount.need > biggest.*amount.has)
      placement.warnings.push_back("warning: " + who + " needs " + amount.text(amount.need) +
                                   ", and no agent has as much: the biggest, " + biggest.host + ", has " +
                                   amount.text(biggest.*amount.has) +
                                   " in all; it will wait until one joins that does");
  }
}

}  // namespace

Placement judge_placement(const specs::Stack& wanted, const std::string& file,
                          const std::vector<const specs::Stack*>& others, const std::vector<AgentTotal>& agents) {
  Placement placement;
  if (agents.empty()) return placement;
  const auto ports = fixed_ports(wanted);
  judge_offers(ports, file, agents, placement);
  judge_others(ports, others, agents.size() == 1, placement);
  for (const auto& node : wanted.nodes)
    for (const auto& server : node.servers) judge_size(whose(node, server), server, agents, placement);
  return placement;
}

}  // namespace banyan::root
