// Who lacks an agent, and is told why.
#include "tests/unit/root/harness.h"

namespace banyan::root {
namespace {

TEST(ARefusedAgent, IsTheReasonOfWhoeverWaitsForIt) {
  Harness h;
  h.connect();
  h.up("name: s\nframeworks:\n  a: { command: [x] }\n  b: { command: [x] }\n");
  h.offer(0.15, 4096);
  h.serves("a");
  h.update(h.task_of("a"), mesos::v1::TASK_UNREACHABLE, std::nullopt);
  EXPECT_TRUE(h.core->lacks_agents());
  h.step(AgentsRefused{"the master refuses the agent at h:1: too small"});
  EXPECT_EQ(h.node("a").reason(),
            "the agent of its scheduler is unreachable: the master refuses the agent at h:1: too small");
  EXPECT_EQ(h.node("b").reason(), "its scheduler waits for an offer: the master refuses the agent at h:1: too small");
  h.step(AgentsRefused{});
  EXPECT_EQ(h.node("a").reason(), "the agent of its scheduler is unreachable");
  EXPECT_EQ(h.node("b").reason(), "its scheduler waits for an offer");
  h.serves("a");
  h.offer();
  h.serves("b");
  EXPECT_FALSE(h.core->lacks_agents());
}

}  // namespace
}  // namespace banyan::root
