// Reviewer's suspicions about the service scheduler.
#include <gmock/gmock.h>

#include "tests/unit/service/harness.h"

namespace banyan::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Call = v1::scheduler::Call;

specs::Node with_volume(specs::Node node, std::int64_t mb) {
  specs::VolumeSpec volume;
  volume.size_bytes = mb << 20;
  volume.path = "data";
  node.servers[0].volumes["data"] = volume;
  return node;
}

// V1: an instance that cannot be placed does not keep the others from being restarted
TEST(ServicePromises, AScaleUpThatDoesNotFitKeepsNobodyDown) {
  auto node = tcp_node("zk", 3);
  Harness h(node);
  h.agents["a1"].free = Resources::parse("cpus:0.35;mem:4096;ports:[31000-31009]").value();
  h.up();
  EXPECT_TRUE(h.status().serving());
  node.servers[0].instances = 5;  // no room for more
  h.handover(node);
  h.offer();
  h.end("zk-0", v1::TASK_FAILED, "killed");
  h.advance(2s);
  h.offer();
  EXPECT_THAT(h.live(), ElementsAre("zk-0", "zk-1", "zk-2")) << h.status().reason();
  h.end("zk-1", v1::TASK_FAILED, "killed");
  h.advance(60s);
  h.offer();
  EXPECT_THAT(h.live(), ElementsAre("zk-0", "zk-1", "zk-2")) << h.states() << " | " << h.status().reason();
}

// V2: the loss of one host keeps no other server down
TEST(ServicePromises, ALostHostKeepsNoOtherServerDown) {
  auto node = tcp_node("zk", 3);
  node.servers[0].resources.cpus_milli = 3000;
  Harness h(node, "a1 a2 a3");
  h.up();
  EXPECT_TRUE(h.status().serving());
  h.update(h.task_of("zk-2"), v1::TASK_GONE_BY_OPERATOR);  // the operator says: that host is gone for good
  h.agents.erase("a3");
  h.end("zk-0", v1::TASK_FAILED, "killed");
  h.advance(60s);
  h.offer();
  EXPECT_THAT(h.live(), ElementsAre("zk-0", "zk-1")) << h.states() << " | " << h.status().reason();
}

// V3: a changed fixed port takes effect
TEST(ServicePromises, AChangedFixedPortTakesEffect) {
  for (const auto& [before, after] : {std::pair{31010, 31020}, std::pair{9092, 9093}}) {
    auto node = tcp_node("kafka", 1);
    node.servers[0].ports["client"].fixed = static_cast<std::uint16_t>(before);
    Harness h(node);
    h.up();
    node.servers[0].ports["client"].fixed = static_cast<std::uint16_t>(after);
    h.handover(node);
    h.offer();
    if (!h.task_of("kafka-0").empty() && !h.take_kills().empty()) h.end("kafka-0", v1::TASK_KILLED);
    h.advance(10s);
    h.offer();
    h.run_all();
    h.advance(10s);
    EXPECT_THAT(h.server("kafka-0").addresses(), ElementsAre("10.0.0.1:" + std::to_string(after)));
  }
}

// V4: a changed volume size takes effect, or is said not to
TEST(ServicePromises, AGrownVolumeTakesEffectOrIsRefused) {
  Harness h(with_volume(tcp_node("kafka", 1), 100));
  h.up();
  h.handover(with_volume(tcp_node("kafka", 1), 500));
  h.advance(10s);
  h.offer();
  EXPECT_FALSE(h.status().serving()) << "serves on, with a volume of 100 MB, and says nothing";
}

