// Where servers live: spread, fixed ports, changed and foreign ports, lost agents, scaling.
#include <gmock/gmock.h>

#include "tests/unit/service/harness.h"

namespace banyan::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Call = v1::scheduler::Call;

specs::Node fixed_node(const std::string& name, std::uint32_t instances, std::uint16_t port) {
  auto node = tcp_node(name, instances);
  node.servers[0].ports["client"].fixed = port;
  return node;
}

std::int64_t last_grace(const Harness& h) {
  std::int64_t grace = -1;
  for (const auto& call : h.calls)
    if (call.type() == Call::KILL) grace = call.kill().kill_policy().grace_period().nanoseconds();
  return grace;
}

TEST(NewcomerWithoutAPlace, KeepsNobodyDownWhoRanBefore) {
  auto node = tcp_node("zk", 3);
  node.servers[0].env["PEERS"] = {"${peers.client}", {}};
  Harness h(node);
  h.agents["a1"].free = Resources::parse("cpus:0.35;mem:4096;ports:[31000-31009]").value();
  h.up();
  EXPECT_TRUE(h.status().serving());
  node.servers[0].instances = 5;  // no room for more
  h.handover(node);
  h.offer();
  for (const auto* dies : {"zk-0", "zk-1"}) {
    h.end(dies, v1::TASK_FAILED, "killed");
    h.advance(60s);
    h.offer();
    EXPECT_THAT(h.live(), ElementsAre("zk-0", "zk-1", "zk-2")) << h.states() << " | " << h.status().reason();
  }
}

TEST(LostHost, KeepsNoOtherServerDown) {
  auto by_size = tcp_node("zk", 3);
  by_size.servers[0].resources.cpus_milli = 3000;
  for (const auto& node : {by_size, fixed_node("zk", 3, 31010)}) {
    Harness h(node, "a1 a2 a3");
    h.up();
    ASSERT_TRUE(h.status().serving()) << h.states() << h.status().reason();
    h.update(h.task_of("zk-2"), v1::TASK_GONE_BY_OPERATOR);  // the operator says: that host is gone for good
    h.agents.erase("a3");
    h.offer();
    h.end("zk-0", v1::TASK_FAILED, "killed");
    h.advance(60s);
    h.offer();
    EXPECT_THAT(h.live(), ElementsAre("zk-0", "zk-1")) << h.states() << " | " << h.status().reason();
  }
}

TEST(ChangedFixedPort, TakesEffectByARestartAndGivesTheOldOneBack) {
  for (const auto& [before, after] : {std::pair{31010, 31020}, std::pair{9092, 9093}}) {
    auto node = fixed_node("kafka", 1, static_cast<std::uint16_t>(before));
    Harness h(node);
    h.up();
    node.servers[0].ports["client"].fixed = static_cast<std::uint16_t>(after);
    h.handover(node);
    h.offer();
    EXPECT_THAT(h.server("kafka-0").addresses(), ElementsAre("10.0.0.1:" + std::to_string(before))) << "it still runs";
    EXPECT_THAT(h.take_kills(), ElementsAre("kafka-0"));
    h.end("kafka-0", v1::TASK_KILLED);
    h.offer();
    h.advance(10s);
    h.offer();  // still without what the record says is held: the next offer is believed
    h.offer();
    h.run_all();
    h.advance(10s);
    EXPECT_TRUE(h.status().serving()) << h.states() << " | " << h.status().reason();
    EXPECT_THAT(h.server("kafka-0").addresses(), ElementsAre("10.0.0.1:" + std::to_string(after)));
    EXPECT_TRUE(before == 9092 || h.agents["a1"].free.contains(Resources::parse("ports:[31010-31010]").value()));
  }
}

TEST(RemovedPort, IsGivenBack) {
  auto node = tcp_node("kafka", 1);
  node.servers[0].ports["admin"] = {};
  Harness h(node);
  h.up();
  const auto admin = h.server("kafka-0").addresses(0);
  node.servers[0].ports.erase("admin");
  h.handover(node);
  h.end("kafka-0", v1::TASK_KILLED);
  h.offer();
  EXPECT_EQ(h.server("kafka-0").addresses_size(), 1);
  const auto port = admin.substr(admin.rfind(':') + 1);
  EXPECT_TRUE(h.agents["a1"].free.contains(Resources::parse("ports:[" + port + "-" + port + "]").value()));
}

TEST(Ensemble, IsSpreadOverAgents) {
  Harness h(tcp_node("zk", 3), "a1 a2 a3");
  h.up();
  std::set<std::string> agents;
  for (const auto& name : {"zk-0", "zk-1", "zk-2"}) agents.insert(h.server(name).agent_id());
  EXPECT_EQ(agents.size(), 3u);
}

TEST(FixedPort, IsUsedOnceAHostAndNamedWhenItIsTaken) {
  for (const auto* port : {"9092", "31010"}) {
    Harness h(fixed_node("kafka", 2, static_cast<std::uint16_t>(std::stoi(port))), "a1");
    h.subscribe();
    h.offer();
    h.offer();
    EXPECT_THAT(h.live(), IsEmpty()) << "two of a kind cannot both have it";
    EXPECT_THAT(h.server("kafka-1").reason(), HasSubstr(std::string("port ") + port + " of agent a1 is kafka-0's"));
    h.add_agent("a2");
    h.offer();
    EXPECT_THAT(h.live(), ElementsAre("kafka-0", "kafka-1"));
  }
}

TEST(FixedPort, ThatSomebodyElseReservedIsNamed) {
  Harness h(fixed_node("kafka", 1, 31010));
  h.agents["a1"].free = Resources::parse("cpus:4;mem:4096;ports:[31000-31009,31011-31099]").value();
  h.subscribe();
  h.offer();
  EXPECT_THAT(h.server("kafka-0").reason(), HasSubstr("port 31010 is not free on agent a1"));
}

