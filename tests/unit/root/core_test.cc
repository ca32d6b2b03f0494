// The root core told as stories: what it launches when, what it tells whom, how it stops, what it remembers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/root/harness.h"

namespace banyan::root {
namespace {

using mesos::v1::scheduler::Call;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr const char* chain = R"(
name: s
frameworks:
  zk: { command: [sleep, "1"], ports: { p: auto }, endpoints: { e: { port: p } } }
  kafka: { command: [sleep, "1"], depends_on: [zk], ports: { p: auto }, endpoints: { e: { port: p } } }
  search: { command: [sleep, "1"] }
  logging: { command: [sleep, "1"], depends_on: [kafka, search] }
)";

struct RootWithAChain : testing::Test, Harness {
  RootWithAChain() {
    connect();
    const auto reply = Harness::up(chain);
    EXPECT_THAT(reply.errors(), IsEmpty());
  }
  void all_serve() {
    offer();
    serves("zk");
    serves("search");
    offer();
    serves("kafka");
    offer();
    serves("logging");
  }
};

TEST_F(RootWithAChain, LaunchesWhatDependsOnNothingAtOnceAndNothingElse) {
  EXPECT_EQ(core->summary(), "s: zk=launching kafka=waiting search=launching logging=waiting");
  EXPECT_TRUE(reviving);
  offer();
  EXPECT_THAT(launched, SizeIs(2));
  EXPECT_FALSE(reviving) << "nobody starves for a root that wants nothing";
}

TEST_F(RootWithAChain, LaunchesANodeAsSoonAsItsOwnEdgesHoldWhileOthersStillStart) {
  offer();
  serves("zk");
  EXPECT_EQ(core->summary(), "s: zk=serving kafka=launching search=launching logging=waiting");
  offer();
  serves("kafka");
  EXPECT_EQ(core->summary(), "s: zk=serving kafka=serving search=launching logging=waiting");
  serves("search");
  EXPECT_EQ(core->summary(), "s: zk=serving kafka=serving search=serving logging=launching");
}

TEST_F(RootWithAChain, WritesTheLaunchDownBeforeItAccepts) {
  const auto effects = core->step(now, Offered{{make_offer("o", 4096, 4096)}});
  ASSERT_TRUE(std::holds_alternative<Persist>(effects.front()));
  const auto& changes = std::get<Persist>(effects.front()).changes;
  EXPECT_TRUE(std::any_of(changes.begin(), changes.end(), [](const banyan::Change& change) {
    NodeRecord record;
    return change.key == "node/s.zk" && record.ParseFromString(*change.value) &&
           record.task_id() == "s.zk.scheduler.1" && record.used();
  }));
}

TEST_F(RootWithAChain, HandsAChildItsFrameworkIdMastersStoreAndItsDependenciesAddresses) {
  offer();
  serves("zk", {"127.0.0.1:31000", "127.0.0.1:31001"});
  offer();
  const auto told = handover("kafka");
  EXPECT_EQ(told.version(), 1u);
  EXPECT_EQ(told.framework_id(), "s.kafka.1");
  EXPECT_EQ(told.role(), "s.kafka");
  EXPECT_THAT(told.masters(), ElementsAre("127.0.0.1:5050"));
  EXPECT_EQ(told.store(), "/state/nodes/s.kafka");
  EXPECT_EQ(told.user(), "nobody");
  ASSERT_THAT(told.dependencies(), SizeIs(1));
  EXPECT_EQ(told.dependencies(0).node(), "zk");
  EXPECT_THAT(told.dependencies(0).endpoints(0).addresses(), ElementsAre("127.0.0.1:31000", "127.0.0.1:31001"));
  EXPECT_EQ(told.dependencies(0).endpoints(0).service_name(), "e.zk.s.banyan");
}

TEST_F(RootWithAChain, PushesAChangedEndpointToARunningDependantInTheSameStep) {
  all_serve();
  calls.clear();
  serves("zk", {"127.0.0.1:39999"});
  EXPECT_EQ(handover("kafka").version(), 2u);
  EXPECT_THAT(handover("kafka").dependencies(0).endpoints(0).addresses(), ElementsAre("127.0.0.1:39999"));
  EXPECT_EQ(count(Call::MESSAGE), 1u) << "logging depends on kafka and search alone";
}

TEST_F(RootWithAChain, PushesAHandoverUntilAReportNamesItsVersion) {
  all_serve();
  auto lost = report("kafka", true, {"127.0.0.1:1"});  // still version 1
  serves("zk", {"127.0.0.1:39999"});
  calls.clear();
  advance(8s);
  EXPECT_GE(count(Call::MESSAGE), 3u);
  update(task_of("kafka"), mesos::v1::TASK_RUNNING, lost);
  EXPECT_GT(node("kafka").handover_version(), node("kafka").handover_acknowledged());
  serves("kafka");  // reports the newest version
  calls.clear();
  advance(60s);
  EXPECT_EQ(count(Call::MESSAGE), 0u);
  EXPECT_EQ(node("kafka").handover_acknowledged(), 2u);
}

TEST_F(RootWithAChain, NeverClearsTheAddressesOfANodeThatFallsSilent) {
  all_serve();
  calls.clear();
  auto silent = report("zk", false);
  update(task_of("zk"), mesos::v1::TASK_RUNNING, silent);
  EXPECT_EQ(node("zk").state(), "degraded");
  EXPECT_THAT(node("zk").endpoints(0).addresses(), ElementsAre("127.0.0.1:1"));
  EXPECT_THAT(handover("kafka").dependencies(0).endpoints(0).addresses(), ElementsAre("127.0.0.1:1"));
  EXPECT_FALSE(handover("kafka").may_start()) << "nothing of it is to be started now";
  EXPECT_EQ(node("kafka").state(), "serving") << "a degraded dependency stops nobody who runs";
}

TEST_F(RootWithAChain, FreezesWhileTheMasterIsGone) {
  offer();
  runs("zk");
  step(Disconnected{"reset by peer"});
  EXPECT_EQ(core->next_deadline(), std::nullopt);
  now.mono += 1h;
  step(Tick{});
  EXPECT_EQ(core->summary(), "s: zk=starting kafka=waiting search=launching logging=waiting");
  EXPECT_FALSE(core->status(now).connected());
  connect();
  advance(1min);
  EXPECT_EQ(node("zk").state(), "starting") << "the hour away counts against nobody";
}

TEST_F(RootWithAChain, FailsAWaitThatPassesItsDeadlineAndSaysWhy) {
  offer();
  runs("zk");
  serves("search");
  advance(5min + 1s);
  EXPECT_EQ(node("kafka").state(), "failed");
  EXPECT_EQ(node("kafka").reason(), "waited 5m for zk to be serving (it is starting)");
  EXPECT_TRUE(node("kafka").timed_out());
  EXPECT_EQ(node("logging").state(), "failed");
  EXPECT_EQ(node("logging").reason(), "needs kafka to be serving (it is failed)");
  EXPECT_EQ(node("logging").cause_node(), "kafka");
  serves("zk");
  Harness::up(chain);
  EXPECT_EQ(core->summary(), "s: zk=serving kafka=launching search=serving logging=waiting");
}

TEST_F(RootWithAChain, CountsAWaitOnlyFromWhenTheDependencyItselfMayStart) {
  offer();
  serves("search");
  runs("zk");
  advance(4min);
  serves("zk");
  offer();
  runs("kafka");
  advance(4min);  // eight minutes after `up`, four after kafka began
  EXPECT_EQ(node("logging").state(), "waiting");
  EXPECT_THAT(node("logging").reason(), HasSubstr("waits for kafka to be serving"));
}

TEST_F(RootWithAChain, SaysWhenNoOfferFits) {
  offer(0.01, 16);
  EXPECT_THAT(node("zk").reason(),
              StartsWith("its scheduler needs 0.11 cpus and 96 MiB, and 127.0.0.1 has 0.01 cpus and 16 MiB left"));
  EXPECT_EQ(count(Call::DECLINE), 1u);
  advance(5min + 1s);
  EXPECT_EQ(node("zk").state(), "failed");
  EXPECT_TRUE(node("zk").timed_out());
}

TEST_F(RootWithAChain, SaysWhoHoldsWhatDoesNotFit) {
  offer();
  runs("zk");
  serves("zk");
  offer(0.01, 16);
  EXPECT_THAT(node("kafka").reason(), HasSubstr("left; 2 schedulers hold 0.22 cpus and 192 MiB, servers hold more"));
}

TEST_F(RootWithAChain, LaunchesASchedulerAgainOnlyWhenItsTaskEnds) {
  all_serve();
  auto restarted = report("zk", false);
  restarted.set_pid(2000);
  restarted.set_restarts(1);
  update(task_of("zk"), mesos::v1::TASK_RUNNING, restarted);
  EXPECT_THAT(launched, SizeIs(4)) << "the executor restarts the process; the root only watches";
  EXPECT_EQ(node("zk").scheduler().restarts(), 1u);
  EXPECT_THAT(kinds("scheduler.restarted"), ElementsAre("scheduler.restarted zk"));
  serves("zk");
  ends("zk");
  EXPECT_EQ(node("zk").state(), "degraded");
  offer();
  ASSERT_THAT(launched, SizeIs(5));
  EXPECT_EQ(launched.back().task_id().value(), "s.zk.scheduler.2");
  EXPECT_EQ(handover("zk").framework_id(), "s.zk.1") << "the same framework, a new task";
  serves("zk");
  EXPECT_EQ(node("zk").state(), "serving");
  EXPECT_EQ(node("kafka").state(), "serving");
}

TEST_F(RootWithAChain, QuarantinesASchedulerThatDiesTooOftenBeforeItServes) {
  for (int death = 0; death < 4; ++death) {
    advance(20s);
    offer();
    runs("zk");
    ends("zk", mesos::v1::TASK_FAILED, "exit 7");
  }
  EXPECT_EQ(node("zk").state(), "quarantined");
  EXPECT_THAT(node("zk").reason(), HasSubstr("died 4 times before serving; last: its scheduler ended: FAILED: exit 7"));
  EXPECT_EQ(node("kafka").state(), "failed");
  RestartAsked asked;
  asked.request.set_node("zk");
  step(asked);
  EXPECT_EQ(node("zk").state(), "launching");
  EXPECT_EQ(node("kafka").state(), "waiting") << "what it waits for is tried again";
}

TEST_F(RootWithAChain, QuarantineOfAServerIsTheChildsWord) {
  offer();
  auto gave_up = report("zk", false);
  gave_up.mutable_child()->set_quarantined(true);
  gave_up.mutable_child()->set_reason("zk-0 died 5 times: exit 1");
  update(task_of("zk"), mesos::v1::TASK_RUNNING, gave_up);
  EXPECT_EQ(node("zk").state(), "quarantined");
  EXPECT_EQ(node("zk").reason(), "zk-0 died 5 times: exit 1");
  RestartAsked again;
  again.request.set_stack("s");
  again.request.set_node("zk");
  step(again);
  EXPECT_EQ(node("zk").state(), "starting");
  EXPECT_EQ(node("zk").reason(), "its servers are not ready") << "what it gave up on is past";
}

TEST_F(RootWithAChain, AcknowledgesEveryUpdateThatWantsIt) {
  offer();
  const auto before = count(Call::ACKNOWLEDGE);
  runs("zk");
  update("s.gone.scheduler.9", mesos::v1::TASK_FAILED, std::nullopt);
  EXPECT_EQ(count(Call::ACKNOWLEDGE), before + 2);
}

TEST_F(RootWithAChain, KillsATaskItDoesNotKnow) {
  update("s.zk.scheduler.77", mesos::v1::TASK_RUNNING, std::nullopt, true);
  EXPECT_EQ(count(Call::KILL), 1u);
}

TEST_F(RootWithAChain, TakesUpWhereItWasAfterItsOwnDeath) {
  all_serve();
  const auto zk_task = task_of("zk");
  restart();
  EXPECT_EQ(core->summary(), "s: zk=serving kafka=serving search=serving logging=serving") << "frozen, not cleared";
  EXPECT_FALSE(core->status(now).connected());
  connect();
  EXPECT_EQ(count(Call::ACCEPT), 0u);
  EXPECT_EQ(count(Call::RECONCILE), 5u) << "one implicit, one per task";
  EXPECT_EQ(count(Call::MESSAGE), 4u) << "each executor is asked to repeat its report";
  EXPECT_EQ(task_of("zk"), zk_task);
  EXPECT_EQ(node("search").handover_version(), 1u) << "nothing changed, so nothing is handed over";
  EXPECT_FALSE(handover("kafka").may_start()) << "this root has not heard of zk yet";
  serves("zk");
  EXPECT_TRUE(handover("kafka").may_start());
  EXPECT_EQ(core->events("s", 0).at(1).kind(), "stack.accepted") << "events survive";
}

TEST_F(RootWithAChain, LaunchesAgainWhatDiedWhileItWasDead) {
  all_serve();
  const auto task = task_of("zk");
  running.erase(task);
  restart();
  connect();
  update(task, mesos::v1::TASK_GONE, std::nullopt, true);
  EXPECT_EQ(node("zk").state(), "degraded");
  advance(1s);
  offer();
  EXPECT_EQ(task_of("zk"), "s.zk.scheduler.2");
}

TEST_F(RootWithAChain, ReconcilesALaunchTheMasterNeverSaw) {
  offer();
  calls.clear();
  advance(10s);
  EXPECT_EQ(count(Call::RECONCILE), 2u);
  update(task_of("zk"), mesos::v1::TASK_GONE, std::nullopt, true);
  advance(1s);
  offer();
  EXPECT_EQ(task_of("zk"), "s.zk.scheduler.2");
}

TEST_F(RootWithAChain, WhatServedOnceAndMustWaitAgainIsLaunchedAnew) {
  all_serve();
  update(task_of("zk"), mesos::v1::TASK_RUNNING, report("zk", false));
  ends("kafka");
  EXPECT_EQ(core->summary(), "s: zk=degraded kafka=waiting search=serving logging=serving");
  serves("zk");
  EXPECT_EQ(core->summary(), "s: zk=serving kafka=launching search=serving logging=serving");
  advance(1s);
  offer();
  serves("kafka");
  EXPECT_EQ(core->summary(), "s: zk=serving kafka=serving search=serving logging=serving");
}

TEST_F(RootWithAChain, StopsInReverseOrderAndDrainsFirst) {
  all_serve();
  Harness::down("s");
  EXPECT_EQ(core->summary(), "s: zk=serving kafka=serving search=serving logging=stopping");
  EXPECT_TRUE(handover("logging").drain());
  EXPECT_FALSE(handover("kafka").drain());
  drains("logging");
  EXPECT_THAT(teardowns, SizeIs(1));
  torn_down();
  EXPECT_EQ(core->summary(), "s: zk=serving kafka=stopping search=stopping logging=stopped");
  drains("kafka");
  drains("search");
  torn_down();
  EXPECT_EQ(core->summary(), "s: zk=stopping kafka=stopped search=stopped logging=stopped");
  drains("zk");
  torn_down();
  EXPECT_EQ(core->summary(), "");
  EXPECT_THAT(kinds("node.stopped"),
              ElementsAre("node.stopped logging", "node.stopped kafka", "node.stopped search", "node.stopped zk"));
  EXPECT_THAT(releases, IsEmpty()) << "data stays";
}

TEST_F(RootWithAChain, LooksAfterWhatWaitsForItsTurnToBeStopped) {
  all_serve();
  Harness::down("s");
  update(task_of("zk"), mesos::v1::TASK_RUNNING, report("zk", false));
  EXPECT_EQ(core->summary(), "s: zk=degraded kafka=serving search=serving logging=stopping");
  EXPECT_EQ(node("zk").reason(), "stops after kafka");
  EXPECT_FALSE(handover("kafka").may_start()) << "a server of kafka would start before zk serves";
  ends("zk");
  advance(1s);
  offer();
  EXPECT_EQ(task_of("zk"), "s.zk.scheduler.2");
  serves("zk");
  EXPECT_EQ(core->summary(), "s: zk=serving kafka=serving search=serving logging=stopping");
  EXPECT_TRUE(handover("kafka").may_start());
}

TEST_F(RootWithAChain, TearsDownByTheOperatorWhoDoesNotDrainInTime) {
  all_serve();
  Harness::down("s");
  advance(69s);  // a minute and the grace of its server
  EXPECT_THAT(teardowns, IsEmpty());
  advance(2s);
  ASSERT_THAT(teardowns, SizeIs(1));
  EXPECT_EQ(teardowns[0].framework_id, "s.logging.1");
  EXPECT_EQ(count(Call::KILL), 1u);
  torn_down();
  EXPECT_EQ(node("logging").state(), "stopping") << "its task has not ended yet";
  ends("logging", mesos::v1::TASK_KILLED, "");
  torn_down();  // said again: only now can nobody subscribe any more
  EXPECT_EQ(node("logging").state(), "stopped");
}

TEST_F(RootWithAChain, ANodeIsStoppedOnlyWhenItsExecutorHasEndedToo) {
  all_serve();
  Harness::down("s");
  const auto task = task_of("logging");
  update(task, mesos::v1::TASK_FINISHED, std::nullopt);
  torn_down();
  EXPECT_EQ(node("logging").state(), "stopping");
  step(ExecutorEnded{task});
  EXPECT_EQ(node("logging").state(), "stopped");
  update(task_of("kafka"), mesos::v1::TASK_FINISHED, std::nullopt);
  torn_down();
  advance(6s);
  EXPECT_EQ(node("kafka").state(), "stopped") << "the event is not reliable";
}

TEST_F(RootWithAChain, DownNowDoesNotDrain) {
  all_serve();
  Harness::down("s", false, true);
  EXPECT_THAT(teardowns, SizeIs(1));
  EXPECT_FALSE(handover("logging").drain());
}

TEST_F(RootWithAChain, GoesOnStoppingAfterItsOwnDeath) {
  all_serve();
  Harness::down("s");
  restart();
  EXPECT_EQ(core->summary(), "s: zk=serving kafka=serving search=serving logging=stopping");
  connect();
  drains("logging");
  torn_down();
  EXPECT_EQ(core->summary(), "s: zk=serving kafka=stopping search=stopping logging=stopped");
}

TEST_F(RootWithAChain, ReleasesReservationsAndVolumesOnlyWhenAsked) {
  all_serve();
  Harness::down("s", true, true);
  ends("logging", mesos::v1::TASK_KILLED, "");
  torn_down();
  ASSERT_THAT(releases, SizeIs(1));
  EXPECT_EQ(releases[0].role, "s.logging");
  EXPECT_EQ(node("logging").state(), "stopping");
  step(Released{"s", "logging", "HTTP 409: in use"});
  EXPECT_EQ(node("logging").reason(), "release: HTTP 409: in use");
  advance(2s);
  released();
  EXPECT_EQ(node("logging").state(), "stopped");
}

TEST_F(RootWithAChain, NeverUsesATornDownFrameworkIdAgain) {
  all_serve();
  Harness::down("s", false, true);
  for (const char* name : {"logging", "kafka", "search", "zk"}) {
    ends(name, mesos::v1::TASK_KILLED, "");
    torn_down();
  }
  EXPECT_EQ(core->summary(), "");
  restart();
  connect();
  Harness::up(chain);
  offer();
  EXPECT_EQ(handover("zk").framework_id(), "s.zk.2");
  EXPECT_EQ(task_of("zk"), "s.zk.scheduler.2") << "task ids never repeat either";
}

TEST_F(RootWithAChain, StopsAtOnceWhatNeverStarted) {
  Harness::down("s");
  EXPECT_EQ(core->summary(), "");
  EXPECT_THAT(teardowns, IsEmpty());
}

TEST_F(RootWithAChain, AddsANodeToARunningStackAndRefusesToDropOne) {
  all_serve();
  const std::string more = std::string(chain) + "  extra: { command: [sleep, \"1\"], depends_on: [zk] }\n";
  EXPECT_THAT(Harness::up(more, true).changes(), ElementsAre("add extra"));
  EXPECT_THAT(kinds("node.waiting extra"), IsEmpty());
  EXPECT_THAT(Harness::up(more).changes(), ElementsAre("add extra"));
  EXPECT_EQ(node("extra").state(), "launching");
  const auto refused = Harness::up("name: s\nframeworks:\n  zk: { command: [sleep, \"1\"] }\n");
  EXPECT_THAT(refused.conflict(), HasSubstr("removing or renaming"));
  EXPECT_EQ(node("kafka").state(), "serving");
}

TEST_F(RootWithAChain, AChangedServerBecomesANewHandoverAndNoNewScheduler) {
  all_serve();
  std::string changed = chain;
  changed.replace(changed.find("\"1\""), 3, "\"2\"");
  const auto reply = Harness::up(changed);
  ASSERT_THAT(reply.changes(), SizeIs(1));
  EXPECT_THAT(reply.changes(0), HasSubstr("restart zk"));
  EXPECT_EQ(handover("zk").version(), 2u);
  EXPECT_EQ(handover("kafka").version(), 1u);
  EXPECT_THAT(launched, SizeIs(4));
}

TEST_F(RootWithAChain, RestartRaisesTheCountersOfEachServer) {
  all_serve();
  RestartAsked asked;
  asked.request.set_node("kafka");
  step(asked);
  EXPECT_EQ(handover("kafka").restarts().at("kafka"), 1u);
  EXPECT_THAT(launched, SizeIs(4));
}

TEST(Root, RefusesAWrongStackFileAndStartsNothing) {
  Harness h;
  h.connect();
  const auto reply = h.up("name: s\nframeworks:\n  a: { command: [x], depends_on: [b] }\n");
  EXPECT_THAT(reply.errors(), SizeIs(1));
  EXPECT_EQ(h.core->summary(), "");
  EXPECT_THAT(h.stored, testing::Not(testing::Contains(testing::Key("stack/s"))));
}

TEST(Root, JudgesAForeignProgramByItsProcessWhenItStaysSilent) {
  Harness h;
  h.connect();
  const auto reply = h.up("name: s\nframeworks:\n  a: { scheduler: { command: [./theirs] } }\n");
  ASSERT_THAT(reply.errors(), IsEmpty()) << reply.errors(0);
  h.offer();
  h.runs("a");
  EXPECT_EQ(h.node("a").state(), "starting");
  h.advance(4s);
  EXPECT_EQ(h.node("a").state(), "serving");
}

TEST(Root, ForgetsTheOldestEventsOnly) {
  Harness h;
  for (int i = 0; i < 6000; ++i) {
    h.step(Subscribed{});
    h.step(Disconnected{"x"});
  }
  EXPECT_EQ(h.core->events("", 0).size(), 10'000u);
  EXPECT_EQ(h.stored.size(), 10'000u);
  EXPECT_EQ(h.core->events("", 0).back().seq(), 12'000u);
}

}  // namespace
}  // namespace banyan::root
