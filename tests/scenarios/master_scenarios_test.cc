// Runs every story in tests/scenarios/master.
#include <gtest/gtest.h>

#include "tests/scenarios/master_script.h"
#include "tests/stories.h"

namespace banyan::scenario {
namespace {

const std::string folder = std::string(SOURCE_DIR) + "/master";

class MasterStories : public testing::TestWithParam<std::string> {};

TEST_P(MasterStories, AreToldAsRecorded) {
  MasterScript script;
  stories::expect_told(folder, GetParam(), [&](const std::string& line) { return script.run(line); });
}

INSTANTIATE_TEST_SUITE_P(Story, MasterStories, testing::ValuesIn(stories::in(folder)),
                         [](const auto& story) { return story.param; });

}  // namespace
}  // namespace banyan::scenario
