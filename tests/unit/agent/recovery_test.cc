#include <gtest/gtest.h>

#include "tests/unit/agent/harness.h"

namespace banyan::agent {
namespace {

using namespace std::chrono_literals;
using H = AgentHarness;

TEST(ARestartedAgent, ReportsTheTrueStatusOfATaskThatEndedMeanwhile) {
  H agent;
  agent.join();
  agent.run(H::command("t"));
  agent.acknowledge("t");
  agent.started("t");
  agent.acknowledge("t");
  agent.boot();
  EXPECT_EQ(agent.ended("t", exited_7), "container: forget t\n");
  EXPECT_EQ(agent.join(2),
            "master: register A1 epoch=1 t=FAILED(FAILED)\n"
            "master: update t FAILED \"Command exited with status 7\"\n");
}

TEST(ARestartedAgent, TakesARunningTaskBackWithoutAWord) {
  H agent;
  agent.join();
  agent.run(H::command("t"));
  agent.acknowledge("t");
  agent.started("t", 4711);
  agent.acknowledge("t");
  agent.boot();
  EXPECT_EQ(agent.started("t", 4711), "");
  EXPECT_EQ(agent.join(2), "master: register A1 epoch=1 t=RUNNING\n");
}

TEST(ARestartedAgent, SaysThatATaskRunsIfItsFormerLifeCouldNot) {
  H agent;
  agent.join();
  agent.run(H::command("t"));
  agent.acknowledge("t");
  agent.boot();
  agent.started("t", 4711);
  EXPECT_EQ(agent.join(2), "master: register A1 epoch=1 t=RUNNING(RUNNING)\nmaster: update t RUNNING pid=4711\n");
}

TEST(ARestartedAgent, DropsATaskThatItsFormerLifeCouldNotStart) {
  H agent;
  agent.join();
  agent.run(H::command("t"));
  agent.acknowledge("t");
  agent.boot();
  agent.give(ContainerEnded{agent.container("t"), 0, "", true, false});
  EXPECT_EQ(agent.join(2),
            "master: register A1 epoch=1 t=DROPPED(DROPPED)\n"
            "master: update t DROPPED reason=12 \"The agent restarted before it could start the task\"\n");
}

TEST(ARestartedAgent, SendsAnUnacknowledgedEndAgain) {
  H agent;
  agent.join();
  agent.run(H::command("t"));
  agent.acknowledge("t");
  agent.started("t");
  agent.acknowledge("t");
  agent.ended("t", exited_7);
  agent.boot();
  EXPECT_EQ(agent.join(2),
            "master: register A1 epoch=1 t=FAILED(FAILED)\n"
            "master: update t FAILED pid=100 \"Command exited with status 7\"\n");
  EXPECT_EQ(agent.acknowledge("t"), "");
}

TEST(ARestartedAgent, GoesOnKillingWhatItWasAskedToKill) {
  H agent;
  agent.join();
  agent.run(H::command("t"));
  agent.started("t");
  agent.kill("t", 5s);
  agent.boot();
  EXPECT_EQ(agent.started("t"), "container: terminate t\n");
  EXPECT_EQ(agent.advance(5s), "container: destroy t\n");
}

TEST(ARestartedAgent, GivesAnExecutorItsTimeToComeBack) {
  H agent({.executor_reregistration_timeout = 2s});
  agent.join();
  agent.run(H::task_of("t", "e"));
  agent.started("e");
  agent.subscribe("e");
  agent.update("e", H::says("t", TaskState::running, "u1"));
  agent.acknowledge("t");
  agent.boot();
  EXPECT_EQ(agent.started("e"), "");
  EXPECT_EQ(agent.subscribe("e", 7), "executor 7: subscribed\n");
  EXPECT_EQ(agent.advance(2s), "");
  EXPECT_EQ(agent.summary(), "alone as A1; runs: e; tasks: t=RUNNING");
}

TEST(ARestartedAgent, DestroysAnExecutorThatDoesNotComeBack) {
  H agent({.executor_reregistration_timeout = 2s});
  agent.join();
  agent.run(H::task_of("t", "e"));
  agent.started("e");
  agent.subscribe("e");
  agent.boot();
  agent.started("e");
  EXPECT_EQ(agent.advance(2s), "container: destroy e\n");
  agent.ended("e", 9);
  EXPECT_EQ(agent.join(2),
            "master: register A1 epoch=1 t=FAILED(FAILED)\n"
            "master: update t FAILED reason=24 \"Executor did not reregister within its time\"\n");
}

TEST(ARestartedAgent, DropsATaskThatItsExecutorNeverGot) {
  H agent;
  agent.join();
  agent.run(H::task_of("t1", "e"));
  agent.started("e");
  agent.subscribe("e");
  agent.run(H::task_of("t2", "e"));
  agent.boot();
  agent.started("e");
  agent.join(2);
  EXPECT_EQ(agent.subscribe("e", 7, {TaskId("t1")}),
            "master: update t2 DROPPED reason=12 pid=100 \"The agent restarted before the executor had the task\"\n"
            "executor 7: subscribed\n");
}

TEST(ARestartedAgent, ShutsAnExecutorDownThatIsLeftWithoutATask) {
  H agent;
  agent.join();
  agent.run(H::task_of("t", "e"));
  agent.started("e");
  agent.subscribe("e");
  agent.boot();
  agent.started("e");
  agent.join(2);
  EXPECT_EQ(agent.subscribe("e", 7),
            "master: update t DROPPED reason=12 pid=100 \"The agent restarted before the executor had the task\"\n"
            "executor 7: shutdown\n");
  EXPECT_EQ(agent.advance(5s), "container: destroy e\n");
}

TEST(ARestartedAgent, AsksTheExecutorBeforeItCallsATaskKilled) {
  H agent;
  agent.join();
  agent.run(H::task_of("t", "e"));
  agent.started("e");
  agent.subscribe("e");
  agent.update("e", H::says("t", TaskState::running, "u1"));
  agent.acknowledge("t");
  agent.boot();
  agent.started("e");
  agent.join(2);
  EXPECT_EQ(agent.kill("t"), "") << "the executor has it and is not back yet";
  EXPECT_EQ(agent.subscribe("e", 7), "executor 7: subscribed\nexecutor 7: kill t\n");
}

TEST(ARestartedAgent, DeliversToAnExecutorThatNeverSubscribedBefore) {
  H agent;
  agent.join();
  agent.run(H::task_of("t", "e"));
  agent.boot();
  agent.started("e");
  EXPECT_EQ(agent.subscribe("e"), "executor 1: subscribed\nexecutor 1: launch t\n");
}

TEST(ARestartedAgent, TakesWhatAnExecutorStillHoldsAsSentNow) {
  H agent;
  agent.join();
  agent.run(H::task_of("t", "e"));
  agent.started("e");
  agent.subscribe("e");
  agent.boot();
  agent.started("e");
  agent.join(2);
  EXPECT_EQ(agent.subscribe("e", 2, {TaskId("t")}, {H::says("t", TaskState::running, "u1")}),
            "master: update t RUNNING pid=100\nexecutor 2: subscribed\n");
}

TEST(AnOlderMaster, IsNotObeyed) {
  H agent;
  agent.join(5);
  agent.give(LinkClosed{});
  agent.give(LinkOpened{});
  EXPECT_EQ(agent.give(Registered{AgentId("A1"), 4, {}}), "link: reset\n");
  EXPECT_FALSE(agent.core().registered());
}

TEST(ASilentMaster, IsLeftForANewConnection) {
  H agent;
  agent.join();
  agent.advance(9s);
  EXPECT_EQ(agent.give(Ping{}), "master: pong\n");
  EXPECT_EQ(agent.advance(9s), "");
  EXPECT_EQ(agent.advance(1s), "link: reset\n");
}

TEST(EveryWordOfTheMaster, CountsAsASignOfLife) {
  const FrameworkId f("F");
  const std::vector<Input> words{RunTask{H::framework(), H::command("t")},
                                 KillTask{f, TaskId("t"), {}},
                                 Acknowledge{f, TaskId("t"), "u"},
                                 SchedulerMessage{f, ExecutorId("e"), "hi"},
                                 ShutdownExecutor{f, ExecutorId("e")},
                                 UpdateFramework{H::framework()},
                                 ShutdownFramework{f},
                                 Apply{"op", {}, {}},
                                 Ping{},
                                 Registered{AgentId("A1"), 1, {}}};
  for (const auto& word : words) {
    H agent;
    agent.join();
    agent.advance(9s);
    agent.give(word);
    EXPECT_EQ(agent.advance(9s).find("reset"), std::string::npos) << word.index();
    EXPECT_NE(agent.advance(1s).find("reset"), std::string::npos) << word.index();
  }
}

TEST(Reservations, AreDurableBeforeTheyAreAppliedAndNeverTakeAVolumeInUse) {
  H agent;
  agent.join();
  const VolumeKey volume{"role", "v"};
  EXPECT_EQ(agent.give(Apply{"op1", {"r"}, {volume}}), "volume: make v\nmaster: applied op1\n");
  TaskDescription task = H::command("t");
  task.volumes = {volume};
  agent.run(task);
  EXPECT_EQ(agent.give(Apply{"op2", {}, {}}), "master: applied op2: volume v is in use by task t\n");
  agent.boot();
  EXPECT_EQ(agent.core().state().volumes.size(), 1u);
  agent.ended("t", exited_0);
  EXPECT_EQ(agent.give(Apply{"op3", {}, {}}), "volume: remove v\nmaster: applied op3\n");
}

TEST(ARefusedAgent, SaysWhyUntilItIsTaken) {
  H agent;
  agent.join();
  EXPECT_EQ(agent.core().refusal(), "");
  agent.boot();
  agent.give(LinkOpened{});
  agent.give(Refused{"too small"});
  EXPECT_EQ(agent.core().refusal(), "too small");
  agent.give(LinkClosed{});
  agent.join(2);
  EXPECT_EQ(agent.core().refusal(), "");
}

TEST(ADamagedRecord, IsRefusedByName) {
  const auto state = checkpoint::load({{"task/F/t", "9:damaged"}});
  ASSERT_FALSE(state.has_value());
  EXPECT_EQ(state.error().message, "the agent's record 'task/F/t' is damaged");
}

}  // namespace
}  // namespace banyan::agent
