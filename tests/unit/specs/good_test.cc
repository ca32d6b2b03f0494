// Stack files that load, and what comes out.
#include <gtest/gtest.h>

#include "specs/plan.h"
#include "tests/unit/specs/files.h"

namespace banyan::specs {
namespace {

TEST(StackFile, OfOneSleepingServerLoads) {
  const auto loaded = load_text("name: nap\nframeworks:\n  sleeper: { command: [sleep, \"1000\"] }\n");
  ASSERT_TRUE(loaded.stack) << render(loaded);
  ASSERT_EQ(loaded.stack->nodes.size(), 1u);
  const auto& node = loaded.stack->nodes[0];
  EXPECT_EQ(node.name, "sleeper");
  ASSERT_EQ(node.servers.size(), 1u);
  EXPECT_EQ(node.servers[0].name, "sleeper");
  EXPECT_EQ(node.servers[0].command.argv.at(1).text, "1000");
}

}  // namespace
}  // namespace banyan::specs
