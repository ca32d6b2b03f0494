#include "orchestrator/core/placement.h"

#include <algorithm>
#include <map>
#include <utility>

namespace banyan::root {
namespace {

using Ports = std::map<std::pair<specs::Transport, std::uint16_t>, std::string>;

std::string whose(const specs::Node& node, const specs::Server& server) {
  return node.name + (server.name == node.name ? "" : "/" + server.name);
}

/// Who wants which fixed port.
Ports fixed_ports(const specs::Stack& stack) {
  Ports ports;
  for (const auto& node : stack.nodes)
    for (const auto& server : node.servers)
      for (const auto& [name, port] : server.ports)
        if (port.fixed) ports.emplace(std::pair(port.protocol, *port.fixed), whose(node, server));
  return ports;
}

std::string cpus(std::int64_t milli) {
  std::string text = std::to_string(milli / 1000) + "." + std::to_string(1000 + milli % 1000).substr(1);
  return text.erase(text.find_last_not_of('0') + (text[text.find_last_not_of('0')] == '.' ? 0 : 1)) + " cpus";
}
std::string mem(std::int64_t bytes) { return std::to_string(bytes >> 20) + " MiB of memory"; }
std::string disk(std::int64_t bytes) { return std::to_string(bytes >> 20) + " MiB of disk"; }

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
  for (const auto& amount : {Amount{server.resources.cpus_milli, &AgentTotal::cpus_milli, cpus},
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

Placement judge_placement(const specs::Stack& wanted, const std::vector<const specs::Stack*>& others,
                          const std::vector<AgentTotal>& agents) {
  Placement placement;
  const auto mine = fixed_ports(wanted);
  for (const auto* other : others)
    for (const auto& [port, holder] : fixed_ports(*other)) {
      const auto found = mine.find(port);
      if (found == mine.end() || agents.empty()) continue;
      const std::string text = "port " + std::to_string(port.second) + " of " + found->second + " is taken by " +
                               holder + " of stack " + other->name + "; choose another number, or auto";
      if (agents.size() == 1) placement.refusals.push_back(text);
      else placement.warnings.push_back("warning: " + text + ", unless they are to run on different hosts");
    }
  if (agents.empty()) return placement;
  for (const auto& node : wanted.nodes)
    for (const auto& server : node.servers) judge_size(whose(node, server), server, agents, placement);
  return placement;
}

}  // namespace banyan::root
