// The scheduler's own restart, lost agents, lost messages, new incarnations, draining.
#include <gmock/gmock.h>

#include "tests/unit/service/harness.h"

namespace banyan::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Call = v1::scheduler::Call;

std::vector<std::string> reconciled(const Harness& h, std::size_t from) {
  std::vector<std::string> asked;
  for (std::size_t i = from; i < h.calls.size(); ++i)
    for (const auto& task : h.calls[i].reconcile().tasks()) asked.push_back(task.task_id().value());
  return asked;
}

TEST(RestartedScheduler, ReconcilesAndKeepsWhatRuns) {
  Harness h(tcp_node("kafka", 2));
  h.up();
  const auto before = h.calls.size();
  h.restart();
  EXPECT_THAT(reconciled(h, before), ElementsAre("shop.kafka.kafka-0.1", "shop.kafka.kafka-1.1"));
  EXPECT_EQ(h.states(), "kafka-0=waiting kafka-1=waiting") << "its record is not believed";
  h.update("shop.kafka.kafka-0.1", v1::TASK_RUNNING);
  h.update("shop.kafka.kafka-1.1", v1::TASK_RUNNING);
  EXPECT_TRUE(h.status().serving());
  h.offer();
  EXPECT_EQ(h.tasks.size(), 2u) << "nothing is launched twice";
  EXPECT_THAT(h.server("kafka-1").addresses(), ElementsAre("10.0.0.1:31001"));
}

TEST(RestartedScheduler, RelaunchesWhatEndedWhileItWasAway) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  h.agents["a1"].free += h.tasks["shop.kafka.kafka-0.1"].used;
  h.tasks["shop.kafka.kafka-0.1"].state = v1::TASK_FAILED;
  h.restart();
  h.update("shop.kafka.kafka-0.1", v1::TASK_GONE);
  h.offer();
  EXPECT_EQ(h.task_of("kafka-0"), "shop.kafka.kafka-0.2");
  EXPECT_THAT(h.server("kafka-0").addresses(), ElementsAre("10.0.0.1:31000"));
}

TEST(RestartedMaster, ThatDoesNotKnowTheAgentYetIsAskedAgainBeforeATaskIsGivenUp) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  h.disconnect();
  h.subscribe();
  h.update("shop.kafka.kafka-0.1", v1::TASK_UNKNOWN);
  h.tasks["shop.kafka.kafka-0.1"].state = v1::TASK_RUNNING;
  EXPECT_TRUE(h.status().serving()) << "nothing known is not the same as nothing there";
  h.advance(31s);
  h.offer();
  EXPECT_EQ(h.tasks.size(), 1u);
  h.update("shop.kafka.kafka-0.1", v1::TASK_UNKNOWN);
  h.offer();
  EXPECT_EQ(h.task_of("kafka-0"), "shop.kafka.kafka-0.2");
}

TEST(RestartedScheduler, AsksAgainWhenTheMasterDoesNotAnswer) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  h.restart();
  const auto before = h.calls.size();
  h.advance(10s);
  EXPECT_GE(reconciled(h, before).size(), 2u);
}

TEST(RestartedScheduler, KillsTasksThatNoRecordNamesAndNeverReusesTheirNumbers) {
  Harness h(tcp_node("kafka", 1));
  h.subscribe();
  h.update("shop.kafka.kafka-0.7", v1::TASK_RUNNING);
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-0"));
  h.offer();
  EXPECT_EQ(h.task_of("kafka-0"), "shop.kafka.kafka-0.8");
}

TEST(RestartedScheduler, FindsItsPlacesByLabelWithoutAnyRecord) {
  Harness h(tcp_node("kafka", 2));
  h.up();
  h.end("kafka-0", v1::TASK_KILLED);
  h.end("kafka-1", v1::TASK_KILLED);
  h.stored.clear();
  h.restart();
  h.update("shop.kafka.kafka-0.1", v1::TASK_KILLED);  // not yet acknowledged: the master says it again
  h.update("shop.kafka.kafka-1.1", v1::TASK_KILLED);
  h.offer();
  EXPECT_THAT(h.server("kafka-0").addresses(), ElementsAre("10.0.0.1:31000"));
  EXPECT_THAT(h.server("kafka-1").addresses(), ElementsAre("10.0.0.1:31001"));
  for (const auto& operation : h.calls.back().accept().operations()) EXPECT_FALSE(operation.has_reserve());
}

