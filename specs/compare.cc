// What `up` on a running stack would change.
#include <map>

#include "specs/plan.h"
#include "specs/value_json.h"

namespace banyan::specs {

namespace {

namespace json = boost::json;

template <class T>
json::object described(const T& value) {
  return WriteJson{.positions = false}.write(value).as_object();
}

/// What differs between two objects, in words: "instances changed", "env KAFKA_OPTS changed, env X added".
std::string differences(const json::object& a, const json::object& b, const std::string& prefix = {}) {
  std::string out;
  const auto say = [&](std::string_view key, const char* what) {
    out += (out.empty() ? "" : ", ") + prefix + std::string(key) + " " + what;
  };
  for (const auto& [key, value] : a) {
    const auto* other = b.if_contains(key);
    if (other == nullptr) {
      say(key, "removed");
    } else if (*other != value) {
      const bool mapping = prefix.empty() && (key == "env" || key == "ports" || key == "volumes");
      if (mapping)
        out += (out.empty() ? "" : ", ") + differences(value.as_object(), other->as_object(), std::string(key) + " ");
      else say(key, "changed");
    }
  }
  for (const auto& [key, value] : b)
    if (!a.contains(key)) say(key, "added");
  return out;
}

/// Only what a server's task is made of: how it is probed, restarted and stopped changes without a restart.
json::object task_of(const Server& server) {
  auto out = described(server);
  for (const auto* field : {"readiness", "restart", "stop", "instances"}) out.erase(field);
  return out;
}

StackChange compare_nodes(const Node& running, const Node& wanted) {
  StackChange change{wanted.name, StackChange::Kind::unchanged, {}};
  const auto because = [&](StackChange::Kind kind, const std::string& why) {
    if (kind == StackChange::Kind::restart_servers) change.kind = kind;
    change.why += (change.why.empty() ? "" : "; ") + why;
  };
  std::map<std::string, const Server*> before;
  for (const auto& server : running.servers) before[server.name] = &server;
  for (const auto& server : wanted.servers) {
    const auto old = before.find(server.name);
    if (old == before.end()) {
      because(StackChange::Kind::restart_servers, "server " + server.name + " added");
      continue;
    }
    if (const auto task = differences(task_of(*old->second), task_of(server)); !task.empty())
      because(StackChange::Kind::restart_servers, "server " + server.name + ": " + task);
    else if (const auto care = differences(described(*old->second), described(server)); !care.empty())
      because(old->second->instances == server.instances ? StackChange::Kind::unchanged
                                                         : StackChange::Kind::restart_servers,
              "server " + server.name + ": " + care);
    before.erase(old);
  }
  for (const auto& [name, server] : before) because(StackChange::Kind::restart_servers, "server " + name + " removed");
  if (const auto scheduler = differences(described(running.scheduler), described(wanted.scheduler)); !scheduler.empty())
    because(StackChange::Kind::restart_servers, "scheduler: " + scheduler);
  auto old_rest = described(running), new_rest = described(wanted);
  for (auto* rest : {&old_rest, &new_rest})
    for (const auto* field : {"servers", "scheduler"}) rest->erase(field);
  if (const auto rest = differences(old_rest, new_rest); !rest.empty()) because(StackChange::Kind::unchanged, rest);
  return change;
}

}  // namespace

std::vector<StackChange> compare(const Stack& running, const Stack& wanted) {
  std::vector<StackChange> out;
  std::map<std::string, const Node*> before;
  for (const auto& node : running.nodes) before[node.name] = &node;
  for (const auto& node : wanted.nodes) {
    const auto old = before.find(node.name);
    if (old == before.end()) {
      out.push_back({node.name, StackChange::Kind::add, "not running yet"});
      continue;
    }
    out.push_back(compare_nodes(*old->second, node));
    before.erase(old);
  }
  for (const auto& node : running.nodes)
    if (before.contains(node.name))
      out.push_back({node.name, StackChange::Kind::remove, "no longer in the stack file"});
  return out;
}

}  // namespace banyan::specs
