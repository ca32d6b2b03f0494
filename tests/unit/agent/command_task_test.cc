#include <gtest/gtest.h>

#include "tests/unit/agent/harness.h"

namespace banyan::agent {
namespace {

using namespace std::chrono_literals;

TEST(ACommandTask, StartsRunsAndEndsWithItsTrueStatus) {
  AgentHarness agent;
  agent.join();
  EXPECT_EQ(agent.run(AgentHarness::command("t")), "container: launch t\nmaster: update t STARTING\n");
  EXPECT_EQ(agent.acknowledge("t"), "");
  EXPECT_EQ(agent.started("t", 4711), "master: update t RUNNING pid=4711\n");
  EXPECT_EQ(agent.acknowledge("t"), "");
  EXPECT_EQ(agent.ended("t", exited_7),
            "master: update t FAILED pid=4711 \"Command exited with status 7\"\ncontainer: forget t\n");
  EXPECT_EQ(agent.acknowledge("t"), "");
  EXPECT_EQ(agent.summary(), "registered as A1; runs:; tasks:");
}

TEST(ACommandTask, IsFinishedWhenItExitsWithZero) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("t"));
  agent.acknowledge("t");
  agent.started("t");
  agent.acknowledge("t");
  EXPECT_EQ(agent.ended("t", exited_0),
            "master: update t FINISHED pid=100 \"Command exited with status 0\"\ncontainer: forget t\n");
}

TEST(ACommandTask, NamesTheSignalThatEndedIt) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("t"));
  agent.acknowledge("t");
  agent.started("t");
  agent.acknowledge("t");
  EXPECT_EQ(agent.ended("t", 9),
            "master: update t FAILED pid=100 \"Command terminated with signal Killed\"\ncontainer: forget t\n");
}

TEST(ACommandTask, StartsAtMostOnceHoweverOftenItIsAskedFor) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("t"));
  EXPECT_EQ(agent.run(AgentHarness::command("t")), "");
  agent.ended("t", exited_0);
  EXPECT_EQ(agent.run(AgentHarness::command("t")), "");
  agent.acknowledge("t");
  agent.acknowledge("t");
  EXPECT_EQ(agent.run(AgentHarness::command("t")), "");  // also after its end is acknowledged
}

TEST(ACommandTask, IsTerminatedAndAfterItsGraceDestroyed) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("t"));
  agent.started("t");
  EXPECT_EQ(agent.kill("t", 5s), "container: terminate t\n");
  EXPECT_EQ(agent.advance(4s), "");
  EXPECT_EQ(agent.advance(1s), "container: destroy t\n");
}

TEST(ACommandTask, IsKilledSoonerByASecondKillButNeverLater) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("t"));
  agent.started("t");
  agent.kill("t", 5s);
  EXPECT_EQ(agent.kill("t", 60s), "");
  EXPECT_EQ(agent.kill("t", 0s), "");
  EXPECT_EQ(agent.advance(0s), "container: destroy t\n");
}

TEST(ACommandTask, IsKilledEvenIfItExitsWithZeroOnTerm) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("t"));
  agent.acknowledge("t");
  agent.started("t");
  agent.acknowledge("t");
  agent.kill("t");
  EXPECT_EQ(agent.ended("t", exited_0),
            "master: update t KILLED pid=100 \"Command exited with status 0\"\ncontainer: forget t\n");
}

TEST(ACommandTask, KilledWhileItsFilesAreFetchedNeverStarts) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("t"));
  agent.acknowledge("t");
  EXPECT_EQ(agent.kill("t"), "container: destroy t\n");
  EXPECT_EQ(agent.give(ContainerEnded{agent.container("t"), 0, "Killed before it was started", false, false}),
            "master: update t KILLED reason=30 \"Killed before it was started\"\ncontainer: forget t\n");
}

TEST(ACommandTask, ThatCannotBeLaunchedSaysWhy) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("t"));
  agent.acknowledge("t");
  EXPECT_EQ(agent.give(ContainerEnded{agent.container("t"), 0, "cannot fetch /x: no such file", false, false}),
            "master: update t FAILED reason=21 \"cannot fetch /x: no such file\"\ncontainer: forget t\n");
}

TEST(ACommandTask, IsToldToBeKillingOnlyToFrameworksThatKnowTheState) {
  AgentHarness agent;
  agent.join();
  Framework aware = AgentHarness::framework();
  aware.task_killing_state = true;
  agent.give(RunTask{aware, AgentHarness::command("t")});
  agent.acknowledge("t");
  agent.started("t");
  agent.acknowledge("t");
  EXPECT_EQ(agent.kill("t"), "master: update t KILLING pid=100\ncontainer: terminate t\n");
}

TEST(ACommandTask, ThatRunsTooLongFailsForThatReason) {
  AgentHarness agent;
  agent.join();
  TaskDescription task = AgentHarness::command("t");
  task.completion_max = 3s;
  agent.run(task);
  agent.acknowledge("t");
  agent.started("t");
  agent.acknowledge("t");
  EXPECT_EQ(agent.advance(3s), "container: terminate t\n");
  EXPECT_EQ(agent.ended("t", 15),
            "master: update t FAILED reason=33 pid=100 \"Task ran longer than its maximum completion time\"\n"
            "container: forget t\n");
}