TEST(NewIncarnation, KeepsItsPlacesWhereTheReservationsStillAre) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  h.end("kafka-0", v1::TASK_KILLED);
  h.message.set_framework_id("shop.kafka.2");
  h.message.set_version(h.message.version() + 1);
  h.restart();
  h.offer();
  EXPECT_THAT(h.server("kafka-0").addresses(), ElementsAre("10.0.0.1:31000"));
  EXPECT_NE(h.task_of("kafka-0"), "");
}

TEST(NewIncarnation, ReservesAnewWhatDownVolumesDestroyed) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  h.end("kafka-0", v1::TASK_KILLED);
  h.agents["a1"].free = Resources::parse("cpus:4;mem:4096;disk:10000;ports:[31000-31099]").value();
  h.message.set_framework_id("shop.kafka.2");
  h.message.set_version(h.message.version() + 1);
  h.restart();
  h.offer();
  EXPECT_NE(h.task_of("kafka-0"), "");
  EXPECT_THAT(h.server("kafka-0").addresses(), ElementsAre("10.0.0.1:31000")) << "the port it had, if it is free";
}

TEST(LostReservation, IsMadeAgainAfterAWhile) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  h.end("kafka-0", v1::TASK_KILLED);
  h.agents["a1"].free = Resources::parse("cpus:4;mem:4096;disk:10000;ports:[31000-31099]").value();
  h.offer();
  EXPECT_THAT(h.live(), IsEmpty()) << "perhaps it is in another offer";
  EXPECT_THAT(h.server("kafka-0").reason(), HasSubstr("does not offer what is reserved"));
  for (int i = 0; i < 3; ++i) {
    h.advance(3s);
    h.offer();
  }
  EXPECT_THAT(h.live(), ElementsAre("kafka-0"));
}

TEST(LostAgent, IsWaitedForBecauseTheDataIsThere) {
  auto node = tcp_node("kafka", 1);
  node.servers[0].volumes["data"].size_bytes = std::int64_t{100} << 20;
  Harness h(node, "a1");
  h.up();
  h.update(h.task_of("kafka-0"), v1::TASK_UNREACHABLE);
  h.add_agent("a2");
  h.agents["a1"].free = {};
  h.offer();
  h.advance(60s);
  EXPECT_EQ(h.states(), "kafka-0=waiting");
  EXPECT_EQ(h.server("kafka-0").reason(), "its agent a1 is unreachable; its data is there, so it waits for it");
  EXPECT_FALSE(h.status().serving());
  h.update("shop.kafka.kafka-0.1", v1::TASK_RUNNING);
  EXPECT_TRUE(h.status().serving());
  EXPECT_EQ(h.tasks.size(), 1u);
}

TEST(LostAgent, IsAskedAboutUntilItIsBackAndWhatItLostIsLaunchedAgain) {
  auto node = tcp_node("kafka", 1);
  node.servers[0].volumes["data"].size_bytes = std::int64_t{100} << 20;
  Harness h(node, "a1");
  h.up();
  h.update(h.task_of("kafka-0"), v1::TASK_UNREACHABLE);
  const auto before = h.calls.size();
  h.advance(30s);
  EXPECT_THAT(reconciled(h, before), ElementsAre("shop.kafka.kafka-0.1"));
  h.end("kafka-0", v1::TASK_GONE);
  h.advance(30s);
  h.offer();
  EXPECT_THAT(h.live(), ElementsAre("kafka-0"));
}

TEST(LostAgent, MakesTheSchedulerAskAboutItsTasks) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  const auto before = h.calls.size();
  v1::scheduler::Event e;
  e.set_type(v1::scheduler::Event::FAILURE);
  e.mutable_failure()->mutable_agent_id()->set_value("a1");
  h.deliver(SchedulerEvent{e});
  EXPECT_THAT(reconciled(h, before), ElementsAre("shop.kafka.kafka-0.1"));
}

TEST(LostLaunch, IsRepeatedUnderANewIdWithoutCountingAsADeath) {
  auto node = tcp_node("kafka", 1);
  node.servers[0].restart.max = 0;
  Harness h(node);
  h.subscribe();
  h.offer();
  h.end("kafka-0", v1::TASK_DROPPED, "invalid offers");
  h.advance(1s);
  h.offer();
  EXPECT_EQ(h.task_of("kafka-0"), "shop.kafka.kafka-0.2");
}

TEST(ScheduledUpdates, AreAcknowledgedOnlyWhenTheyCameThroughAnAgent) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  EXPECT_EQ(h.count(Call::ACKNOWLEDGE), 1);
  v1::scheduler::Event e;
  e.set_type(v1::scheduler::Event::UPDATE);
  e.mutable_update()->mutable_status()->mutable_task_id()->set_value(h.task_of("kafka-0"));
  e.mutable_update()->mutable_status()->set_state(v1::TASK_RUNNING);
  h.deliver(SchedulerEvent{e});
  EXPECT_EQ(h.count(Call::ACKNOWLEDGE), 1);
}

