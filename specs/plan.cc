#include "specs/plan.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "specs/graph.h"
#include "specs/value_json.h"

namespace banyan::specs {

namespace {

std::string_view name_of(Condition condition) {
  switch (condition) {
    case Condition::started: return "started";
    case Condition::serving: return "serving";
    case Condition::completed: return "completed";
  }
  return "";
}

std::string place(const Stack& stack, const Edge& edge) {
  return (edge.file.empty() ? stack.file : edge.file) + ":" + std::to_string(edge.at.line) + ":" +
         std::to_string(edge.at.column);
}

std::vector<std::uint32_t> written_order(const Stack& stack) {
  std::vector<std::uint32_t> order(stack.nodes.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  return order;
}

std::vector<std::string> names_of(const Stack& stack, const std::vector<std::uint32_t>& numbers) {
  std::vector<std::string> out;
  for (const auto number : numbers) out.push_back(stack.nodes[number].name);
  return out;
}

}  // namespace

std::vector<Step> plan(const Stack& stack) {
  const auto level = levels(graph_of(stack.nodes), written_order(stack));
  std::vector<Step> steps;
  for (std::size_t i = 0; i < stack.nodes.size(); ++i) {
    const Node& node = stack.nodes[i];
    Step step;
    step.node = node.name;
    step.level = level[i];
    for (const auto& server : node.servers) step.servers += server.instances;
    for (const auto& edge : node.edges) {
      step.after.push_back(edge.on + " (" + std::string(name_of(edge.condition)) +
                           (edge.required ? ")" : ", not required)"));
      if (!step.cause.empty()) step.cause += "; ";
      step.cause += edge.origin + " at " + place(stack, edge);
    }
    if (node.edges.empty()) step.cause = "depends on nothing";
    steps.push_back(std::move(step));
  }
  return steps;
}

std::vector<std::string> dependants(const Stack& stack, const std::string& node) {
  const auto found = std::ranges::find(stack.nodes, node, &Node::name);
  if (found == stack.nodes.end()) return {};
  auto graph = graph_of(stack.nodes);
  for (auto& list : graph.needed_by) list.clear();
  std::map<std::string_view, std::uint32_t> number;
  for (std::uint32_t i = 0; i < stack.nodes.size(); ++i) number.emplace(stack.nodes[i].name, i);
  for (std::uint32_t i = 0; i < stack.nodes.size(); ++i)
    for (const auto& edge : stack.nodes[i].edges)
      if (edge.required && number.contains(edge.on)) graph.needed_by[number[edge.on]].push_back(i);
  return names_of(stack, reached(graph.needed_by, static_cast<std::uint32_t>(found - stack.nodes.begin())));
}

}  // namespace banyan::specs
