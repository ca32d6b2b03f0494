// When probes are made and what they decide; what servers' answers mean.
#include <gmock/gmock.h>

#include "orchestrator/frameworks/service/probes/verdict.h"
#include "tests/unit/service/harness.h"

namespace banyan::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

specs::Node kafka_node() {
  auto node = tcp_node("kafka", 3);
  node.servers[0].readiness[0].probe = specs::KafkaProbe{"client", {"lines"}};
  return node;
}

TEST(Probe, StartsAtOnceWhenTheTaskRuns) {
  Harness h(tcp_node("kafka", 1));
  h.auto_probe = false;
  h.subscribe();
  h.offer();
  EXPECT_THAT(h.probes, IsEmpty());
  h.run("kafka-0");
  ASSERT_EQ(h.probes.size(), 1u);
  EXPECT_THAT(h.probes[0].addresses, ElementsAre("10.0.0.1:31000"));
}

TEST(Probe, IsRepeatedSoonThenAtItsInterval) {
  Harness h(tcp_node("kafka", 1));
  h.ready["kafka"] = false;
  h.up();
  h.auto_probe = false;
  std::vector<std::int64_t> gaps;
  for (int i = 0; i < 8; ++i) {
    const auto next = h.core.next_deadline();
    ASSERT_TRUE(next.has_value());
    Duration waited{};
    while (h.probes.empty()) {
      h.advance(10ms);
      waited += 10ms;
    }
    gaps.push_back(milliseconds(waited));
    const auto probe = h.probes.front();
    h.probes.clear();
    h.answer(probe, false);
  }
  EXPECT_THAT(gaps, ElementsAre(20, 40, 80, 160, 320, 500, 500, 500));
}

TEST(Probe, WaitsForTheStartPeriodAndHoldsForItsTime) {
  auto node = tcp_node("kafka", 1);
  node.servers[0].readiness[0].start_period = 3s;
  node.servers[0].readiness[0].hold_for = 2s;
  Harness h(node);
  h.up();
  h.advance(2s);
  EXPECT_EQ(h.states(), "kafka-0=starting");
  h.advance(2s);
  EXPECT_THAT(h.server("kafka-0").reason(), HasSubstr("held for 2000 ms"));
  h.advance(2s);
  EXPECT_EQ(h.states(), "kafka-0=serving");
}

TEST(Probe, OfAServingServerMayFailOnce) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  h.auto_probe = false;
  h.advance(500ms);
  ASSERT_EQ(h.probes.size(), 1u);
  h.answer(std::exchange(h.probes, {})[0], false);
  EXPECT_TRUE(h.status().serving());
  h.advance(1s);
  ASSERT_EQ(h.probes.size(), 1u);
  h.answer(std::exchange(h.probes, {})[0], false, "refused");
  EXPECT_FALSE(h.status().serving());
  EXPECT_EQ(h.states(), "kafka-0=degraded");
  EXPECT_EQ(h.server("kafka-0").reason(), "refused");
}

TEST(Probe, AnswersAboutAnEndedTaskAreIgnored) {
  Harness h(tcp_node("kafka", 1));
  h.auto_probe = false;
  h.up();
  const auto old = std::exchange(h.probes, {})[0];
  h.end("kafka-0");
  h.advance(1s);
  h.offer();
  h.run("kafka-0");
  h.answer(old, true);
  EXPECT_EQ(h.states(), "kafka-0=starting");
}

TEST(ProbeOfAWholeServer, StartsWhenAllInstancesRunAndIsThoroughOnTheWayToServing) {
  Harness h(kafka_node());
  h.auto_probe = false;
  h.subscribe();
  h.offer();
  h.run("kafka-0");
  h.run("kafka-1");
  EXPECT_THAT(h.probes, IsEmpty());
  h.run("kafka-2");
  ASSERT_EQ(h.probes.size(), 1u);
  EXPECT_EQ(h.probes[0].addresses.size(), 3u);
  EXPECT_TRUE(h.probes[0].thorough);
  h.answer(std::exchange(h.probes, {})[0], true);
  EXPECT_TRUE(h.status().serving());
  h.advance(5s);
  ASSERT_EQ(h.probes.size(), 1u);
  EXPECT_FALSE(h.probes[0].thorough) << "the costly part is not repeated for ever";
}

