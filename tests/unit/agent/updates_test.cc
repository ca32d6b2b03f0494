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

TEST(AnEnd, TakesThePlaceOfOldNewsWhileThereIsNoMaster) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("t"));
  agent.acknowledge("t");
  agent.started("t");  // sent, and not acknowledged when the agent dies
  agent.boot();
  agent.ended("t", exited_0);
  const std::string told = agent.join(2);
  EXPECT_EQ(told.find("update t RUNNING"), std::string::npos) << told;
  EXPECT_NE(told.find("update t FINISHED"), std::string::npos) << told;
  agent.acknowledge("t");
  EXPECT_EQ(agent.acknowledge("t"), "nothing in flight\n");
}

TEST(AnEnd, ComesBehindWhatAMasterIsBeingTold) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("t"));
  agent.ended("t", exited_0);
  agent.give(LinkClosed{});
  EXPECT_NE(agent.join(2).find("update t STARTING"), std::string::npos) << "it was queued while there was one";
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

TEST(AnUpdate, KeepsItsPlaceInALongQueue) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::task_of("t", "e"));
  agent.started("e");
  agent.subscribe("e");
  for (int i = 0; i < 12; ++i)
    agent.update("e", AgentHarness::says("t", TaskState::running, "u" + std::to_string(i)));  // the store is compared
}

TEST(AnUpdate, OfATaskThatOnlyItsExecutorKnowsIsKeptUnderItsOwnName) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::task_of("t", "e"));
  agent.subscribe("e");
  for (const std::string id : {"a/b", "a%2Fb", "a%b"})
    EXPECT_EQ(agent.update("e", AgentHarness::says(id, TaskState::running, "of " + id)),
              "master: update " + id + " RUNNING\n");
}

TEST(Sandboxes, AreRememberedOldestFirstHoweverManyThereWere) {
  AgentHarness agent({.sandboxes_max = 2});
  agent.join();
  const auto run = [&agent](int number) {
    agent.run(AgentHarness::command("t" + std::to_string(number)));
    return agent.ended("t" + std::to_string(number), exited_0);
  };
  for (int i = 0; i < 11; ++i) run(i);
  agent.boot();
  EXPECT_EQ(run(11), "sandbox: remove A1/F/t9/t9\ncontainer: forget t11\n");
}

TEST(UsedUpIds, AreKeptForTheLastEndedTasksOnly) {
  AgentHarness agent({.sandboxes_max = 1});
  agent.join();
  const auto run = [&agent](std::size_t number) {
    const std::string id = "t" + std::to_string(number);
    const std::string text = agent.run(AgentHarness::command(id));
    if (!text.empty()) agent.ended(id, exited_0), agent.acknowledge(id), agent.acknowledge(id);
    return !text.empty();
  };
  for (std::size_t i = 0; i < limits::completed_tasks_max; ++i) run(i);
  EXPECT_FALSE(run(0));
  EXPECT_TRUE(run(limits::completed_tasks_max));
  EXPECT_EQ(agent.core().completed().size(), limits::completed_tasks_max);
  EXPECT_TRUE(run(0)) << "bounded: the oldest is forgotten";
  EXPECT_FALSE(run(2));
}

TEST(Sandboxes, AreBoundedOldestFirst) {
  AgentHarness agent({.sandboxes_max = 2});
  agent.join();
  for (const std::string id : {"a", "b"}) {
    agent.run(AgentHarness::command(id));
    agent.ended(id, exited_0);
  }
  agent.run(AgentHarness::command("c"));
  EXPECT_EQ(agent.ended("c", exited_0), "sandbox: remove A1/F/a/a\ncontainer: forget c\n");
}

}  // namespace
}  // namespace banyan::agent
