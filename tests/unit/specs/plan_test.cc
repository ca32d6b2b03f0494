// Order, cycles and reach, against brute force on every graph of up to four nodes.
#include "specs/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "specs/graph.h"
#include "tests/unit/specs/files.h"

namespace banyan::specs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Bit i * n + j of `edges`: node i depends on node j.
std::vector<Node> nodes_of(std::uint32_t n, std::uint32_t edges) {
  std::vector<Node> nodes(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    nodes[i].name = std::string(1, static_cast<char>('a' + i));
    for (std::uint32_t j = 0; j < n; ++j)
      if ((edges >> (i * n + j) & 1u) != 0) {
        Edge edge;
        edge.on = std::string(1, static_cast<char>('a' + j));
        nodes[i].edges.push_back(edge);
      }
  }
  return nodes;
}

bool respects(const std::vector<std::uint32_t>& order, std::uint32_t n, std::uint32_t edges) {
  std::vector<std::size_t> place(n);
  for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
  for (std::uint32_t i = 0; i < n; ++i)
    for (std::uint32_t j = 0; j < n; ++j)
      if ((edges >> (i * n + j) & 1u) != 0 && place[j] >= place[i]) return false;
  return true;
}

/// The first permutation, in lexicographic order, that respects all edges; empty if there is a cycle.
std::vector<std::uint32_t> brute_force_order(std::uint32_t n, std::uint32_t edges) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  do {
    if (respects(order, n, edges)) return order;
  } while (std::next_permutation(order.begin(), order.end()));
  return {};
}

/// The length of a shortest cycle through each node, by trying all paths; 0: none.
std::uint32_t shortest_cycle(std::uint32_t n, std::uint32_t edges, std::uint32_t start, std::uint32_t at,
                             std::uint32_t seen) {
  std::uint32_t best = 0;
  for (std::uint32_t to = 0; to < n; ++to) {
    if ((edges >> (at * n + to) & 1u) == 0) continue;
    std::uint32_t found = 0;
    if (to == start) found = 1;
    else if ((seen >> to & 1u) == 0)
      if (const auto rest = shortest_cycle(n, edges, start, to, seen | 1u << to); rest != 0) found = rest + 1;
    if (found != 0 && (best == 0 || found < best)) best = found;
  }
  return best;
}

template <class Check>
void for_every_graph(Check check) {
  for (std::uint32_t n = 1; n <= 4; ++n)
    for (std::uint32_t edges = 0; edges < 1u << (n * n); ++edges) check(n, edges);
}

TEST(EveryGraphOfUpToFourNodes, IsOrderedLikeTheFirstPermutationThatFits) {
  for_every_graph([](std::uint32_t n, std::uint32_t edges) {
    const auto order = topological_order(graph_of(nodes_of(n, edges)));
    const auto expected = brute_force_order(n, edges);
    if (expected.empty()) ASSERT_LT(order.size(), n) << n << " nodes, edges " << edges;
    else ASSERT_EQ(order, expected) << n << " nodes, edges " << edges;
  });
}

TEST(EveryGraphOfUpToFourNodes, ShowsAShortestCycleOfEachSetThatHasOne) {
  for_every_graph([](std::uint32_t n, std::uint32_t edges) {
    std::uint32_t expected = 0;
    for (std::uint32_t i = 0; i < n; ++i)
      if (const auto length = shortest_cycle(n, edges, i, i, 1u << i); length != 0)
        expected = expected == 0 ? length : std::min(expected, length);
    const auto found = cycles(graph_of(nodes_of(n, edges)));
    ASSERT_EQ(found.empty(), expected == 0) << n << " nodes, edges " << edges;
    if (found.empty()) return;
    ASSERT_EQ(found.front().size(), expected) << n << " nodes, edges " << edges;
    std::set<std::uint32_t> seen;
    for (const auto& cycle : found)
      for (std::size_t i = 0; i < cycle.size(); ++i) {
        ASSERT_NE(edges >> (cycle[i] * n + cycle[(i + 1) % cycle.size()]) & 1u, 0u) << "an edge that is not there";
        ASSERT_TRUE(seen.insert(cycle[i]).second) << "two cycles of one set";
      }
  });
}

TEST(EveryGraphOfUpToFourNodes, ReachesWhatTheTransitiveClosureSays) {
  for_every_graph([](std::uint32_t n, std::uint32_t edges) {
    const auto graph = graph_of(nodes_of(n, edges));
    for (std::uint32_t start = 0; start < n; ++start) {
      std::uint32_t closure = 1u << start;
      for (std::uint32_t round = 0; round < n; ++round)
        for (std::uint32_t i = 0; i < n; ++i)
          for (std::uint32_t j = 0; j < n; ++j)
            if ((closure >> i & 1u) != 0 && (edges >> (i * n + j) & 1u) != 0) closure |= 1u << j;
      std::uint32_t found = 1u << start;
      for (const auto node : reached(graph.needs, start)) found |= 1u << node;
      ASSERT_EQ(found, closure);
    }
  });
}

Stack stack_of(const std::string& frameworks) {
  auto loaded = load_text("name: s\nframeworks:\n" + frameworks);
  EXPECT_TRUE(loaded.stack) << render(loaded);
  return loaded.stack.value_or(Stack());
}

const char* const diamond =
    "  top: { command: [x], depends_on: [left, right] }\n"
    "  left: { command: [x], instances: 2, depends_on: { base: { condition: started } } }\n"
    "  right: { command: [x], depends_on: { base: { required: false } } }\n"
    "  base: { command: [x] }\n";

TEST(Plan, NamesLevelsWaitsAndCauses) {
  const auto steps = plan(stack_of(diamond));
  ASSERT_EQ(steps.size(), 4u);
  EXPECT_EQ(steps[0].node, "base");
  EXPECT_EQ(steps[0].cause, "depends on nothing");
  EXPECT_EQ(steps[1].node, "left");
  EXPECT_EQ(steps[1].level, 1u);
  EXPECT_EQ(steps[1].servers, 2u);
  EXPECT_THAT(steps[1].after, ElementsAre("base (started)"));
  EXPECT_EQ(steps[1].cause, "depends_on at stack.yaml:4:53");
  EXPECT_THAT(steps[2].after, ElementsAre("base (serving, not required)"));
  EXPECT_EQ(steps[3].level, 2u);
}

TEST(Dependants, AreNearestFirstAndOnlyThoseThatRequireIt) {
  EXPECT_THAT(dependants(stack_of(diamond), "base"), ElementsAre("left", "top"));
  EXPECT_THAT(dependants(stack_of(diamond), "top"), ElementsAre());
  EXPECT_THAT(dependants(stack_of(diamond), "nobody"), ElementsAre());
}

TEST(Draw, KnowsFourForms) {
  const auto stack = stack_of(diamond);
  EXPECT_EQ(draw(stack, GraphForm::text), "base\nleft   <- base\nright  <- base?\ntop    <- left, right\n");
  EXPECT_THAT(draw(stack, GraphForm::dot), HasSubstr("\"right\" -> \"base\" [style=dashed];"));
  EXPECT_THAT(draw(stack, GraphForm::mermaid), HasSubstr("top --> left"));
  EXPECT_THAT(draw(stack, GraphForm::json), HasSubstr(R"({"from":"left","to":"base")"));
}

}  // namespace
}  // namespace banyan::specs
