// Deaths, back-off, quarantine; rolling restarts.
#include <gmock/gmock.h>

#include "tests/unit/service/harness.h"

namespace banyan::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Call = v1::scheduler::Call;

TEST(ServerThatDies, ComesBackAtOnceOnItsPlaceUnderANewTaskId) {
  Harness h(tcp_node("kafka", 2));
  h.up();
  h.advance(5s);
  h.end("kafka-0", v1::TASK_FAILED, "Command terminated with signal Killed");
  EXPECT_FALSE(h.status().serving());
  h.offer();
  EXPECT_EQ(h.task_of("kafka-0"), "shop.kafka.kafka-0.2");
  EXPECT_THAT(h.server("kafka-0").addresses(), ElementsAre("10.0.0.1:31000"));
  EXPECT_EQ(h.states(), "kafka-0=launching kafka-1=serving");
  h.run("kafka-0");
  EXPECT_TRUE(h.status().serving());
  EXPECT_EQ(h.server("kafka-0").restarts(), 1u);
}

TEST(ServerThatDies, PausesLongerEachTimeBeforeItServes) {
  Harness h(tcp_node("kafka", 1));
  h.ready["kafka"] = false;
  h.up();
  std::vector<std::int64_t> pauses;
  for (int death = 0; death < 4; ++death) {
    h.end("kafka-0");
    Duration waited{};
    while (h.suppressed) {
      h.advance(100ms);
      waited += 100ms;
    }
    h.offer();
    h.run("kafka-0");
    pauses.push_back(milliseconds(waited));
  }
  EXPECT_THAT(pauses, ElementsAre(200, 400, 800, 1600));
}

TEST(ServerThatDies, IsQuarantinedAfterTooManyDeathsBeforeServing) {
  Harness h(tcp_node("kafka", 2));
  h.ready["kafka/0/kafka-0"] = false;
  h.up();
  for (int death = 0; death < 6; ++death) {
    h.end("kafka-0", v1::TASK_FAILED, "Command exited with status 7");
    h.advance(30s);
    h.offer();
    if (!h.task_of("kafka-0").empty()) h.run("kafka-0");
  }
  EXPECT_EQ(h.states(), "kafka-0=quarantined kafka-1=serving");
  EXPECT_TRUE(h.status().quarantined());
  EXPECT_THAT(h.status().reason(), HasSubstr("died 6 times before serving, last: Command exited with status 7"));
  EXPECT_TRUE(h.suppressed);
  h.restart();
  EXPECT_TRUE(h.status().quarantined()) << "also for the next scheduler";
}

TEST(ServerThatDies, IsNotCountedOnceItHasServed) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  for (int death = 0; death < 20; ++death) {
    h.end("kafka-0");
    h.advance(31s);
    h.offer();
    h.run("kafka-0");
  }
  EXPECT_EQ(h.states(), "kafka-0=serving");
}

TEST(ServerThatDies, HasAFullBudgetAgainAfterAMinuteOfServing) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  const auto die_before_serving = [&](int times) {
    h.ready["kafka"] = false;
    for (int i = 0; i < times; ++i) {
      h.end("kafka-0");
      h.advance(31s);
      h.offer();
      h.run("kafka-0");
    }
    h.ready.clear();
    h.advance(31s);
  };
  h.end("kafka-0");
  h.offer();
  h.ready["kafka"] = false;
  h.run("kafka-0");
  die_before_serving(5);
  EXPECT_EQ(h.states(), "kafka-0=serving");
  h.advance(61s);
  h.end("kafka-0");  // a death in service: refills, is not counted
  h.offer();
  h.ready["kafka"] = false;
  h.run("kafka-0");
  die_before_serving(5);
  EXPECT_EQ(h.states(), "kafka-0=serving");
}

TEST(ServerThatDies, HasNotServedByMerelyRunningForAMomentWhenNoProbeSpeaksForIt) {
  auto node = tcp_node("job", 1);
  node.servers[0].readiness.clear();
  Harness h(node);
  h.up();
  for (int death = 0; death < 6; ++death) {
    h.end("job-0", v1::TASK_FAILED, "Command exited with status 7");
    h.advance(30s);
    h.offer();
    if (!h.task_of("job-0").empty()) h.run("job-0");
  }
  EXPECT_EQ(h.states(), "job-0=quarantined");
}

TEST(ServerThatDies, LeavesQuarantineWhenARestartIsAskedFor) {
  auto node = tcp_node("kafka", 1);
  node.servers[0].restart.max = 0;
  Harness h(node);
  h.ready["kafka"] = false;
  h.up();
  h.end("kafka-0");
  EXPECT_EQ(h.states(), "kafka-0=quarantined");
  h.ready.clear();
  (*h.message.mutable_restarts())["kafka"] = 1;
  h.handover();
  h.offer();
  h.run("kafka-0");
  EXPECT_TRUE(h.status().serving());
}

TEST(ServerThatDies, StaysDownWhenItsPolicySaysNever) {
  auto node = tcp_node("job", 1);
  node.servers[0].restart.policy = specs::RestartPolicy::never;
  Harness h(node);
  h.up();
  h.end("job-0", v1::TASK_FAILED, "Command exited with status 3");
  h.offer();
  EXPECT_EQ(h.states(), "job-0=failed");
  EXPECT_THAT(h.server("job-0").reason(), HasSubstr("Command exited with status 3"));
}