TEST(ACommandTask, WithAnIdThatCannotNameAFolderIsAnError) {
  AgentHarness agent;
  agent.join();
  EXPECT_EQ(agent.run(AgentHarness::command("../t")),
            "master: update ../t ERROR reason=14 \"task id '../t' contains invalid characters\"\n");
  EXPECT_EQ(agent.run(AgentHarness::command("..")),
            "master: update .. ERROR reason=14 \"task id '..' cannot name a folder\"\n");
}

TEST(AnId, MayBe255BytesLong) {
  AgentHarness agent;
  agent.join();
  const std::string longest(255, 'x');
  EXPECT_EQ(agent.run(AgentHarness::command(longest)).substr(0, 17), "container: launch");
  EXPECT_EQ(agent.run(AgentHarness::command(longest + "x")).substr(0, 14), "master: update");
  EXPECT_EQ(agent.run(AgentHarness::task_of("t", "a/b")),
            "master: update t ERROR reason=14 \"executor id 'a/b' contains invalid characters\"\n");
}

TEST(AKillOfATaskTheAgentNeverGot, IsAnsweredSoThatTheMasterLearns) {
  AgentHarness agent;
  agent.join();
  agent.run(AgentHarness::command("other"));
  EXPECT_EQ(agent.kill("ghost"), "master: update ghost DROPPED reason=1 \"the agent does not know this task\"\n");
}

/// Runs, and has said so.
void run_with_ports(AgentHarness& agent) {
  agent.join();
  agent.run(AgentHarness::command("t"));
  agent.acknowledge("t");
  EXPECT_EQ(agent.give(ContainerStarted{agent.container("t"), 100, PortsHeld{}}),
            "master: update t RUNNING pid=100 listens=\n");
  agent.acknowledge("t");
}

TEST(PortsOfATask, AreToldInAnUpdateWhenTheirHoldersChange) {
  AgentHarness agent;
  run_with_ports(agent);
  const ContainerId c = agent.container("t");
  EXPECT_EQ(agent.give(PortsChanged{c, {"", "tcp/31000=7/python3"}}),
            "master: update t RUNNING pid=100 listens= strangers=tcp/31000=7/python3\n");
  EXPECT_EQ(agent.give(PortsChanged{c, {"", "tcp/31000=7/python3"}}), "");
  agent.acknowledge("t");
  EXPECT_EQ(agent.give(PortsChanged{c, {"tcp/31000", ""}}), "master: update t RUNNING pid=100 listens=tcp/31000\n");
}

TEST(PortsOfATask, CostNoQueueWhileNobodyAcknowledges) {
  AgentHarness agent;
  run_with_ports(agent);
  const ContainerId c = agent.container("t");
  agent.give(PortsChanged{c, {"tcp/1", ""}});
  const std::size_t records = agent.records();
  for (int i = 0; i < 10; ++i) agent.give(PortsChanged{c, {"tcp/" + std::to_string(10 + i), ""}});
  EXPECT_EQ(agent.records(), records + 1);
  EXPECT_EQ(agent.acknowledge("t"), "master: update t RUNNING pid=100 listens=tcp/19\n");
  EXPECT_EQ(agent.acknowledge("t"), "");
}

TEST(PortsOfATask, AreNotToldOnceItIsToEnd) {
  AgentHarness agent;
  run_with_ports(agent);
  agent.kill("t");
  EXPECT_EQ(agent.give(PortsChanged{agent.container("t"), {"tcp/1", ""}}), "");
}

TEST(PortsOfATask, AreComparedWithWhatAFormerLifeSaid) {
  AgentHarness agent;
  run_with_ports(agent);
  agent.give(PortsChanged{agent.container("t"), {"tcp/1", ""}});
  agent.acknowledge("t");
  agent.boot();
  agent.join(2);
  EXPECT_EQ(agent.give(ContainerStarted{agent.container("t"), 100, PortsHeld{"tcp/1", ""}}), "");
  agent.boot();
  agent.join(3);
  EXPECT_EQ(agent.give(ContainerStarted{agent.container("t"), 100, PortsHeld{"", ""}}),
            "master: update t RUNNING pid=100 listens=\n");
}

TEST(ACheck, IsReportedOnlyWhenItsResultChanges) {
  AgentHarness agent;
  agent.join();
  TaskDescription task = AgentHarness::command("t");
  task.check = Check{0s, 10s, 5s};
  agent.run(task);
  agent.acknowledge("t");
  EXPECT_EQ(agent.started("t"), "master: update t RUNNING pid=100 check=none\n");
  agent.acknowledge("t");
  EXPECT_EQ(agent.advance(0s), "container: check t\n");
  EXPECT_EQ(agent.give(CheckDone{agent.container("t"), {1}}), "master: update t RUNNING reason=28 pid=100 check=1\n");
  agent.acknowledge("t");
  agent.give(Ping{});
  EXPECT_EQ(agent.advance(9s), "");
  agent.give(Ping{});
  EXPECT_EQ(agent.advance(1s), "container: check t\n");
  EXPECT_EQ(agent.give(CheckDone{agent.container("t"), {1}}), "");
  agent.advance(5s);
  EXPECT_EQ(agent.give(CheckDone{agent.container("t"), {}}), "master: update t RUNNING reason=28 pid=100 check=none\n");
}

}  // namespace
}  // namespace banyan::agent
