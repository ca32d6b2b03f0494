#include "orchestrator/core/left_behind.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace banyan::root {
namespace {

using Addresses = std::map<std::string, std::vector<std::string>>;  ///< node -> endpoints

/// "web-0" of web, not "web-2-0".
bool is_instance(const std::string& name, const specs::Server& server) {
  const std::string front = server.name + "-";
  return name.starts_with(front) && name.find_first_not_of("0123456789", front.size()) == std::string::npos;
}

/// Whether an instance of it is there that was launched, and did not end.
bool runs(const Node& node, const specs::Server& server) {
  const auto& reported = node.record.report().child().servers();
  return node.spec->goal != specs::Goal::completed && std::ranges::any_of(reported, [&](const auto& instance) {
           return instance.pid() != 0 && is_instance(instance.name(), server);
         });
}

bool restarts(const std::vector<specs::NodeChange>& changes, const std::string& node, const std::string& server) {
  return std::ranges::any_of(changes, [&](const specs::NodeChange& change) {
    return change.node == node && std::ranges::any_of(change.servers, [&](const specs::ServerChange& one) {
             return one.server == server && one.effect >= specs::Effect::restart;
           });
  });
}

/// "db.sql 127.0.0.1:5432": what its instances were launched with and is different today.
std::set<std::string> launched_with(const Node& node, const specs::Server& server) {
  std::set<std::string> old;
  for (const auto& instance : node.record.report().child().servers())
    if (is_instance(instance.name(), server))
      old.insert(instance.launched_with().begin(), instance.launched_with().end());
  return old;
}

/// What will change of the addresses that its texts name: "db.sql".
std::set<std::string> will_change(const specs::Node& node, const specs::Server& server, const Addresses& readdressed) {
  std::set<std::string> names;
  for (const auto& edge : node.edges)
    if (const auto changed = readdressed.find(edge.on); changed != readdressed.end())
      for (const auto& endpoint : changed->second)
        if (specs::names_endpoint(node, server, edge.on, endpoint)) names.insert(edge.on + "." + endpoint);
  return names;
}

std::string joined(const std::set<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

std::vector<specs::NodeChange> left_behind(const Stack& running, const specs::Stack& wanted,
                                           const std::vector<specs::NodeChange>& changes) {
  Addresses readdressed;
  for (const auto& node : wanted.nodes)
    if (const auto* before = running.spec.find(node.name))
      if (auto names = specs::readdressed(*before, node); !names.empty()) readdressed[node.name] = std::move(names);
  std::vector<specs::NodeChange> behind;
  for (const auto& spec : wanted.nodes) {
    const auto known = running.nodes.find(spec.name);
    if (known == running.nodes.end()) continue;
    specs::NodeChange change;
    change.node = spec.name;
    change.effect = specs::Effect::keep;
    for (const auto& server : spec.servers) {
      if (!runs(known->second, server) || restarts(changes, spec.name, server.name)) continue;
      const auto future = will_change(spec, server, readdressed);
      const auto past = launched_with(known->second, server);
      if (future.empty() && past.empty()) continue;
      change.why = future.empty() ? "it goes on with " + joined(past) + ", which has changed since"
                                  : "it goes on with the old address of " + joined(future);
      change.remedy = "`banyan restart " + spec.name + "` brings it to the present one";
      change.servers.push_back({server.name, specs::Effect::keep, change.why, change.remedy});
    }
    if (!change.servers.empty()) behind.push_back(std::move(change));
  }
  return behind;
}

}  // namespace banyan::root
