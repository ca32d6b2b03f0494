#include <gtest/gtest.h>

#include "tests/unit/agent/harness.h"

namespace banyan::agent {
namespace {

using namespace std::chrono_literals;
using H = AgentHarness;

TEST(ACustomExecutor, IsLaunchedOnceAndGetsItsTasksWhenItSubscribes) {
  H agent;
  agent.join();
  EXPECT_EQ(agent.run(H::task_of("t1", "e")), "container: launch e\n");
  EXPECT_EQ(agent.run(H::task_of("t2", "e")), "");
  agent.started("e");
  EXPECT_EQ(agent.subscribe("e"), "executor 1: subscribed\nexecutor 1: launch t1\nexecutor 1: launch t2\n");
  EXPECT_EQ(agent.run(H::task_of("t3", "e")), "container: link e\nexecutor 1: launch t3\n");
}

TEST(ACustomExecutor, OfTheSameNameIsAnotherFrameworksOwn) {
  H agent;
  agent.join();
  agent.run(H::task_of("t", "e"));
  EXPECT_EQ(agent.run(H::task_of("t", "e"), "G"), "container: launch e\n");
}

TEST(ACustomExecutor, SeesItsUpdatesForwardedAndAcknowledged) {
  H agent;
  agent.join();
  agent.run(H::task_of("t", "e"));
  agent.started("e", 55);
  agent.subscribe("e");
  EXPECT_EQ(agent.update("e", H::says("t", TaskState::running, "u1")), "master: update t RUNNING pid=55\n");
  EXPECT_EQ(agent.update("e", H::says("t", TaskState::running, "u1")), "");  // the same again
  EXPECT_EQ(agent.acknowledge("t"), "executor 1: acknowledged t\n");
}

TEST(ACustomExecutor, ThatAlreadyHasASubscriptionGetsTheNewerOne) {
  H agent;
  agent.join();
  agent.run(H::task_of("t", "e"));
  agent.subscribe("e", 1);
  EXPECT_EQ(agent.subscribe("e", 2), "executor 1: close\nexecutor 2: subscribed\n");
}

TEST(ACustomExecutor, ThatDiesFailsItsTasks) {
  H agent;
  agent.join();
  agent.run(H::task_of("t", "e"));
  agent.started("e");
  agent.subscribe("e");
  EXPECT_EQ(agent.ended("e", 9),
            "executor 1: close\n"
            "master: update t FAILED reason=1 \"Executor terminated: terminated with signal Killed\"\n"
            "master: exited e 9\ncontainer: forget e\n");
}

TEST(ACustomExecutor, ThatNeverSubscribesIsDestroyedAndItsTasksFail) {
  H agent;
  agent.join();
  agent.run(H::task_of("t", "e"));
  agent.started("e");
  for (int i = 0; i < 12; ++i) agent.give(Ping{}), agent.advance(4s);
  agent.give(Ping{});
  EXPECT_EQ(agent.advance(12s), "link: reset\ncontainer: destroy e\n");
  EXPECT_EQ(agent.ended("e", 9),
            "master: update t FAILED reason=23 \"Executor did not register within its time\"\n"
            "master: exited e 9\ncontainer: forget e\n");
}

TEST(ACustomExecutor, ThatIsShutDownIsAskedFirstAndDestroyedAfterItsGrace) {
  H agent;
  agent.join();
  agent.run(H::task_of("t", "e"));
  agent.started("e");
  agent.subscribe("e");
  EXPECT_EQ(agent.give(ShutdownExecutor{FrameworkId("F"), ExecutorId("e")}), "executor 1: shutdown\n");
  EXPECT_EQ(agent.run(H::task_of("late", "e")), "master: update late DROPPED reason=1 \"Executor terminating\"\n");
  EXPECT_EQ(agent.advance(5s), "container: destroy e\n");
}

TEST(ATaskKilledBeforeItsDelivery, IsKilledAndTakesAnIdleExecutorWithIt) {
  H agent;
  agent.join();
  agent.run(H::task_of("t", "e"));
  EXPECT_EQ(agent.kill("t"),
            "master: update t KILLED reason=30 \"Killed before it was delivered to its executor\"\n"
            "container: destroy e\n");
}

TEST(AnotherDescriptionOfARunningExecutor, IsAnError) {
  H agent;
  agent.join();
  agent.run(H::task_of("t1", "e"));
  TaskDescription other = H::task_of("t2", "e");
  other.executor->info = "info of another";
  EXPECT_EQ(agent.run(other),
            "master: update t2 ERROR reason=14 \"executor 'e' is running under another description\"\n");
}

TEST(ATornDownFramework, LosesItsExecutorsAndCommandTasks) {
  H agent;
  agent.join();
  agent.run(H::task_of("t", "e"));
  agent.started("e");
  agent.subscribe("e");
  agent.run(H::command("c"));
  agent.started("c");
  const std::string text = agent.give(ShutdownFramework{FrameworkId("F")});
  EXPECT_NE(text.find("executor 1: shutdown\n"), std::string::npos);
  EXPECT_NE(text.find("container: terminate c\n"), std::string::npos);
  EXPECT_EQ(agent.run(H::command("late")), "");
}

TEST(Messages, GoBothWaysWhileTheExecutorIsThere) {
  H agent;
  agent.join();
  agent.run(H::task_of("t", "e"));
  EXPECT_EQ(agent.give(SchedulerMessage{FrameworkId("F"), ExecutorId("e"), "early"}), "");
  agent.subscribe("e");
  EXPECT_EQ(agent.give(SchedulerMessage{FrameworkId("F"), ExecutorId("e"), "hi"}), "executor 1: message hi\n");
  EXPECT_EQ(agent.give(ExecutorMessage{FrameworkId("F"), ExecutorId("e"), "ho"}), "master: message of e ho\n");
}

TEST(AnExecutorCall, IsRefusedInMesosWords) {
  H agent;
  agent.join();
  agent.run(H::task_of("t", "e"));
  const auto refusal = [&agent](const char* framework, const char* executor, bool subscribe) {
    const auto refused = agent.core().refuse(FrameworkId(framework), ExecutorId(executor), subscribe);
    return refused ? std::to_string(refused->status) + ' ' + refused->text : "accepted";
  };
  EXPECT_EQ(refusal("nobody", "e", true), "400 Framework cannot be found");
  EXPECT_EQ(refusal("F", "nobody", true), "400 Executor cannot be found");
  agent.run(H::command("c"));
  EXPECT_EQ(refusal("F", "c", true), "400 Executor cannot be found");
  EXPECT_EQ(refusal("F", "e", false), "403 Executor is not subscribed");
  EXPECT_EQ(refusal("F", "e", true), "accepted");
}

}  // namespace
}  // namespace banyan::agent