TEST(StatelessServer, MovesWhenItsAgentStaysUnreachableAndItsOldTaskIsEndedWhenItComesBack) {
  Harness h(tcp_node("web", 1), "a1 a2");
  h.up();
  const auto old = h.task_of("web-0");
  h.update(old, v1::TASK_UNREACHABLE);
  h.agents.erase("a1");
  h.advance(50s);
  h.offer();
  EXPECT_EQ(h.tasks.size(), 1u) << "it may come back";
  h.advance(20s);
  h.offer();
  EXPECT_EQ(h.server("web-0").agent_id(), "a2") << h.states() << " " << h.status().reason();
  h.update(old, v1::TASK_RUNNING);
  EXPECT_EQ(h.calls[h.calls.size() - 2].kill().task_id().value(), old);
}

TEST(ScaledDownServer, GetsItsGraceIsAskedAgainAndKeepsTheNodeFromBeingDrained) {
  auto node = tcp_node("kafka", 3);
  node.servers[0].stop.grace = 30s;
  node.servers[0].stop.order = specs::StopOrder::serial;
  Harness h(node);
  h.up();
  node.servers[0].instances = 1;
  h.handover(node);
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-2")) << "one after the other";
  EXPECT_EQ(last_grace(h), 30'000'000'000);
  EXPECT_FALSE(h.status().has_observed());
  EXPECT_EQ(h.status().step(), "stopping kafka-2");
  h.advance(40s);
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-2")) << "the master may not have heard";
  h.end("kafka-2", v1::TASK_KILLED);
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-1"));
  h.message.set_drain(true);
  h.handover(node);
  h.end("kafka-0", v1::TASK_KILLED);
  EXPECT_FALSE(h.status().drained()) << "kafka-1 still lives";
  h.end("kafka-1", v1::TASK_KILLED);
  EXPECT_TRUE(h.status().drained());
}

TEST(ScaledDownServer, IsEndedByTheNextSchedulerToo) {
  auto node = tcp_node("kafka", 2);
  Harness h(node);
  h.up();
  h.disconnect();
  node.servers[0].instances = 1;
  h.handover(node);
  h.restart();
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-1"));
}

TEST(HeldPort, MustBeTheServersOwnBeforeAProbeCounts) {
  Harness h(tcp_node("kafka", 1));
  h.subscribe();
  h.offer();
  h.ports("kafka-0", "");
  EXPECT_EQ(h.states(), "kafka-0=starting") << "the probe passes, but who answers?";
  h.ports("kafka-0", "tcp/31000");
  EXPECT_EQ(h.states(), "kafka-0=serving");
  EXPECT_EQ(h.server("kafka-0").ports_unseen(), "");
  h.restart();
  h.run("kafka-0");
  EXPECT_EQ(h.server("kafka-0").ports_unseen(), "") << "said on change only, so it is remembered";
}

TEST(HeldPort, ThatAnyMayBeIsLeftToTheStranger) {
  Harness h(tcp_node("kafka", 1));
  h.subscribe();
  h.offer();
  h.ports("kafka-0", "", "tcp/31000=1234/python3");
  EXPECT_THAT(h.take_kills(), ElementsAre("kafka-0"));
  h.end("kafka-0", v1::TASK_KILLED);
  h.offer();
  EXPECT_THAT(h.server("kafka-0").addresses(), ElementsAre("10.0.0.1:31001"));
  h.ports("kafka-0", "tcp/31001");
  EXPECT_TRUE(h.status().serving());
}

TEST(HeldPort, OfTheOtherProtocolIsNobodysConcern) {
  Harness h(tcp_node("kafka", 1));
  h.subscribe();
  h.offer();
  h.ports("kafka-0", "tcp/31000", "udp/31000=1234/python3");
  EXPECT_THAT(h.take_kills(), IsEmpty());
  EXPECT_TRUE(h.status().serving());
}

TEST(HeldPort, IsNamedWhenItsServerDiesOfIt) {
  Harness h(fixed_node("kafka", 1, 18088));
  h.subscribe();
  h.offer();
  h.ports("kafka-0", "", "tcp/18088=1234/python3");
  h.end("kafka-0");
  EXPECT_THAT(h.server("kafka-0").reason(),
              testing::HasSubstr("port 18088 is in use by pid 1234 (python3); Command exited with status 1"));
}

TEST(HeldPort, IsNobodysOnceTheStrangerHasGone) {
  Harness h(fixed_node("kafka", 1, 18088));
  h.subscribe();
  h.offer();
  h.ports("kafka-0", "", "tcp/18088=1234/python3");
  h.ports("kafka-0", "", "");
  EXPECT_EQ(h.server("kafka-0").reason(), "port 18088 is not listened on by this server yet");
}

TEST(HeldPort, ThatIsFixedIsNamedWithItsHolder) {
  Harness h(fixed_node("kafka", 1, 18088));
  h.subscribe();
  h.offer();
  h.ports("kafka-0", "", "tcp/18088=1234/python3");
  EXPECT_THAT(h.take_kills(), IsEmpty());
  EXPECT_FALSE(h.status().serving());
  EXPECT_EQ(h.server("kafka-0").reason(), "port 18088 is held by pid 1234 (python3), not by this server");
}

TEST(HeldPort, IsSaidToBeUnseenWhereNobodyLooks) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  EXPECT_TRUE(h.status().serving());
  EXPECT_THAT(h.server("kafka-0").ports_unseen(), HasSubstr("nobody looks"));
}

}  // namespace
}  // namespace banyan::service
