#include "specs/graph.h"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>
#include <limits>
#include <queue>

namespace banyan::specs {

namespace {

using Boosted = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;
using Lists = std::vector<std::vector<std::uint32_t>>;
constexpr auto none = std::numeric_limits<std::uint32_t>::max();

/// Edges looked at while searching shortest cycles, per load: dense graphs of thousands of nodes get a short one.
constexpr std::size_t cycle_work_max = 20'000'000;

/// Strongly connected sets, as a number for each node.
std::vector<std::uint32_t> components(const Graph& graph) {
  Boosted boosted(graph.needs.size());
  for (std::uint32_t from = 0; from < graph.needs.size(); ++from)
    for (const auto to : graph.needs[from]) boost::add_edge(from, to, boosted);
  std::vector<std::uint32_t> component(graph.needs.size());
  boost::strong_components(boosted,
                           boost::make_iterator_property_map(component.begin(), get(boost::vertex_index, boosted)));
  return component;
}

/// The shortest cycle through `start` inside its component, by breadth-first search; empty if none shorter than `best`.
std::vector<std::uint32_t> cycle_through(const Graph& graph, const std::vector<std::uint32_t>& component,
                                         std::uint32_t start, std::vector<std::uint32_t>& parent, std::size_t& work) {
  std::vector<std::uint32_t> queue = {start};
  std::vector<std::uint32_t> out;
  for (std::size_t next = 0; next < queue.size() && out.empty(); ++next) {
    const auto node = queue[next];
    for (const auto to : graph.needs[node]) {
      ++work;
      if (component[to] != component[start]) continue;
      if (to == start) {
        for (auto at = node; at != start; at = parent[at]) out.push_back(at);
        out.push_back(start);
        std::ranges::reverse(out);
        break;
      }
      if (parent[to] != none) continue;
      parent[to] = node;
      queue.push_back(to);
    }
  }
  for (const auto node : queue) parent[node] = none;  // as it was, for the next search
  return out;
}

}  // namespace

Graph graph_of(const std::vector<Node>& nodes) {
  std::map<std::string_view, std::uint32_t> number;
  for (std::uint32_t i = 0; i < nodes.size(); ++i) number.emplace(nodes[i].name, i);
  Graph graph{Lists(nodes.size()), Lists(nodes.size())};
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    for (const auto& edge : nodes[i].edges) {
      const auto to = number.find(edge.on);
      if (to == number.end()) continue;
      graph.needs[i].push_back(to->second);
      graph.needed_by[to->second].push_back(i);
    }
  }
  return graph;
}

std::vector<std::uint32_t> topological_order(const Graph& graph) {
  std::vector<std::size_t> open(graph.needs.size());
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> ready;
  for (std::uint32_t i = 0; i < open.size(); ++i) {
    open[i] = graph.needs[i].size();
    if (open[i] == 0) ready.push(i);
  }
  std::vector<std::uint32_t> order;
  while (!ready.empty()) {
    const auto node = ready.top();
    ready.pop();
    order.push_back(node);
    for (const auto next : graph.needed_by[node])
      if (--open[next] == 0) ready.push(next);
  }
  return order;
}

std::vector<std::vector<std::uint32_t>> cycles(const Graph& graph) {
  const auto component = components(graph);
  std::map<std::uint32_t, std::vector<std::uint32_t>> best;  // component -> its shortest cycle
  std::vector<std::uint32_t> parent(graph.needs.size(), none);
  std::vector<std::uint32_t> size(graph.needs.size(), 0);
  for (const auto c : component) ++size[c];
  std::size_t work = 0;
  for (std::uint32_t node = 0; node < graph.needs.size(); ++node) {
    const bool itself = std::ranges::find(graph.needs[node], node) != graph.needs[node].end();
    if (size[component[node]] == 1 && !itself) continue;
    auto& shortest = best[component[node]];
    if (!shortest.empty() && (shortest.size() <= (itself ? 1u : 2u) || work > cycle_work_max)) continue;
    auto found = cycle_through(graph, component, node, parent, work);
    if (!found.empty() && (shortest.empty() || found.size() < shortest.size())) shortest = std::move(found);
  }
  std::vector<std::vector<std::uint32_t>> out;
  for (auto& [c, cycle] : best) {
    std::ranges::rotate(cycle, std::ranges::min_element(cycle));
    out.push_back(std::move(cycle));
  }
  std::ranges::sort(out,
                    [](const auto& a, const auto& b) { return std::tuple(a.size(), a) < std::tuple(b.size(), b); });
  return out;
}

std::vector<std::uint32_t> levels(const Graph& graph, const std::vector<std::uint32_t>& order) {
  std::vector<std::uint32_t> level(graph.needs.size(), 0);
  for (const auto node : order)
    for (const auto need : graph.needs[node]) level[node] = std::max(level[node], level[need] + 1);
  return level;
}

std::vector<std::uint32_t> reached(const Lists& edges, std::uint32_t from) {
  std::vector<bool> seen(edges.size(), false);
  std::vector<std::uint32_t> out = {from};
  seen[from] = true;
  for (std::size_t next = 0; next < out.size(); ++next) {
    for (const auto to : edges[out[next]]) {
      if (seen[to]) continue;
      seen[to] = true;
      out.push_back(to);
    }
  }
  out.erase(out.begin());
  return out;
}

}  // namespace banyan::specs
