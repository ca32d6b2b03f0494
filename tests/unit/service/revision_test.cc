// What the scheduler tells the root about a revision: the gate it waits at, what it has observed, what has failed.
#include <gmock/gmock.h>

#include "runtime/adapters/codec/resources.h"
#include "specs/change.h"
#include "tests/unit/service/harness.h"

namespace banyan::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

specs::Node unprobed(const std::string& name, specs::Goal goal = specs::Goal::serving) {
  auto node = tcp_node(name, 1);
  node.servers[0].readiness.clear();
  node.goal = goal;
  return node;
}

specs::Node with_volume(specs::Node node, std::int64_t mb) {
  node.servers[0].volumes["data"].size_bytes = mb << 20;
  return node;
}

TEST(Gate, HoldsBackTheFirstLaunchAndThatAfterAnOutageButNoRepair) {
  Harness h(tcp_node("kafka", 2));
  h.message.set_may_start(false);
  h.handover();
  h.subscribe();
  h.offer();
  EXPECT_THAT(h.live(), IsEmpty());
  EXPECT_THAT(h.status().reason(), HasSubstr("everything its framework needs"));
  h.message.set_may_start(true);
  h.handover();
  h.offer();
  h.run_all();
  EXPECT_TRUE(h.status().serving());
  h.message.set_may_start(false);
  h.handover();
  h.end("kafka-0");
  h.offer();
  EXPECT_THAT(h.live(), ElementsAre("kafka-0", "kafka-1")) << "kafka-1 runs, so this is a repair";
  h.run_all();
  h.end("kafka-0");
  h.end("kafka-1");
  h.advance(60s);
  h.offer();
  EXPECT_THAT(h.live(), IsEmpty()) << "nobody runs: an outage";
}

TEST(Gate, WaitsForReconciliationAfterTheSchedulersOwnRestart) {
  Harness h(tcp_node("kafka", 2));
  h.up();
  h.message.set_may_start(false);
  h.end("kafka-1");
  h.restart();
  h.offer();
  EXPECT_THAT(h.live(), ElementsAre("kafka-0")) << "unknown is not running";
  h.run("kafka-0");
  h.offer();
  EXPECT_THAT(h.live(), ElementsAre("kafka-0", "kafka-1"));
}

TEST(Observed, IsSaidOnlyWhenEveryServerRunsAsDeclared) {
  auto node = tcp_node("kafka", 2);
  Harness h(node);
  h.subscribe();
  h.offer();
  EXPECT_FALSE(h.status().has_observed());
  EXPECT_EQ(h.status().step(), "");
  h.run_all();
  EXPECT_EQ(h.status().observed(), h.message.node_hash());
  EXPECT_EQ(h.server("kafka-0").launched(), specs::hash(node, node.servers[0]));
  node.servers[0].env["A"] = {"b", {}};
  h.handover(node);
  EXPECT_FALSE(h.status().has_observed());
  EXPECT_EQ(h.status().step(), "restarting kafka-1, 0 of 2 done");
  for (const auto* name : {"kafka-1", "kafka-0"}) {
    EXPECT_THAT(h.take_kills(), ElementsAre(name));
    EXPECT_FALSE(h.status().has_observed());
    h.end(name, v1::TASK_KILLED);
    h.offer();
    h.run(name);
  }
  EXPECT_EQ(h.status().observed(), h.message.node_hash());
  node.servers[0].stop.grace = 1min;
  h.handover(node);
  EXPECT_EQ(h.status().observed(), h.message.node_hash()) << "nothing had to be restarted";
  (*h.message.mutable_restarts())["kafka"] = 1;
  h.handover(node);
  EXPECT_FALSE(h.status().has_observed()) << "a restart is outstanding";
}

TEST(RollingRestart, LeavesTheOthersAloneWhileNoConfigurationMendsTheFirst) {
  auto node = tcp_node("kafka", 3);
  Harness h(node);
  h.up();
  h.ready["kafka/0/kafka-2"] = false;
  for (const auto* value : {"worse", "worse still"}) {
    node.servers[0].env["A"] = {value, {}};
    h.handover(node);
    EXPECT_THAT(h.take_kills(), ElementsAre("kafka-2"));
    h.end("kafka-2", v1::TASK_KILLED);
    h.offer();
    h.run("kafka-2");
    h.advance(60s);
    EXPECT_THAT(h.take_kills(), IsEmpty());
  }
  h.ready["kafka/0/kafka-2"] = true;
  h.advance(10s);
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-1"));
}

