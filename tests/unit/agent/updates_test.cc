#include <gtest/gtest.h>

#include "tests/unit/agent/harness.h"

namespace banyan::agent {
namespace {

using namespace std::chrono_literals;

TEST(AnUpdate, IsSentAgainWithDoublingPausesUntilItIsAcknowledged) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("t"));
  const std::string again = "master: update t STARTING\n";
  const auto advance = [&agent](Duration by) {
    for (Duration left = by; left > 5s; left -= 5s) {  // the master lives
      agent.give(Ping{});
      if (const std::string text = agent.advance(5s); !text.empty()) return "too early: " + text;
    }
    agent.give(Ping{});
    return agent.advance(5s);
  };
  EXPECT_EQ(advance(10s), again);
  EXPECT_EQ(advance(20s), again);
  EXPECT_EQ(advance(40s), again);
  agent.acknowledge("t");
  EXPECT_EQ(advance(5s), "");
}

TEST(AnUpdate, WaitsForTheOneBeforeIt) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("t"));
  EXPECT_EQ(agent.started("t"), "");
  EXPECT_EQ(agent.ended("t", exited_0), "container: forget t\n");
  EXPECT_EQ(agent.acknowledge("t"), "master: update t RUNNING pid=100\n");
  EXPECT_EQ(agent.acknowledge("t"), "master: update t FINISHED pid=100 \"Command exited with status 0\"\n");
  EXPECT_EQ(agent.acknowledge("t"), "");
  EXPECT_EQ(agent.acknowledge("t"), "nothing in flight\n");
}

TEST(AnUpdate, IsSentAtOnceWhenAMasterRegistersTheAgent) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("t"));
  agent.give(LinkClosed{});
  agent.started("t");
  EXPECT_EQ(agent.join(2), "master: register A1 epoch=1 t=RUNNING(STARTING)\nmaster: update t STARTING\n");
}

TEST(AnUpdate, IsSentAtOnceWhenItsSchedulerIsBack) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("t"));
  EXPECT_EQ(agent.give(UpdateFramework{AgentHarness::framework()}), "master: update t STARTING\n");
}

TEST(AnAcknowledgement, OfSomethingElseChangesNothing) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("t"));
  const std::string before = agent.summary();
  EXPECT_EQ(agent.give(Acknowledge{FrameworkId("F"), TaskId("t"), "another uuid"}), "");
  EXPECT_EQ(agent.give(Acknowledge{FrameworkId("F"), TaskId("other"), "another uuid"}), "");
  EXPECT_EQ(agent.summary(), before);
}

TEST(TheStore, IsEmptyOfATaskOnceItsEndIsAcknowledged) {
  AgentHarness agent;
  agent.join();
  const std::size_t before = agent.records();
  agent.run(AgentHarness::command("t"));
  agent.started("t");
  agent.ended("t", exited_0);
  for (int i = 0; i < 3; ++i) agent.acknowledge("t");
  EXPECT_EQ(agent.records(), before + 1);  // the sandbox that may be collected
}

TEST(Sandboxes, AreBoundedOldestFirst) {
  AgentHarness agent({.sandboxes_max = 2});
  agent.join();
  for (const std::string id : {"a", "b"}) {
    agent.run(AgentHarness::command(id));
    agent.ended(id, exited_0);
  }
  agent.run(AgentHarness::command("c"));
  EXPECT_EQ(agent.ended("c", exited_0), "sandbox: remove a\ncontainer: forget c\n");
}

}  // namespace
}  // namespace banyan::agent