TEST(ProbeOfAWholeServer, StartsAnewAfterAnyInstanceRestarted) {
  Harness h(kafka_node());
  h.up();
  EXPECT_TRUE(h.status().serving());
  h.auto_probe = false;
  h.end("kafka-1");
  EXPECT_EQ(h.states(), "kafka-0=serving kafka-1=waiting kafka-2=serving");
  h.offer();
  h.run("kafka-1");
  ASSERT_EQ(h.probes.size(), 1u);
  EXPECT_TRUE(h.probes[0].thorough);
  EXPECT_FALSE(h.status().serving());
  h.answer(std::exchange(h.probes, {})[0], false, "2 of 3 brokers registered");
  EXPECT_THAT(h.status().reason(), HasSubstr("2 of 3 brokers registered"));
}

const char* const leader =
    "zk_version\t3.8.4\nzk_server_state\tleader\nzk_followers\t2\nzk_synced_followers\t2\nzk_odd line\n";
const char* const follower = "zk_server_state\tfollower\r\nzk_avg_latency\t0.1\n";

TEST(ZookeeperVerdict, NeedsOneLeaderWithAllOthersInSync) {
  EXPECT_TRUE(judge_zookeeper({{"a", leader}, {"b", follower}, {"c", follower}}).ready);
  EXPECT_EQ(judge_zookeeper({{"a", follower}, {"b", follower}}).message, "no server leads");
  EXPECT_EQ(judge_zookeeper({{"a", leader}, {"b", leader}}).message, "more than one server leads");
  EXPECT_EQ(
      judge_zookeeper({{"a", "zk_server_state\tleader\nzk_synced_followers\t1\n"}, {"b", follower}, {"c", follower}})
          .message,
      "1 of 2 followers in sync");
  EXPECT_EQ(judge_zookeeper({{"a", leader}, {"b", error("cannot connect: refused")}}).message,
            "b: cannot connect: refused");
  EXPECT_EQ(judge_zookeeper({{"a", "This ZooKeeper instance is not currently serving requests\n"}}).message,
            "a has not joined a quorum");
}

TEST(ZookeeperVerdict, AcceptsALoneServer) {
  EXPECT_TRUE(judge_zookeeper({{"a", "zk_server_state\tstandalone\n"}}).ready);
  EXPECT_TRUE(judge_zookeeper({{"a", "zk_server_state\tleader\nzk_synced_followers\t0\n"}}).ready);
}

TEST(ElasticsearchVerdict, NeedsAllNodesAndTheStatusAskedFor) {
  const auto health = [](int nodes, const char* status) {
    return std::string(R"({"cluster_name":"x","status":")") + status + R"(","number_of_nodes":)" +
           std::to_string(nodes) + "}";
  };
  EXPECT_TRUE(judge_elasticsearch({{"a", health(2, "green")}, {"b", health(2, "green")}}, "green").ready);
  EXPECT_TRUE(judge_elasticsearch({{"a", health(1, "yellow")}}, "yellow").ready);
  EXPECT_EQ(judge_elasticsearch({{"a", health(1, "yellow")}}, "green").message,
            "cluster health is yellow, not yet green");
  EXPECT_EQ(judge_elasticsearch({{"a", health(1, "green")}, {"b", health(2, "green")}}, "green").message,
            "a sees 1 of 2 nodes");
  EXPECT_EQ(judge_elasticsearch({{"a", std::string("<html>")}}, "green").message, "a gave no cluster health");
  EXPECT_FALSE(judge_elasticsearch({{"a", health(1, "purple")}}, "yellow").ready);
}

TEST(KafkaVerdict, NeedsAllBrokersAControllerAndLeaders) {
  EXPECT_TRUE(judge_kafka({3, 1, {}}, 3).ready);
  EXPECT_EQ(judge_kafka({2, 1, {}}, 3).message, "2 of 3 brokers registered");
  EXPECT_EQ(judge_kafka({3, -1, {}}, 3).message, "no controller is elected");
  EXPECT_EQ(judge_kafka({3, 1, {"lines"}}, 3).message, "topic lines has no leader yet");
}

TEST(HttpVerdict, IsTheStatusRange) {
  EXPECT_TRUE(judge_http({"http", "/", 200, 399}, 302).ready);
  EXPECT_EQ(judge_http({"http", "/up", 200, 399}, 503).message, "GET /up answered 503");
}

}  // namespace
}  // namespace banyan::service