// V5: a scaled-down server gets its grace
TEST(ServicePromises, AScaledDownServerGetsItsGrace) {
  auto node = tcp_node("kafka", 3);
  node.servers[0].stop.grace = 30s;
  Harness h(node);
  h.up();
  node.servers[0].instances = 2;
  h.handover(node);
  std::int64_t grace = -1;
  for (const auto& call : h.calls)
    if (call.type() == Call::KILL) grace = call.kill().kill_policy().grace_period().nanoseconds();
  EXPECT_EQ(grace, 30'000'000'000) << "SIGKILL at once";
}

// V6: a removed port is given back

// V7: instances are spread over agents
TEST(ServicePromises, AnEnsembleIsSpreadOverAgents) {
  Harness h(tcp_node("zk", 3), "a1 a2 a3");
  h.up();
  std::set<std::string> agents;
  for (const auto& name : {"zk-0", "zk-1", "zk-2"}) agents.insert(h.server(name).agent_id());
  EXPECT_EQ(agents.size(), 3u) << "all three ZooKeepers on " << *agents.begin();
}

// V8: two instances never share a fixed port on one host
TEST(ServicePromises, AFixedPortOutsideTheRangeIsUsedOnceAHost) {
  auto node = tcp_node("kafka", 3);
  node.servers[0].ports["client"].fixed = 9092;
  Harness h(node);
  h.subscribe();
  h.offer();
  std::set<std::string> addresses;
  for (const auto& name : {"kafka-0", "kafka-1", "kafka-2"})
    if (!h.task_of(name).empty()) addresses.insert(h.server(name).addresses(0));
  EXPECT_EQ(addresses.size(), h.live().size()) << h.live().size() << " servers launched on " << addresses.size() << " address";
}

// V9: a fixed port that is taken is named
TEST(ServicePromises, ATakenFixedPortIsNamed) {
  auto node = tcp_node("kafka", 2);
  node.servers[0].ports["client"].fixed = 31010;
  Harness h(node);
  h.subscribe();
  h.offer();
  h.offer();
  EXPECT_THAT(h.server("kafka-1").reason(), HasSubstr("31010"));
}

// V10: a service that exits with 0 under on_failure has a true reason
TEST(ServicePromises, AServerThatExitedWithZeroHasATrueReason) {
  auto node = tcp_node("app", 1);
  node.servers[0].restart.policy = specs::RestartPolicy::on_failure;
  Harness h(node);
  h.up();
  h.end("app-0", v1::TASK_FINISHED, "Command exited with status 0");
  h.advance(1h);
  h.offer();
  EXPECT_FALSE(h.status().serving());
  EXPECT_THAT(h.status().reason(), HasSubstr("exited")) << h.states();
}

// V11: readiness is asked as often as declared
TEST(ServicePromises, AHungServerIsNoticedWithinTwoDeclaredIntervals) {
  auto node = tcp_node("app", 1);
  node.servers[0].readiness[0].interval = 5s;
  Harness h(node);
  h.up();
  EXPECT_TRUE(h.status().serving());
  h.ready["app"] = false;
  h.advance(15s);
  EXPECT_FALSE(h.status().serving()) << "declared interval 5s";
  h.advance(39s);
  EXPECT_FALSE(h.status().serving()) << "54 s";
  h.advance(5s);
  EXPECT_FALSE(h.status().serving()) << "59 s";
}

// V12: a job whose policy is never fails the node
TEST(ServicePromises, AServerThatFailedForGoodIsToldToTheRoot) {
  auto node = tcp_node("job", 1);
  node.servers[0].restart.policy = specs::RestartPolicy::never;
  node.servers[0].readiness.clear();
  node.goal = specs::Goal::completed;
  Harness h(node);
  h.up();
  h.end("job-0", v1::TASK_FAILED, "Command exited with status 3");
  EXPECT_TRUE(h.status().quarantined()) << "nothing tells the root that this job has failed for good: " << h.states();
}

// V13: the exec probe: only the first is used

// V14: a stateless server moves when its agent is lost
TEST(ServicePromises, AStatelessServerMovesWhenItsAgentIsUnreachable) {
  auto node = tcp_node("web", 1);
  node.servers[0].ports.clear();
  node.servers[0].readiness.clear();
  node.endpoints.clear();
  Harness h(node, "a1 a2");
  h.up();
  h.update(h.task_of("web-0"), v1::TASK_UNREACHABLE);
  h.agents.erase("a1");
  h.advance(24h);
  h.offer();
  EXPECT_EQ(h.server("web-0").agent_id(), "a2") << h.states() << " " << h.status().reason();
}

// V15: one server kind that has failed for good does not block another's rolling update silently

// V16: changed exec probe's interval restarts servers although compare() says it does not
TEST(ServicePromises, AChangedExecProbeRestartsNothing) {
  auto node = tcp_node("app", 1);
  node.servers[0].readiness.clear();
  specs::Readiness readiness;
  specs::ExecProbe exec;
  exec.command.argv = {{"one", {}}};
  readiness.probe = exec;
  node.servers[0].readiness = {readiness};
  Harness h(node);
  h.subscribe();
  h.offer();
  h.run_all();
  h.take_kills();
  node.servers[0].readiness[0].interval = 5s;
  h.handover(node);
  EXPECT_THAT(h.take_kills(), IsEmpty()) << "plan.h: how it is probed changes without a restart";
}

// V2b: as V2, with the fixed port that production has
TEST(ServicePromises, ALostHostKeepsNoOtherServerDown) {
  auto node = tcp_node("zk", 3);
  node.servers[0].ports["client"].fixed = 31010;
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

}  // namespace
}  // namespace banyan::service
