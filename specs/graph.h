// The graph of a stack, in Boost.Graph: order, cycles, reach. Internal to specs/.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "specs/stack.h"

namespace banyan::specs {

/// Nodes as numbers, edges from a node to what it depends on. Edges to unknown nodes are left out.
struct Graph {
  std::vector<std::vector<std::uint32_t>> needs;      ///< node -> what it depends on, by edge
  std::vector<std::vector<std::uint32_t>> needed_by;  ///< the reverse
};
[[nodiscard]] Graph graph_of(const std::vector<Node>& nodes);

/// Dependencies first; ties in the order of the numbers. Nodes on or behind a cycle are left out.
[[nodiscard]] std::vector<std::uint32_t> topological_order(const Graph& graph);

/// One cycle for every set of nodes that depend on each other, a shortest one of the set (in very large sets: a short
/// one), from its lowest number; sorted by length. Node i depends on node i + 1, the last on the first.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> cycles(const Graph& graph);

/// Levels: 0 depends on nothing, else one more than the highest dependency. REQUIRES: no cycle.
[[nodiscard]] std::vector<std::uint32_t> levels(const Graph& graph, const std::vector<std::uint32_t>& order);

/// Everything that `from` reaches over `edges`, nearest first, itself left out.
[[nodiscard]] std::vector<std::uint32_t> reached(const std::vector<std::vector<std::uint32_t>>& edges,
                                                 std::uint32_t from);

}  // namespace banyan::specs
