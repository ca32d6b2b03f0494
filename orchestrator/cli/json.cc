#include "orchestrator/cli/json.h"

#include <boost/json.hpp>

namespace banyan::cli {
namespace {

namespace json = boost::json;

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

json::object to_json(const root::Revision& revision) {
  return {{"number", revision.number()}, {"hash", revision.hash()},           {"owner", revision.owner()},
          {"state", revision.state()},   {"reason", revision.reason()},       {"step", revision.step()},
          {"age_ms", revision.age_ms()}, {"opened_ms", revision.opened_ms()}, {"timeout_ms", revision.timeout_ms()}};
}

json::object to_json(const root::StackStatus& stack) {
  json::array nodes;
  for (const auto& node : stack.nodes()) nodes.push_back(to_json(node));
  return {{"name", stack.name()}, {"state", stack.state()}, {"revision", to_json(stack.revision())}, {"nodes", nodes}};
}

}  // namespace

std::string status_json(const root::Status& status) {
  json::object out{{"name", ""}, {"state", ""}, {"revision", to_json(root::Revision())}, {"nodes", json::array()}};
  json::array stacks, agents;
  for (const auto& stack : status.stacks()) stacks.push_back(to_json(stack));
  for (const auto& stack : stacks) {  // the first one's fields stand at the top, too, with the nodes of all
    if (out["name"].as_string().empty())
      for (const char* field : {"name", "state", "revision"}) out[field] = stack.at(field);
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

std::string revision_json(const root::Revision& revision) { return json::serialize(to_json(revision)); }

std::string history_json(const std::string& stack, const root::History& history) {
  json::array revisions;
  for (const auto& revision : history.revisions()) revisions.push_back(to_json(revision));
  return json::serialize(json::object{{"stack", stack}, {"revisions", revisions}});
}

std::string log_json(const std::string& source, const std::string& line) {
  return json::serialize(json::object{{"source", source}, {"line", line}});
}

}  // namespace banyan::cli
