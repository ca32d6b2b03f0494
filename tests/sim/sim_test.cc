// Seeds in, verdict out: a random stack comes up, is shot at, recovers, and goes down — all laws looked at throughout.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/sim/cluster.h"

namespace banyan::sim {
namespace {

using namespace std::chrono_literals;

/// The first seed and how many; BANYAN_SEED replays one, BANYAN_SEEDS asks for more.
std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string story(Cluster& cluster, std::uint64_t seed) {
  std::string text = "replay with BANYAN_SEED=" + std::to_string(seed) + "\n";
  for (const auto& [number, row] : cluster.kernel().rows()) text += std::to_string(number) + "  " + row + "\n";
  for (const auto& broken : cluster.checkers().broken()) text += "BROKEN " + broken.law + ": " + broken.what + "\n";
  return text + cluster.summary();
}

/// One life of a cluster. Returns the trace's hash.
std::uint64_t live(std::uint64_t seed, unsigned kills) {
  Rng shape(seed * 7919 + 1);
  const Graph graph = random_graph(shape, 3 + static_cast<unsigned>(shape.below(4)));
  Cluster cluster(seed, graph);
  cluster.up();
  if (!cluster.run_until([&] { return cluster.all_serving(); }, 5min)) {
    ADD_FAILURE() << "did not come up\n" << story(cluster, seed);
    return 0;
  }
  for (unsigned i = 0; i < kills; ++i) {
    cluster.kernel().after(cluster.kernel().between(0s, 20s), [&] { cluster.kill_somebody(); });
  }
  const Instant faults_end = cluster.kernel().now().mono + 20s;
  const auto healed = [&] { return cluster.kernel().now().mono > faults_end && cluster.all_serving(); };
  if (!cluster.run_until(healed, 10min)) {
    ADD_FAILURE() << "did not recover\n" << story(cluster, seed);
    return 0;
  }
  cluster.run_until([&] { return cluster.unsettled().empty(); }, 2min);
  EXPECT_EQ(cluster.unsettled(), "") << story(cluster, seed);
  cluster.down();
  if (!cluster.run_until([&] { return cluster.all_down(); }, 10min)) {
    ADD_FAILURE() << "did not go down\n" << story(cluster, seed);
    return 0;
  }
  EXPECT_TRUE(cluster.checkers().broken().empty()) << story(cluster, seed);
  return cluster.kernel().hash();
}

class Seed : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Seed, ComesUpSurvivesRandomKillsOfEveryCoreAndGoesDownWithoutBreakingALaw) { live(GetParam(), 12); }

INSTANTIATE_TEST_SUITE_P(Sim, Seed,
                         testing::Range(from_environment("BANYAN_SEED", 1),
                                        from_environment("BANYAN_SEED", 1) +
                                            from_environment("BANYAN_SEEDS", std::getenv("BANYAN_SEED") ? 1 : 24)));

TEST(Sim, IndependentBranchesComeUpTogetherAndEveryNodeAfterWhatItNeeds) {
  Graph graph;
  graph.nodes = {{"left", {}}, {"right", {}}, {"top", {{"left", "right"}, 2}}};
  Cluster cluster(5, graph);
  cluster.up();
  ASSERT_TRUE(cluster.run_until([&] { return cluster.all_serving(); }, 5min)) << story(cluster, 5);
  EXPECT_TRUE(cluster.checkers().overlapped());
}

TEST(Sim, GivesTheSameHistoryForTheSameSeed) { EXPECT_EQ(live(77, 8), live(77, 8)); }

}  // namespace
}  // namespace banyan::sim
