#include "orchestrator/core/offered_ports.h"

#include <algorithm>
#include <set>

namespace banyan::root {
namespace {

std::string list(const std::vector<PortRange>& ranges) {
  std::set<std::string> texts;  // agents of one kind offer the same
  std::string text;
  for (const auto& [begin, end] : ranges)
    if (auto range = std::to_string(begin) + "-" + std::to_string(end); texts.insert(range).second)
      text += (text.empty() ? "" : ", ") + range;
  return text;
}

}  // namespace

std::vector<specs::Diagnostic> outside_offers(const specs::Stack& stack, const std::string& file,
                                              const std::vector<AgentTotal>& agents) {
  std::vector<specs::Diagnostic> errors;
  std::vector<PortRange> offered;
  for (const auto& agent : agents) offered.insert(offered.end(), agent.ports.begin(), agent.ports.end());
  if (offered.empty()) return errors;
  const auto is_offered = [&](std::uint16_t port) {
    return std::ranges::any_of(offered, [&](const PortRange& r) { return r.begin <= port && port <= r.end; });
  };
  for (const auto& node : stack.nodes)
    for (const auto& server : node.servers)
      for (const auto& [name, port] : server.ports) {
        if (!port.fixed || is_offered(*port.fixed)) continue;
        specs::Diagnostic error;
        error.code = "E501";
        error.file = file;
        error.at = port.at;
        error.message = "port " + std::to_string(*port.fixed) + " is offered by no agent";
        error.width = static_cast<std::uint32_t>(name.size());
        error.hint = "write auto, or a port of " + list(offered) + "; an agent offers others by --resources";
        errors.push_back(std::move(error));
      }
  return errors;
}

}  // namespace banyan::root