TEST(NodeWithGoalCompleted, CompletesWhenEveryServerExitsWithZero) {
  auto node = tcp_node("job", 2);
  node.goal = specs::Goal::completed;
  node.servers[0].readiness.clear();
  Harness h(node);
  h.up();
  h.end("job-0", v1::TASK_FINISHED, "Command exited with status 0");
  EXPECT_FALSE(h.status().completed());
  h.end("job-1", v1::TASK_FAILED, "Command exited with status 1");
  h.advance(1s);
  h.offer();
  EXPECT_THAT(h.live(), ElementsAre("job-1"));
  h.run("job-1");
  h.end("job-1", v1::TASK_FINISHED, "Command exited with status 0");
  EXPECT_TRUE(h.status().completed());
  EXPECT_EQ(h.states(), "job-0=completed job-1=completed");
  h.restart();
  h.offer();
  EXPECT_THAT(h.live(), IsEmpty());
  EXPECT_TRUE(h.status().completed());
}

TEST(NodeWithGoalRunning, ServesWithoutBeingProbed) {
  auto node = tcp_node("app", 1);
  node.goal = specs::Goal::running;
  Harness h(node);
  h.ready["app"] = false;
  h.up();
  h.advance(1s);
  EXPECT_TRUE(h.status().serving());
}

TEST(RollingRestart, TakesOneServerAtATimeLastFirstAndWaitsUntilItServes) {
  Harness h(tcp_node("kafka", 3));
  h.up();
  (*h.message.mutable_restarts())["kafka"] = 1;
  h.handover();
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-2"));
  EXPECT_EQ(h.states(), "kafka-0=serving kafka-1=serving kafka-2=stopping");
  h.end("kafka-2", v1::TASK_KILLED);
  h.offer();
  h.ready["kafka/0/kafka-2"] = false;
  h.run("kafka-2");
  h.advance(10s);
  EXPECT_THAT(h.take_kills(), IsEmpty()) << "kafka-2 does not serve yet";
  h.ready.clear();
  h.advance(1s);
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-1"));
  h.end("kafka-1", v1::TASK_KILLED);
  h.offer();
  h.run("kafka-1");
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-0"));
  h.end("kafka-0", v1::TASK_KILLED);
  h.offer();
  h.run("kafka-0");
  EXPECT_THAT(h.take_kills(), IsEmpty());
  EXPECT_TRUE(h.status().serving());
  EXPECT_EQ(h.server("kafka-0").restarts(), 1u);
}

TEST(RollingRestart, GoesOnAfterTheSchedulersOwnRestart) {
  Harness h(tcp_node("kafka", 2));
  h.up();
  (*h.message.mutable_restarts())["kafka"] = 1;
  h.handover();
  h.end("kafka-1", v1::TASK_KILLED);
  h.restart();
  h.update(h.task_of("kafka-0"), v1::TASK_RUNNING);
  h.offer();
  h.take_kills();
  h.run("kafka-1");
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-0"));
}

TEST(RollingRestart, FollowsAChangedConfiguration) {
  auto node = tcp_node("kafka", 2);
  Harness h(node);
  h.up();
  node.servers[0].env["HEAP"] = {"1g", {}};
  h.handover(node);
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-1"));
  h.end("kafka-1", v1::TASK_KILLED);
  h.offer();
  EXPECT_EQ(h.env("kafka-1", "HEAP"), "1g");
}

TEST(RollingRestart, IsNotCausedByAnotherNodesAddressesNorByAProbe) {
  auto node = tcp_node("kafka", 1);
  node.servers[0].env["ZK"] = {"${zookeeper.endpoints.client}", {}};
  Harness h(node);
  auto* endpoint = h.message.add_dependencies();
  endpoint->set_node("zookeeper");
  endpoint->add_endpoints()->set_name("client");
  endpoint->mutable_endpoints(0)->add_addresses("10.0.0.9:1");
  h.handover();
  h.up();
  EXPECT_EQ(h.env("kafka-0", "ZK"), "10.0.0.9:1");
  endpoint->mutable_endpoints(0)->set_addresses(0, "10.0.0.9:2");
  node.servers[0].readiness[0].interval = 3s;
  h.handover(node);
  EXPECT_THAT(h.take_kills(), IsEmpty());
  h.end("kafka-0");
  h.offer();
  EXPECT_EQ(h.env("kafka-0", "ZK"), "10.0.0.9:2") << "the next launch knows the new address";
}

TEST(RollingRestart, ReplacesAtOnceWhatHasNeverServed) {
  auto node = tcp_node("kafka", 2);
  Harness h(node);
  h.ready["kafka"] = false;
  h.up();
  node.servers[0].env["FIXED"] = {"yes", {}};
  h.handover(node);
  EXPECT_THAT(h.take_kills(), testing::UnorderedElementsAre("kafka-0", "kafka-1"));
}

TEST(ScaledDownNode, EndsTheServersItNoLongerDeclares) {
  auto node = tcp_node("kafka", 3);
  Harness h(node);
  h.up();
  node.servers[0].instances = 2;
  h.handover(node);
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-2"));
  EXPECT_EQ(h.states(), "kafka-0=serving kafka-1=serving kafka-2=stopping");
  h.end("kafka-2", v1::TASK_KILLED);
  EXPECT_EQ(h.states(), "kafka-0=serving kafka-1=serving");
}

}  // namespace
}  // namespace banyan::service
