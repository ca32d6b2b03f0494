// What the master keeps on disk reads back as it was; damage is named.
#include "runtime/core/registry/registry.h"

#include <gtest/gtest.h>

namespace banyan::registry {
namespace {

TEST(Registry, ReadsBackWhatWasWritten) {
  const AgentRecord well{std::string("info\nwith\0bytes", 15), {}};
  const AgentRecord lost{"", WallTime(Duration(123))};
  const CompletedRecord completed{7, "framework"};
  const auto registry = read({{epoch_key(), write_epoch(3)},
                              {agent_key(AgentId("a/1")), write(well)},
                              {agent_key(AgentId("a2")), write(lost)},
                              {completed_key(FrameworkId("web")), write(completed)}});
  ASSERT_TRUE(registry) << registry.error().message;
  EXPECT_EQ(registry->epoch, 3u);
  EXPECT_EQ(registry->agents.at(AgentId("a/1")), well);
  EXPECT_EQ(registry->agents.at(AgentId("a2")), lost);
  EXPECT_EQ(registry->completed.at(FrameworkId("web")), completed);
}

TEST(Registry, StartsEmpty) {
  const auto registry = read({});
  ASSERT_TRUE(registry);
  EXPECT_EQ(registry->epoch, 0u);
}

TEST(Registry, NamesADamagedRecord) {
  for (const auto& [key, value] : std::map<std::string, std::string>{
           {"epoch", "x"}, {"epoch", ""}, {"agent/a", "no line"}, {"agent/a", "x\ninfo"}, {"what/is/this", "0\n"}}) {
    const auto registry = read({{key, value}});
    ASSERT_FALSE(registry);
    EXPECT_EQ(registry.error().message, "the master's record '" + key + "' is damaged or of a newer version");
  }
}

}  // namespace
}  // namespace banyan::registry
