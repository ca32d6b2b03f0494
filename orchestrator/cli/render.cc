#include "orchestrator/cli/render.h"

#include <boost/json.hpp>
#include <ctime>
#include <map>
#include <set>

namespace banyan::cli {
namespace {

namespace json = boost::json;

template <class List>
std::string join(const List& list, const std::string& separator) {
  std::string text;
  for (const auto& item : list) text += (text.empty() ? "" : separator) + item;
  return text;
}

std::string glyph(const std::string& state, const Paint& paint) {
  const auto how = look(state);
  return paint(how.tone, how.glyph);
}

std::string word(const std::string& state, const Paint& paint) { return paint(look(state).tone, state); }

std::string pid_text(std::uint32_t pid) { return pid == 0 ? "-" : std::to_string(pid); }

std::string endpoints_text(const root::NodeStatus& node) {
  std::string text;
  for (const auto& endpoint : node.endpoints())
    text += (text.empty() ? "" : "; ") + endpoint.name() + " " + join(endpoint.addresses(), ",");
  return text;
}

void node_rows(const root::NodeStatus& node, const Paint& paint, bool wide,
               std::vector<std::vector<std::string>>& rows) {
  const std::string reason = node.reason().empty() ? endpoints_text(node) : node.reason();
  std::vector<std::string> row{glyph(node.state(), paint) + " " + paint(Tone::strong, node.name()),
                               word(node.state(), paint), pid_text(node.scheduler().pid()),
                               std::to_string(node.scheduler().restarts()), elapsed(node.since_ms())};
  if (wide) {
    row.push_back(node.scheduler().framework_id());
    row.push_back(node.scheduler().agent());
    row.push_back(std::to_string(node.handover_acknowledged()) + "/" + std::to_string(node.handover_version()));
  }
  row.push_back(reason);
  rows.push_back(std::move(row));
  for (const auto& task : node.tasks()) {
    std::vector<std::string> task_row{"  " + glyph(task.state(), paint) + " " + task.name(), word(task.state(), paint),
                                      pid_text(task.pid()), std::to_string(task.restarts()), ""};
    if (wide) {
      task_row.push_back(task.id());
      task_row.push_back(task.agent());
      task_row.emplace_back("");
    }
    task_row.push_back(task.reason().empty() ? join(task.addresses(), ",") : task.reason());
    rows.push_back(std::move(task_row));
  }
}

json::array strings(const google::protobuf::RepeatedPtrField<std::string>& list) {
  json::array array;
  for (const auto& item : list) array.emplace_back(json::string(item));
  return array;
}

json::object to_json(const root::Endpoint& endpoint) {
  return {{"name", endpoint.name()},
          {"addresses", strings(endpoint.addresses())},
          {"service_name", endpoint.service_name()}};
}

json::object to_json(const root::Process& process) {
  return {{"id", process.id()}, {"pid", process.pid()}, {"address", process.address()}};
}

json::object to_json(const root::NodeStatus& node) {
  json::array tasks, endpoints, edges;
  for (const auto& task : node.tasks())
    tasks.push_back({{"id", task.id()},
                     {"name", task.name()},
                     {"state", task.state()},
                     {"pid", task.pid()},
                     {"agent", task.agent()},
                     {"reason", task.reason()},
                     {"restarts", task.restarts()},
                     {"addresses", strings(task.addresses())},
                     {"launched", task.launched()},
                     {"launched_with", strings(task.launched_with())},
                     {"ports_unseen", task.ports_unseen()}});
  for (const auto& endpoint : node.endpoints()) endpoints.push_back(to_json(endpoint));
  for (const auto& edge : node.edges())
    edges.push_back({{"on", edge.on()},
                     {"condition", edge.condition()},
                     {"holds", edge.holds()},
                     {"origin", edge.origin()},
                     {"required", edge.required()},
                     {"timeout_ms", edge.timeout_ms()}});
  const auto& scheduler = node.scheduler();
  return {{"name", node.name()},
          {"state", node.state()},
          {"reason", node.reason()},
          {"timed_out", node.timed_out()},
          {"since_ms", node.since_ms()},
          {"took_ms", node.took_ms()},
          {"goal", node.goal()},
          {"scheduler",
           {{"pid", scheduler.pid()},
            {"framework_id", scheduler.framework_id()},
            {"restarts", scheduler.restarts()},
            {"state", scheduler.state()},
            {"agent", scheduler.agent()},
            {"task_id", scheduler.task_id()}}},
          {"tasks", tasks},
          {"endpoints", endpoints},
          {"edges", edges},
          {"handover_version", node.handover_version()},
          {"handover_acknowledged", node.handover_acknowledged()},
          {"target", node.target()},
          {"observed", node.observed()},
          {"met", node.met()},
          {"confirmed", node.confirmed()},
          {"heard_ms", node.heard_ms()},
          {"cause_node", node.cause_node()}};
}

json::object to_json(const root::StackStatus& stack) {
  json::array nodes;
  for (const auto& node : stack.nodes()) nodes.push_back(to_json(node));
  const auto& revision = stack.revision();
  return {{"name", stack.name()},
          {"state", stack.state()},
          {"revision",
           {{"number", revision.number()},
            {"hash", revision.hash()},
            {"owner", revision.owner()},
            {"state", revision.state()},
            {"reason", revision.reason()},
            {"step", revision.step()},
            {"age_ms", revision.age_ms()},
            {"opened_ms", revision.opened_ms()},
            {"timeout_ms", revision.timeout_ms()}}},
          {"nodes", nodes}};
}

}  // namespace

std::string render_status(const root::Status& status, const Paint& paint, bool wide) {
  std::string text;
  if (!status.connected())
    text += paint(Tone::warning, "! the root is not connected to the master: this is the last it knew") + "\n";
  if (status.stacks().empty()) return text + "no stack is running\n";
  for (const auto& stack : status.stacks()) {
    int serving = 0;
    for (const auto& node : stack.nodes()) serving += node.state() == "serving" || node.state() == "completed";
    text += paint(Tone::strong, stack.name()) + "  " + glyph(stack.state(), paint) + " " + word(stack.state(), paint) +
            "  " + std::to_string(serving) + "/" + std::to_string(stack.nodes_size()) + " serving\n";
    std::vector<std::string> head{"  NAME", "STATE", "PID", "RESTARTS", "FOR"};
    if (wide) head.insert(head.end(), {"FRAMEWORK / TASK", "AGENT", "HANDOVER"});
    head.emplace_back("ADDRESSES / REASON");
    for (auto& cell : head) cell = paint(Tone::faint, cell);
    std::vector<std::vector<std::string>> rows{head};
    for (const auto& node : stack.nodes()) node_rows(node, paint, wide, rows);
    text += table(rows, {2, 3, 4});
  }
  return text;
}

std::string status_json(const root::Status& status) {
  json::object out{{"name", ""}, {"state", ""}, {"nodes", json::array()}};
  json::array stacks, agents;
  for (const auto& stack : status.stacks()) stacks.push_back(to_json(stack));
  for (const auto& stack : stacks) {  // the first one's fields stand at the top, too, with the nodes of all
    if (out["name"].as_string().empty())
      for (const char* field : {"name", "state"}) out[field] = stack.at(field);
    for (const auto& node : stack.at("nodes").as_array()) {
      auto& top = out["nodes"].as_array().emplace_back(node).as_object();
      top["stack"] = stack.at("name");
    }
  }
  for (const auto& agent : status.cluster().agents()) agents.push_back(to_json(agent));
  out["connected"] = status.connected();
  out["stacks"] = stacks;
  out["cluster"] = {{"master", to_json(status.cluster().master())},
                    {"root", to_json(status.cluster().root())},
                    {"agents", agents},
                    {"dev", to_json(status.cluster().dev())}};
  return json::serialize(out) + "\n";
}

std::string revision_text(const root::Revision& revision) {
  std::string text = std::to_string(revision.number());
  if (!revision.owner().empty()) text += " of " + revision.owner();
  text += ", " + revision.state() + " for " + elapsed(revision.age_ms());
  return revision.step().empty() ? text : text + ", " + revision.step();
}

std::string conflict_text(const root::UpReply& reply) {
  if (!reply.has_revision()) return reply.conflict();
  return reply.conflict() + ": revision " + revision_text(reply.revision()) +
         "\n  = help: wait for it, or put this file in its place with --supersede";
}

std::string render_planned(const root::UpReply& reply) {
  std::string text;
  for (const auto& change : reply.planned()) {
    if (change.effect() == "nothing") continue;
    text += "  " + change.effect() + " " + (change.server().empty() ? change.node() : change.server());
    if (!change.why().empty()) text += ": " + change.why();
    if (!change.remedy().empty()) text += "; " + change.remedy();
    text += "\n";
  }
  return text;
}

std::string render_why(const root::NodeStatus& node, const Paint& paint) {
  std::string text = glyph(node.state(), paint) + " " + paint(Tone::strong, node.name()) + " is " +
                     word(node.state(), paint) + " for " + elapsed(node.since_ms());
  text += node.reason().empty() ? "\n" : ": " + node.reason() + "\n";
  if (!node.cause_node().empty()) text += "  see `banyan why " + node.cause_node() + "`\n";
  for (const auto& edge : node.edges()) {
    const std::string condition = edge.on() + " (" + edge.condition() + ")" + (edge.required() ? "" : ", not required");
    text += "  " + (edge.holds() ? paint(Tone::good, "✔") : paint(Tone::warning, "◌")) + " needs " + condition +
            ", by " + edge.origin();
    if (!edge.holds()) text += ", for at most " + elapsed(edge.timeout_ms());
    text += "\n";
  }
  if (!node.scheduler().task_id().empty())
    text += "  its scheduler is " + node.scheduler().state() + ": pid " + pid_text(node.scheduler().pid()) +
            ", framework " + node.scheduler().framework_id() + ", " + std::to_string(node.scheduler().restarts()) +
            " restarts\n";
  for (const auto& task : node.tasks())
    if (task.state() != "serving" || !task.reason().empty())
      text += "  " + glyph(task.state(), paint) + " " + task.name() + " is " + word(task.state(), paint) +
              (task.reason().empty() ? "" : ": " + task.reason()) + "\n";
  for (const auto& task : node.tasks()) {
    for (const auto& old : task.launched_with())
      text += "  " + task.name() + " was launched with " + old + ", which has changed since\n";
    if (!task.ports_unseen().empty()) text += "  who listens for " + task.name() + ": " + task.ports_unseen() + "\n";
  }
  if (node.handover_acknowledged() < node.handover_version())
    text += "  its handover version " + std::to_string(node.handover_version()) + " has not arrived yet\n";
  return text;
}

std::string render_endpoints(const root::Status& status, const std::string& wanted, const Paint& paint) {
  std::vector<std::vector<std::string>> rows{{paint(Tone::faint, "NODE"), paint(Tone::faint, "ENDPOINT"),
                                              paint(Tone::faint, "ADDRESSES"), paint(Tone::faint, "NAME")}};
  for (const auto& stack : status.stacks())
    for (const auto& node : stack.nodes())
      for (const auto& endpoint : node.endpoints())
        if (wanted.empty() || wanted == node.name())
          rows.push_back({node.name(), endpoint.name(), join(endpoint.addresses(), ","), endpoint.service_name()});
  return table(rows);
}

std::string endpoints_json(const root::Status& status, const std::string& wanted) {
  json::array all;
  for (const auto& stack : status.stacks())
    for (const auto& node : stack.nodes())
      for (const auto& endpoint : node.endpoints()) {
        if (!wanted.empty() && wanted != node.name()) continue;
        json::object object = to_json(endpoint);
        object["node"] = node.name();
        object["stack"] = stack.name();
        all.push_back(std::move(object));
      }
  return json::serialize(all) + "\n";
}

std::string render_event(const root::Event& event, std::uint64_t zero_ms, const Paint& paint) {
  const std::time_t wall = static_cast<std::time_t>(event.wall_ms() / 1000);
  std::tm parts{};
  ::localtime_r(&wall, &parts);
  char clock[16], offset[24];
  std::strftime(clock, sizeof clock, "%H:%M:%S", &parts);
  std::snprintf(offset, sizeof offset, "%+10.3fs",
                (static_cast<double>(event.mono_ms()) - static_cast<double>(zero_ms)) / 1000);
  const auto dot = event.kind().find('.');
  const std::string state = dot == std::string::npos ? "" : event.kind().substr(dot + 1);
  const auto pad = [](const std::string& text, std::size_t columns) {
    return text.size() < columns ? text + std::string(columns - text.size(), ' ') : text;
  };
  std::string line = paint(Tone::faint, std::string(clock) + " " + offset) + "  " + pad(event.node(), 14) + "  " +
                     paint(look(state).tone, pad(event.kind(), 20));
  if (!event.detail().empty()) line += "  " + event.detail();
  if (event.outage_ms() > 0) line += "  after " + elapsed(event.outage_ms());
  if (!event.cause().empty()) line += paint(Tone::faint, "  (" + event.cause() + ")");
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string event_json(const root::Event& event) {
  return json::serialize(json::object{{"seq", event.seq()},
                                      {"wall_ms", event.wall_ms()},
                                      {"mono_ms", event.mono_ms()},
                                      {"stack", event.stack()},
                                      {"node", event.node()},
                                      {"kind", event.kind()},
                                      {"detail", event.detail()},
                                      {"cause", event.cause()},
                                      {"root_cause", event.root_cause()},
                                      {"outage_ms", event.outage_ms()}});
}

namespace {

struct Tree {
  std::map<std::string, const root::NodeStatus*> nodes;
  std::map<std::string, std::vector<std::pair<std::string, const root::Edge*>>> dependants;
  std::set<std::string> drawn;
  const Paint& paint;

  void draw(const std::string& name, const std::string& condition, const std::string& lead, const std::string& stem,
            std::string& text) {
    const bool again = !drawn.insert(name).second;
    const auto& node = *nodes.at(name);
    text += lead;
    if (again) {
      text += paint(Tone::faint, "↑ " + name + condition) + "\n";
      return;
    }
    text += glyph(node.state(), paint) + " " + name + condition + "  " + word(node.state(), paint) + "\n";
    const auto& below = dependants[name];
    for (std::size_t i = 0; i < below.size(); ++i) {
      const bool last = i + 1 == below.size();
      const auto& [child, edge] = below[i];
      draw(child, edge->condition() == "serving" ? "" : " [" + edge->condition() + "]", stem + (last ? "└─ " : "├─ "),
           stem + (last ? "   " : "│  "), text);
    }
  }
};

}  // namespace

std::string render_graph(const root::StackStatus& stack, const Paint& paint) {
  Tree tree{{}, {}, {}, paint};
  for (const auto& node : stack.nodes()) tree.nodes[node.name()] = &node;
  for (const auto& node : stack.nodes())
    for (const auto& edge : node.edges()) tree.dependants[edge.on()].emplace_back(node.name(), &edge);
  std::string text = paint(Tone::strong, stack.name()) + "\n";
  for (const auto& node : stack.nodes())
    if (node.edges().empty()) tree.draw(node.name(), "", "", "", text);
  return text;
}

}  // namespace banyan::cli