TEST(Observed, WaitsForServersToCome) {
  auto node = tcp_node("kafka", 1);
  Harness h(node);
  h.up();
  node.servers[0].instances = 2;
  h.handover(node);
  EXPECT_FALSE(h.status().has_observed());
  EXPECT_EQ(h.status().step(), "starting kafka-1");
  h.offer();
  h.run("kafka-1");
  EXPECT_EQ(h.status().observed(), h.message.node_hash());
  EXPECT_THAT(h.take_kills(), IsEmpty());
}

Resources volumes_of(const v1::TaskInfo& task) {
  return codec::decode(task.resources()).value().filter([](const auto& identity) {
    return identity.volume.has_value();
  });
}

TEST(RefusedConfiguration, IsNotTakenAndSaidAlsoByTheNextScheduler) {
  const auto before = with_volume(tcp_node("kafka", 1), 100);
  Harness h(before);
  h.up();
  h.handover(tcp_node("kafka", 1));
  h.advance(10s);
  h.offer();
  for (int life = 0; life < 2; ++life) {
    EXPECT_FALSE(h.status().serving());
    EXPECT_FALSE(h.status().has_observed());
    EXPECT_THAT(h.status().reason(), HasSubstr("volume data would be left behind with its data"));
    EXPECT_THAT(h.live(), ElementsAre("kafka-0"));
    h.restart();
    h.run("kafka-0");
  }
  h.handover(before);
  EXPECT_TRUE(h.status().serving());
}