TEST(ScheduledUpdates, AreAcknowledgedAfterWhatTheyChangedIsWritten) {
  Core core({});
  Harness h(tcp_node("kafka", 1));
  h.up();
  v1::scheduler::Event e;
  e.set_type(v1::scheduler::Event::UPDATE);
  auto* status = e.mutable_update()->mutable_status();
  status->mutable_task_id()->set_value(h.task_of("kafka-0"));
  status->set_state(v1::TASK_FAILED);
  status->set_uuid("u");
  std::string order;
  for (const auto& effect : h.core.step({Instant(2000s), WallTime(2000s)}, SchedulerEvent{e})) {
    if (std::holds_alternative<Persist>(effect)) order += "persist ";
    if (const auto* sent = std::get_if<Send>(&effect); sent != nullptr && sent->call.has_acknowledge()) order += "ack ";
  }
  EXPECT_EQ(order, "persist ack ");
}

TEST(FailedOverScheduler, ExitsAndTouchesNothing) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  h.deliver(Disconnected{"Framework failed over", true});
  ASSERT_TRUE(h.exit.has_value());
  EXPECT_NE(h.exit->code, 0);
  EXPECT_THAT(h.take_kills(), IsEmpty());
}

TEST(Draining, StopsSerialServersLastFirstEachWithItsGrace) {
  auto node = tcp_node("kafka", 3);
  node.servers[0].stop.order = specs::StopOrder::serial;
  Harness h(node);
  h.up();
  h.message.set_drain(true);
  h.handover();
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-2"));
  h.end("kafka-2", v1::TASK_KILLED);
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-1"));
  EXPECT_EQ(h.calls.back().kill().kill_policy().grace_period().nanoseconds(), 10'000'000'000);
  h.end("kafka-1", v1::TASK_KILLED);
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-0"));
  EXPECT_EQ(h.calls.back().kill().kill_policy().grace_period().nanoseconds(), 10'000'000'000);
  EXPECT_FALSE(h.exit.has_value());
  h.end("kafka-0", v1::TASK_KILLED);
  EXPECT_TRUE(h.status().drained());
  EXPECT_EQ(h.states(), "kafka-0=stopped kafka-1=stopped kafka-2=stopped");
  EXPECT_EQ(h.calls.back().type(), Call::TEARDOWN);
  ASSERT_TRUE(h.exit.has_value());
  EXPECT_EQ(h.exit->code, 0);
}

TEST(Draining, StopsParallelServersTogether) {
  Harness h(tcp_node("kafka", 3));
  h.up();
  h.message.set_drain(true);
  h.handover();
  EXPECT_EQ(h.take_kills().size(), 3u);
}

TEST(Draining, AsksAgainUntilTheEndIsSeen) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  h.message.set_drain(true);
  h.handover();
  h.take_kills();
  h.advance(60s);
  EXPECT_FALSE(h.take_kills().empty());
}

TEST(Draining, DoesNotWaitForAnAgentThatIsAway) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  h.update(h.task_of("kafka-0"), v1::TASK_UNREACHABLE);
  h.message.set_drain(true);
  h.handover();
  EXPECT_EQ(h.calls.back().type(), Call::TEARDOWN);
}

TEST(Draining, StartsNothingAndRefusesOffers) {
  Harness h(tcp_node("kafka", 1));
  h.message.set_drain(true);
  h.handover();
  h.subscribe();
  EXPECT_THAT(h.live(), IsEmpty());
  EXPECT_TRUE(h.exit.has_value());
}

TEST(ChangedMasters, AreHandedToTheClient) {
  Harness h(tcp_node("kafka", 1));
  h.message.set_masters(0, "127.0.0.1:5999");
  h.message.set_version(h.message.version() + 1);
  std::vector<std::string> masters;
  for (const auto& effect : h.core.step({Instant(2000s), WallTime(2000s)}, HandoverGiven{h.message}))
    if (const auto* set = std::get_if<SetMasters>(&effect)) masters = set->masters;
  EXPECT_THAT(masters, ElementsAre("127.0.0.1:5999"));
}

TEST(BadConfiguration, IsReportedAndChangesNothing) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  h.message.set_config("{");
  h.message.set_version(h.message.version() + 1);
  h.deliver(HandoverGiven{h.message});
  EXPECT_THAT(h.status().reason(), HasSubstr("configuration cannot be read"));
  EXPECT_THAT(h.take_kills(), IsEmpty());
}

}  // namespace
}  // namespace banyan::service
