// What must hold of single stories; tests/sim/run lives whole ranges of seeds.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/sim/cluster.h"
#include "tests/sim/story.h"

namespace banyan::sim {
namespace {

using namespace std::chrono_literals;
using Verdict = Outcome::Verdict;

std::string read(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TEST(Sim, IndependentBranchesComeUpTogetherAndEveryNodeAfterWhatItNeeds) {
  Graph graph;
  graph.nodes = {{"left", {}}, {"right", {}}, {"top", {{"left", "right"}, 2}}};
  Cluster cluster(5, graph);
  cluster.up();
  ASSERT_TRUE(cluster.run_until([&] { return cluster.all_serving(); }, 5min)) << cluster.summary();
  EXPECT_TRUE(cluster.checkers().overlapped());
}

TEST(Sim, GivesTheSameHistoryForTheSameSeed) { EXPECT_EQ(live(usual_story(77)).hash, live(usual_story(77)).hash); }

TEST(Sim, AStoryIsReadAsItIsWritten) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed)
    for (const Story& story : {story_of(seed), usual_story(seed)}) {
      const auto again = parse_story(text(story));
      ASSERT_TRUE(again.has_value()) << again.error().message;
      EXPECT_EQ(text(*again), text(story));
      EXPECT_EQ(again->faults, story.faults);
    }
  EXPECT_FALSE(parse_story("seed 1\nup 3ms kill_nobody 1 for 0ms\n").has_value());
}

TEST(Sim, ShrinkingKeepsOnlyTheFaultsThatMatter) {
  Story story = story_of(3);
  for (std::uint64_t pick = 0; pick < 5; ++pick)
    story.faults.push_back({Phase::steady, 1s, Fault::Kind::kill_root, 2000 + pick, 0s});
  const Fault guilty = story.faults.back();
  const Story small = shrink(story, [&](const Story& less) {
    return std::find(less.faults.begin(), less.faults.end(), guilty) != less.faults.end();
  });
  EXPECT_EQ(small.faults, std::vector{guilty});
}

/// What once failed, and one of each kind. The file's first line says how.
TEST(Sim, EveryKeptStoryHoldsItsLaws) {
  unsigned stories = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SOURCE_DIR "/stories")) {
    const auto story = parse_story(read(entry.path()));
    ASSERT_TRUE(story.has_value()) << entry.path();
    const Outcome outcome = live(*story);
    EXPECT_EQ(outcome.verdict, Verdict::good) << entry.path() << "\n" << outcome.text;
    ++stories;
  }
  EXPECT_GT(stories, 0u);
}

}  // namespace
}  // namespace banyan::sim
