// The graph for people and for other tools.
#include <algorithm>
#include <boost/json.hpp>

#include "specs/plan.h"

namespace banyan::specs {

namespace {

/// One line a node, dependencies first:
///
///     zookeeper
///     elasticsearch
///     kafka          <- zookeeper
///     logging        <- kafka, elasticsearch
std::string text(const Stack& stack) {
  std::size_t width = 0;
  for (const auto& node : stack.nodes) width = std::max(width, node.name.size());
  std::string out;
  for (const auto& node : stack.nodes) {
    out += node.name;
    for (std::size_t i = 0; i < node.edges.size(); ++i) {
      const auto& edge = node.edges[i];
      out += i == 0 ? std::string(width - node.name.size(), ' ') + "  <- " : ", ";
      out += edge.on + (edge.required ? "" : "?");
    }
    out += "\n";
  }
  return out;
}

std::string dot(const Stack& stack) {
  std::string out = "digraph \"" + stack.name + "\" {\n  rankdir=LR;\n";
  for (const auto& node : stack.nodes) out += "  \"" + node.name + "\";\n";
  for (const auto& node : stack.nodes)
    for (const auto& edge : node.edges)
      out += "  \"" + node.name + "\" -> \"" + edge.on + "\"" + (edge.required ? "" : " [style=dashed]") + ";\n";
  return out + "}\n";
}

std::string mermaid(const Stack& stack) {
  std::string out = "graph LR\n";
  for (const auto& node : stack.nodes) out += "  " + node.name + "[" + node.name + "]\n";
  for (const auto& node : stack.nodes)
    for (const auto& edge : node.edges) out += "  " + node.name + (edge.required ? " --> " : " -.-> ") + edge.on + "\n";
  return out;
}

std::string json(const Stack& stack) {
  boost::json::array nodes, edges;
  for (const auto& step : plan(stack))
    nodes.push_back({{"name", step.node}, {"level", step.level}, {"servers", step.servers}});
  for (const auto& node : stack.nodes)
    for (const auto& edge : node.edges)
      edges.push_back({{"from", node.name},
                       {"to", edge.on},
                       {"required", edge.required},
                       {"implied", edge.implied},
                       {"origin", edge.origin},
                       {"file", edge.file.empty() ? stack.file : edge.file},
                       {"line", edge.at.line}});
  return boost::json::serialize(
             boost::json::object{{"stack", stack.name}, {"nodes", std::move(nodes)}, {"edges", std::move(edges)}}) +
         "\n";
}

}  // namespace

std::string draw(const Stack& stack, GraphForm form) {
  switch (form) {
    case GraphForm::text: return text(stack);
    case GraphForm::dot: return dot(stack);
    case GraphForm::mermaid: return mermaid(stack);
    case GraphForm::json: return json(stack);
  }
  return {};
}

}  // namespace banyan::specs