TEST(VolumeOfAnEarlierLife, GetsTheSizeDeclaredNow) {
  Harness h(with_volume(tcp_node("kafka", 1), 100));
  h.up();
  h.end("kafka-0", v1::TASK_KILLED);
  h.message.set_framework_id("shop.kafka.2");
  h.message.set_config("");
  h.handover(with_volume(tcp_node("kafka", 1), 50));
  h.restart();
  h.offer();
  EXPECT_EQ(volumes_of(h.info("kafka-0")).scalar("disk").milli, 50'000);
}

TEST(Volume, GrowsWhereItIsWhenItsServerStartsAnew) {
  Harness h(with_volume(tcp_node("kafka", 1), 100));
  h.up();
  h.handover(with_volume(tcp_node("kafka", 1), 500));
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-0"));
  EXPECT_FALSE(h.status().has_observed());
  h.end("kafka-0", v1::TASK_KILLED);
  h.offer();
  EXPECT_EQ(volumes_of(h.info("kafka-0")).scalar("disk").milli, 500'000);
  h.run("kafka-0");
  EXPECT_EQ(h.status().observed(), h.message.node_hash());
}

TEST(Volume, GivesUpWhatASmallerOneNeedsNot) {
  Harness h(with_volume(tcp_node("kafka", 1), 100));
  h.up();
  const auto free = h.agents["a1"].free.unreserved().scalar("disk").milli;
  h.handover(with_volume(tcp_node("kafka", 1), 40));
  h.end("kafka-0", v1::TASK_KILLED);
  h.offer();
  EXPECT_EQ(volumes_of(h.info("kafka-0")).scalar("disk").milli, 40'000);
  EXPECT_EQ(h.agents["a1"].free.unreserved().scalar("disk").milli, free + 60'000);
}

TEST(Volume, WaitsWithItsDataWhenTheDiskIsTooSmallToGrow) {
  Harness h(with_volume(tcp_node("kafka", 1), 100));
  h.up();
  h.handover(with_volume(tcp_node("kafka", 1), 1 << 20));
  h.end("kafka-0", v1::TASK_KILLED);
  h.offer();
  EXPECT_THAT(h.live(), IsEmpty());
  EXPECT_THAT(h.server("kafka-0").reason(), HasSubstr("has not the disk to grow volume data from 100 MB to"));
  h.handover(with_volume(tcp_node("kafka", 1), 100));
  h.offer();
  EXPECT_EQ(h.server("kafka-0").reason(), "");
  EXPECT_EQ(volumes_of(h.info("kafka-0")).scalar("disk").milli, 100'000);
}

TEST(Volume, UsesFirstWhatACallThatNeverGrewItHasReserved) {
  Harness h(with_volume(tcp_node("kafka", 1), 100));
  h.up();
  h.handover(with_volume(tcp_node("kafka", 1), 500));
  h.end("kafka-0", v1::TASK_KILLED);
  h.refuse_growth = true;
  h.offer();
  EXPECT_THAT(h.live(), IsEmpty());
  h.refuse_growth = false;
  h.update("shop.kafka.kafka-0.2", v1::TASK_DROPPED);
  h.advance(5s);
  const auto free = h.agents["a1"].free.unreserved().scalar("disk");
  h.offer();
  EXPECT_EQ(volumes_of(h.info("kafka-0")).scalar("disk").milli, 500'000);
  EXPECT_EQ(h.agents["a1"].free.unreserved().scalar("disk"), free);
}

TEST(Volume, IsSeenWhereTheNewFileSays) {
  const auto at = [](const std::string& path) {
    auto node = with_volume(tcp_node("kafka", 1), 100);
    node.servers[0].volumes["data"].path = path;
    return node;
  };
  Harness h(at("data"));
  h.up();
  h.handover(at("var/lib"));
  h.end("kafka-0", v1::TASK_KILLED);
  h.offer();
  const auto volumes = volumes_of(h.info("kafka-0")).list();
  ASSERT_EQ(volumes.size(), 1U);
  EXPECT_EQ(volumes[0].identity.volume->container_path, "var/lib");
}

TEST(AnotherProbe, RestartsNothing) {
  auto node = unprobed("app");
  node.servers[0].readiness.emplace_back().probe = specs::ExecProbe{{{{"one", {}}}, std::nullopt}};
  Harness h(node);
  h.up();
  node.servers[0].readiness[0].interval = 5s;
  h.handover(node);
  EXPECT_THAT(h.take_kills(), IsEmpty());
}

TEST(HungServer, IsNoticedWithinTwoDeclaredIntervals) {
  auto node = tcp_node("app", 1);
  node.servers[0].readiness[0].interval = 5s;
  Harness h(node);
  h.up();
  h.ready["app"] = false;
  h.advance(4s);
  EXPECT_TRUE(h.status().serving());
  h.advance(7s);
  EXPECT_FALSE(h.status().serving());
}

TEST(UnprobedServer, ServesOnlyOnceItHasStayedUp) {
  Harness h(unprobed("app"));
  h.up();
  EXPECT_EQ(h.states(), "app-0=starting");
  h.advance(999ms);
  EXPECT_FALSE(h.status().serving());
  h.advance(1ms);
  EXPECT_TRUE(h.status().serving());
}

TEST(Job, IsNotServingWhileItRunsAndFailsWhenItsPolicyAllowsNoMore) {
  auto node = unprobed("job", specs::Goal::completed);
  node.servers[0].restart.policy = specs::RestartPolicy::never;
  Harness h(node);
  h.up();
  h.advance(10s);
  EXPECT_EQ(h.states(), "job-0=running");
  EXPECT_FALSE(h.status().serving());
  h.end("job-0", v1::TASK_FAILED, "Command exited with status 3");
  EXPECT_TRUE(h.status().failed());
  EXPECT_THAT(h.status().reason(), HasSubstr("exited with status 3; its restart policy is never"));
  EXPECT_EQ(h.status().observed(), h.message.node_hash()) << "it has ended as declared";
}

TEST(Job, FailsAfterItsLastTryAndIsTriedAgainByAnotherConfiguration) {
  auto node = unprobed("job", specs::Goal::completed);
  node.servers[0].restart.max = 1;
  Harness h(node);
  h.up();
  for (int end = 0; end < 2; ++end) {
    h.advance(30s);
    h.offer();
    if (!h.task_of("job-0").empty()) h.run("job-0");
    h.end("job-0", v1::TASK_FAILED, "Command exited with status 3");
  }
  EXPECT_TRUE(h.status().failed());
  EXPECT_THAT(h.status().reason(), HasSubstr("died 2 times before completing"));
  node.servers[0].env["MENDED"] = {"yes", {}};
  h.handover(node);
  EXPECT_FALSE(h.status().failed());
  h.offer();
  h.run("job-0");
  h.end("job-0", v1::TASK_FINISHED);
  EXPECT_TRUE(h.status().completed());
}

TEST(Service, ThatExitsWithZeroUnderAPolicyThatForbidsAnotherStartHasFailed) {
  for (const auto policy : {specs::RestartPolicy::on_failure, specs::RestartPolicy::never}) {
    auto node = tcp_node("app", 1);
    node.servers[0].restart.policy = policy;
    Harness h(node);
    h.up();
    h.end("app-0", v1::TASK_FINISHED, "it exited with status 0");
    h.advance(1h);
    h.offer();
    EXPECT_THAT(h.live(), IsEmpty());
    EXPECT_TRUE(h.status().failed());
    EXPECT_THAT(h.status().reason(), HasSubstr("exited with status 0"));
    EXPECT_THAT(h.status().reason(), HasSubstr("its restart policy is"));
  }
}

TEST(RestartOfADegradedNode, GoesOnInsteadOfWaitingForWhoDoesNotServe) {
  auto node = tcp_node("kafka", 2);
  node.servers[0].restart.max = 0;
  Harness h(node);
  h.ready["kafka/0/kafka-1"] = false;
  h.up();
  h.end("kafka-1", v1::TASK_FAILED);
  EXPECT_EQ(h.states(), "kafka-0=serving kafka-1=quarantined");
  (*h.message.mutable_restarts())["kafka"] = 1;
  h.handover();
  h.offer();
  h.run("kafka-1");
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-0")) << "kafka-1 is as ill as before";
}

TEST(AnotherServerThatHasFailedForGood, DoesNotBlockARollingRestart) {
  auto node = tcp_node("app", 1);
  auto other = node.servers[0];
  other.name = "side";
  other.restart.policy = specs::RestartPolicy::never;
  node.servers.push_back(other);
  Harness h(node);
  h.up();
  h.ready["side"] = false;
  node.servers[0].env["A"] = {"b", {}};
  h.end("side-0", v1::TASK_FAILED);
  h.handover(node);
  h.offer();  // another configuration is another chance
  h.run("side-0");
  h.end("side-0", v1::TASK_FAILED);
  EXPECT_THAT(h.take_kills(), testing::Contains("app-0"));
}

TEST(ChangedAddress, OfAnotherNodeIsShownAndRestartsNothing) {
  auto node = tcp_node("kafka", 1);
  node.servers[0].env["ZK"] = {"${zookeeper.endpoints.client}", {}};
  Harness h(node);
  auto* endpoint = h.message.add_dependencies();
  endpoint->set_node("zookeeper");
  endpoint->add_endpoints()->set_name("client");
  endpoint->mutable_endpoints(0)->add_addresses("10.0.0.9:1");
  h.handover();
  h.up();
  EXPECT_THAT(h.server("kafka-0").launched_with(), IsEmpty());
  endpoint->mutable_endpoints(0)->set_addresses(0, "10.0.0.9:2");
  h.handover();
  EXPECT_THAT(h.server("kafka-0").launched_with(), ElementsAre("zookeeper.client 10.0.0.9:1"));
  EXPECT_THAT(h.take_kills(), IsEmpty());
}

TEST(RecordOfTheFirstSchema, IsAdoptedWithoutARestart) {
  auto node = tcp_node("kafka", 1);
  Harness h(node);
  h.up();
  const auto place = h.core.instances()[0].record.place;
  const auto task = render(node, node.servers[0], h.message,
                           view_of(node, h.message, h.core.instances(), h.core.instances()[0], true));
  h.stored["instance/kafka-0"] =
      R"({"agent":"a1","host":"10.0.0.1","ports":{"client":31000},"held":["port:client"],"attempt":1,)"
      R"("task":"shop.kafka.kafka-0.1","fingerprint":")" +
      fingerprint(*task, node.servers[0], place, "") +
      R"(","restart":0,"restarts":0,"completed":false,"failed":false,"quarantined":false,"why":""})";
  h.stored.erase("config");
  h.restart();
  h.run("kafka-0");
  EXPECT_TRUE(h.status().serving()) << h.status().reason();
  EXPECT_EQ(h.status().observed(), h.message.node_hash());
  EXPECT_THAT(h.take_kills(), IsEmpty());
}

}  // namespace
}  // namespace banyan::service
