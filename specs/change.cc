#include "specs/change.h"

#include <algorithm>
#include <map>

#include "runtime/base/check.h"
#include "runtime/base/fnv.h"
#include "specs/expression.h"
#include "specs/value_json.h"

namespace banyan::specs {

namespace {

namespace json = boost::json;

struct Row {
  std::string_view field;
  Effect effect;
};

// What a change of each field does. Fields are those of node_fields.h; one without a row fails every test that judges.
constexpr Row server_rows[] = {
    {"name", Effect::nothing},       // another name is another server
    {"command", Effect::restart},    //
    {"instances", Effect::nothing},  // judged by the numbers, see scale()
    {"resources", Effect::restart},  //
    {"uris", Effect::restart},       //
    {"files", Effect::restart},      //
    {"env", Effect::restart},        //
    {"ports", Effect::restart},      // the new port is claimed, the old one given back
    {"volumes", Effect::restart},    // mounted elsewhere; grown; what cannot be: volume_trouble()
    {"user", Effect::restart},       //
    {"readiness", Effect::nothing},  // an exec probe's command is part of the task, see task_of()
    {"restart", Effect::nothing},    //
    {"stop", Effect::nothing},       //
    {"checks", Effect::restart},     // added by task_of()
};
constexpr Row scheduler_rows[] = {
    {"service", Effect::refused},           // declared servers cannot become another program's, nor back
    {"command", Effect::restart},           //
    {"uris", Effect::restart},              //
    {"resources", Effect::restart},         //
    {"env", Effect::restart},               //
    {"signal_on_change", Effect::nothing},  //
    {"readiness", Effect::nothing},         // its executor asks by the new one at once
};
constexpr Row node_rows[] = {
    {"edges", Effect::nothing},      // they hold back the next launch
    {"endpoints", Effect::nothing},  // republished
    {"goal", Effect::nothing},       //
    {"stop", Effect::nothing},       //
    {"user", Effect::nothing},       // part of the task of each server without its own, see task_of()
};

template <std::size_t N>
Effect row(const Row (&rows)[N], std::string_view field) {
  const auto* found = std::find_if(std::begin(rows), std::end(rows), [&](const Row& r) { return r.field == field; });
  BANYAN_CHECK(found != std::end(rows));
  return found->effect;
}

void weigh(Effect& all, Effect one) { all = std::max(all, one); }

/// REQUIRES: the same fields in both.
template <std::size_t N>
Effect heaviest(const Row (&rows)[N], const json::object& before, const json::object& after) {
  Effect all = Effect::nothing;
  for (const auto& field : after) {
    const Effect one = row(rows, field.key());
    if (before.at(field.key()) != field.value()) weigh(all, one);
  }
  return all;
}

template <class T>
json::object described(const T& value) {
  return WriteJson{.positions = false}.write(value).as_object();
}

/// What differs between two objects.
std::vector<std::pair<std::string, std::string_view>> differences(const json::object& a, const json::object& b) {
  std::vector<std::pair<std::string, std::string_view>> out;
  for (const auto& [key, value] : a) {
    const auto* other = b.if_contains(key);
    if (other == nullptr || *other != value) out.emplace_back(key, other == nullptr ? "removed" : "changed");
  }
  for (const auto& [key, value] : b)
    if (!a.contains(key)) out.emplace_back(key, "added");
  return out;
}

void add_text(std::string& to, const std::string& text, std::string_view separator) {
  if (!text.empty()) to += (to.empty() ? "" : std::string(separator)) + text;
}

std::string megabytes(std::int64_t bytes) { return std::to_string(bytes >> 20) + " MB"; }

/// ", from 16 MB to 32 MB" of a volume whose size differs; "" of anything else. Nothing but volumes has a size.
std::string resized(const json::value* before, const json::value* after) {
  if (before == nullptr || after == nullptr || !before->is_object() || !after->is_object()) return "";
  const auto& a = before->as_object();
  const auto& b = after->as_object();
  if (!a.contains("size") || a.contains("host_path") || b.contains("host_path") || a.at("size") == b.at("size"))
    return "";
  const auto was = a.at("size").to_number<std::int64_t>(), is = b.at("size").to_number<std::int64_t>();
  return ", from " + megabytes(was) + " to " + megabytes(is) +
         (is < was ? " (nothing is deleted; look first whether its data fits)" : "");
}

/// "env A changed, env B added, volumes data changed, from 16 MB to 32 MB, command changed"
std::string in_words(const json::object& a, const json::object& b) {
  std::string out;
  for (const auto& [key, what] : differences(a, b)) {
    if (key != "env" && key != "ports" && key != "volumes") {
      add_text(out, key + " " + std::string(what), ", ");
      continue;
    }
    const auto &before = a.at(key).as_object(), &after = b.at(key).as_object();
    for (const auto& [name, done] : differences(before, after))
      add_text(out,
               key + " " + name + " " + std::string(done) + resized(before.if_contains(name), after.if_contains(name)),
               ", ");
  }
  return out;
}

/// Only what the server's task is made of.
json::object task_of(const Node& node, const Server& server) {
  auto out = described(server);
  json::array checks;  // the agent runs them, as part of the task
  for (const auto& readiness : server.readiness)
    if (const auto* exec = std::get_if<ExecProbe>(&readiness.probe)) checks.push_back(described(exec->command));
  if (!checks.empty()) out["checks"] = std::move(checks);
  if (server.user.empty()) out["user"] = node.user;
  for (const auto& field : described(server))
    if (row(server_rows, field.key()) != Effect::restart) out.erase(field.key());
  return out;
}

void collect_texts(const json::value& value, std::vector<std::string>& out) {
  if (const auto* text = value.if_string()) out.emplace_back(*text);
  if (const auto* list = value.if_array())
    for (const auto& item : *list) collect_texts(item, out);
  if (const auto* object = value.if_object())
    for (const auto& [key, item] : *object) collect_texts(item, out);
}

/// Whether an expression in what the server's tasks are made of is such that `holds`.
template <class Holds>
bool any_expression(const Node& node, const Server& server, Holds holds) {
  std::vector<std::string> texts;
  collect_texts(task_of(node, server), texts);
  return std::ranges::any_of(texts, [&](const std::string& text) {
    return std::ranges::any_of(cut(text).all, [&](const auto& segment) {
      const auto expression = parse_expression(segment.expression);
      return expression && holds(*expression);
    });
  });
}

/// Whether a text of the server is rendered differently when the node has other servers.
bool names_own_addresses(const Node& node, const Server& server) {
  return any_expression(node, server, [&](const Expression& expression) {
    if (std::holds_alternative<PeersWord>(expression) || std::holds_alternative<Join>(expression)) return true;
    const auto* endpoint = std::get_if<EndpointName>(&expression);
    return endpoint != nullptr && endpoint->node == node.name;
  });
}

/// Why a running server's volumes cannot become the wanted ones; "" when they can.
std::string volume_trouble(const Server& running, const Server& wanted) {
  std::string why;
  for (const auto& [name, old] : running.volumes) {
    if (old.host_path) continue;
    const auto now = wanted.volumes.find(name);
    if (now == wanted.volumes.end() || now->second.host_path)
      add_text(why, "volume " + name + " would be left behind with its data", ", ");
  }
  return why;
}

constexpr const char* volume_remedy =
    "declare the volume again (it may have another size), or delete its data first: "
    "take the stack down "
    "with `banyan down --volumes`, then `banyan up`";

void because(NodeChange& change, const std::string& subject, const std::string& why) {
  if (!why.empty()) add_text(change.why, subject + why, "; ");
}

void judge_servers(const Node& running, const Node& wanted, NodeChange& out) {
  const auto add = [&](ServerChange change) {
    if (change.why.empty()) return;
    weigh(out.effect, change.effect);
    because(out, "server " + change.server + ": ", change.why);
    if (out.remedy.empty()) out.remedy = change.remedy;
    out.servers.push_back(std::move(change));
  };
  std::map<std::string, const Server*> before;
  for (const auto& server : running.servers) before[server.name] = &server;
  bool others = false;  // the node's own addresses are others
  for (const auto& server : wanted.servers) {
    const auto old = before.find(server.name);
    others = others || old == before.end() || old->second->instances != server.instances;
    if (old == before.end()) {
      add({server.name, Effect::add, "added", ""});
      continue;
    }
    auto change = judge(*old->second, server, wanted);
    if (running.user != wanted.user && server.user.empty()) {
      add_text(change.why, "the framework's user changed", ", ");
      weigh(change.effect, Effect::restart);
    }
    before.erase(old);
    add(std::move(change));
  }
  for (const auto& [name, server] : before) add({name, Effect::remove, "removed", ""});
}

void judge_scheduler(const Node& running, const Node& wanted, NodeChange& out) {
  const auto before = described(running.scheduler), after = described(wanted.scheduler);
  out.scheduler = heaviest(scheduler_rows, before, after);
  because(out, "scheduler: ", in_words(before, after));
  if (out.scheduler != Effect::refused) return;
  out.effect = Effect::refused;
  out.remedy = "take the stack down with `banyan down`, then `banyan up`";
}

}  // namespace

std::string_view name(Effect effect) {
  switch (effect) {
    case Effect::nothing: return "apply";
    case Effect::keep: return "keep";
    case Effect::reload: return "reload";
    case Effect::remove: return "remove";
    case Effect::scale: return "scale";
    case Effect::add: return "add";
    case Effect::retry: return "retry";
    case Effect::restart: return "restart";
    case Effect::move: return "move";
    case Effect::refused: return "refused";
  }
  return "";
}

ServerChange judge(const Server& running, const Server& wanted, const Node& node) {
  ServerChange out{wanted.name, Effect::nothing, "", ""};
  auto before = described(running), after = described(wanted);
  for (auto* object : {&before, &after}) object->erase("instances");
  out.why = in_words(before, after);
  if (task_of(node, running) != task_of(node, wanted)) out.effect = Effect::restart;
  if (running.instances != wanted.instances) {
    add_text(out.why, "instances " + std::to_string(running.instances) + " -> " + std::to_string(wanted.instances),
             ", ");
    weigh(out.effect, Effect::scale);
    if (names_own_addresses(node, wanted)) {
      out.why += ", and the others name their peers";
      weigh(out.effect, Effect::restart);
    }
  }
  if (const auto trouble = volume_trouble(running, wanted); !trouble.empty()) {
    out.effect = Effect::refused;
    out.why = trouble;
    out.remedy = volume_remedy;
  }
  return out;
}

NodeChange judge(const Node& running, const Node& wanted) {
  NodeChange out;
  out.node = wanted.name;
  judge_servers(running, wanted, out);
  judge_scheduler(running, wanted, out);
  auto before = described(running), after = described(wanted);
  for (auto* rest : {&before, &after})
    for (const auto* field : {"name", "servers", "scheduler"}) rest->erase(field);
  weigh(out.effect, heaviest(node_rows, before, after));
  because(out, "", in_words(before, after));
  return out;
}

std::vector<NodeChange> judge(const Stack& running, const Stack& wanted) {
  std::vector<NodeChange> out;
  for (const auto& node : wanted.nodes) {
    const auto* old = running.find(node.name);
    if (old != nullptr) out.push_back(judge(*old, node));
    else out.push_back({node.name, true, Effect::add, {}, "not running yet", "", {}});
  }
  for (const auto& node : running.nodes)
    if (wanted.find(node.name) == nullptr)
      out.push_back({node.name, true, Effect::remove, {}, "no longer in the stack file", "", {}});
  return out;
}

std::vector<std::string> readdressed(const Node& running, const Node& wanted) {
  const auto server_of = [](const Node& node, const EndpointSpec& endpoint) -> const Server* {
    const auto found = std::ranges::find(node.servers, endpoint.server, &Server::name);
    return found == node.servers.end() || !found->ports.contains(endpoint.port) ? nullptr : &*found;
  };
  std::vector<std::string> names;
  for (const auto& [name, endpoint] : wanted.endpoints) {
    const auto old = running.endpoints.find(name);
    const Server* after = server_of(wanted, endpoint);
    const Server* before = old == running.endpoints.end() ? nullptr : server_of(running, old->second);
    if (before == nullptr || after == nullptr) continue;
    const bool same = old->second.server == endpoint.server && old->second.port == endpoint.port &&
                      before->instances == after->instances &&
                      before->ports.at(endpoint.port).fixed == after->ports.at(endpoint.port).fixed;
    if (!same) names.push_back(name);
  }
  return names;
}

bool names_endpoint(const Node& node, const Server& server, const std::string& of, const std::string& endpoint) {
  return any_expression(node, server, [&](const Expression& expression) {
    const auto* name = std::get_if<EndpointName>(&expression);
    return name != nullptr && name->node == of && name->name == endpoint;
  });
}

std::string describe(const NodeChange& change) {
  if (change.why.empty()) return "";
  const bool only_scheduler = change.effect == Effect::nothing && change.scheduler == Effect::restart;
  return (only_scheduler ? "restart the scheduler of" : std::string(name(change.effect))) + " " + change.node + ": " +
         change.why + (change.remedy.empty() ? "" : "; " + change.remedy);
}

std::string hash(const Node& node) { return Fnv().add(json::serialize(described(node))).hex(); }

std::string hash(const Node& node, const Server& server) {
  return Fnv().add(json::serialize(task_of(node, server))).hex();
}

}  // namespace banyan::specs
