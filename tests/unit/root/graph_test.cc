// Any graph: every launch after what it needs serves, branches overlapping, teardown reversed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/rng.h"
#include "tests/unit/root/harness.h"

namespace banyan::root {
namespace {

using Edges = std::map<std::string, std::vector<std::string>>;

/// Nodes n0..n{size-1}; each may need any earlier ones.
Edges random_graph(Rng& rng, std::size_t size) {
  Edges edges;
  for (std::size_t i = 0; i < size; ++i) {
    auto& needs = edges["n" + std::to_string(i)];
    for (std::size_t k = 0; k < i; ++k)
      if (rng.chance(1, 4)) needs.push_back("n" + std::to_string(k));
  }
  return edges;
}

std::string yaml(const Edges& edges) {
  std::string text = "name: g\nframeworks:\n";
  for (const auto& [node, needs] : edges) {
    text += "  " + node + ": { command: [sleep, \"1\"]";
    for (std::size_t i = 0; i < needs.size(); ++i) text += (i == 0 ? ", depends_on: [" : ", ") + needs[i];
    text += std::string(needs.empty() ? "" : "]") + " }\n";
  }
  return text;
}

class AnyGraph : public testing::TestWithParam<std::uint64_t> {};

TEST_P(AnyGraph, StartsAfterItsNeedsServeAndStopsBeforeThem) {
  Rng rng(GetParam());
  const auto edges = random_graph(rng, 4 + rng.below(12));
  Harness h;
  h.connect();
  ASSERT_THAT(h.up(yaml(edges)).errors(), testing::IsEmpty());

  std::map<std::string, std::size_t> launch, serve, stop;  // step numbers
  std::size_t steps = 0;
  const auto states = [&](const char* wanted) {
    std::vector<std::string> found;
    for (const auto& [node, needs] : edges)
      if (h.node(node).state() == wanted) found.push_back(node);
    return found;
  };
  // Bring up: now and then an offer, now and then one that runs comes to serving; the root itself dies sometimes.
  while (states("serving").size() < edges.size()) {
    ASSERT_LT(++steps, 2000u) << h.core->summary();
    if (rng.chance(1, 20)) {
      h.restart();
      h.connect();
      for (const auto& node : states("serving")) h.serves(node);  // executors repeat what they said
    }
    if (rng.chance(1, 2)) h.offer();
    for (const auto& node : states("launching")) {
      if (!launch.contains(node)) launch[node] = steps;
      if (!h.task_of(node).empty() && rng.chance(1, 3)) h.runs(node);
    }
    const auto starting = states("starting");
    if (!starting.empty()) {
      const auto& node = starting[rng.below(starting.size())];
      h.serves(node);
      serve[node] = steps;
    }
    h.advance(10ms);
  }
  for (const auto& [node, needs] : edges)
    for (const auto& need : needs) EXPECT_GE(launch[node], serve[need]) << node << " needs " << need;

  h.down("g");
  steps = 0;
  while (!h.core->summary().empty()) {
    ASSERT_LT(++steps, 2000u) << h.core->summary();
    if (rng.chance(1, 20)) {
      h.restart();
      h.connect();
    }
    for (const auto& node : states("stopping")) {
      if (rng.chance(1, 2)) continue;
      if (!h.task_of(node).empty()) h.drains(node);
      stop[node] = steps;
    }
    h.torn_down();
    h.advance(3s);
  }
  // The event log tells the same story.
  std::map<std::string, std::uint64_t> launched_at, served_at, stopping_at, stopped_at;
  for (const auto& event : h.events) {
    if (event.kind() == "node.launching") launched_at.try_emplace(event.node(), event.seq());
    if (event.kind() == "node.serving") served_at.try_emplace(event.node(), event.seq());
    if (event.kind() == "node.stopping") stopping_at.try_emplace(event.node(), event.seq());
    if (event.kind() == "node.stopped") stopped_at.try_emplace(event.node(), event.seq());
  }
  for (const auto& [node, needs] : edges)
    for (const auto& need : needs) {
      EXPECT_GT(launched_at.at(node), served_at.at(need)) << node << " needs " << need;
      EXPECT_GT(stopping_at.at(need), stopped_at.at(node)) << node << " needs " << need;
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyGraph, testing::Range<std::uint64_t>(1, 21));

}  // namespace
}  // namespace banyan::root
