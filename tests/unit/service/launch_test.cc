// Places, launches and what a task is made of.
#include <gmock/gmock.h>

#include "tests/unit/service/harness.h"

namespace banyan::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Call = v1::scheduler::Call;

specs::Node with_volume(specs::Node node) {
  specs::VolumeSpec volume;
  volume.size_bytes = std::int64_t{100} << 20;
  volume.path = "data";
  node.servers[0].volumes["data"] = volume;
  return node;
}

std::string reserved_text(const v1::TaskInfo& task) {
  std::string text;
  for (const auto& r : task.resources()) {
    if (r.reservations().empty()) continue;
    text += r.name() + "@" + r.reservations(0).role();
    for (const auto& label : r.reservations(0).labels().labels())
      if (label.key() == "banyan.instance") text += "/" + label.value();
    if (r.disk().has_persistence())
      text += "#" + r.disk().persistence().id() + ":" + r.disk().volume().container_path();
    text += " ";
  }
  return text;
}

TEST(ServiceScheduler, LaunchesAllServersAtOnceOnReservedPorts) {
  Harness h(tcp_node("kafka", 3));
  h.subscribe();
  EXPECT_EQ(h.states(), "kafka-0=waiting kafka-1=waiting kafka-2=waiting");
  h.offer();
  EXPECT_EQ(h.states(), "kafka-0=launching kafka-1=launching kafka-2=launching");
  EXPECT_EQ(h.count(Call::ACCEPT), 1);
  EXPECT_EQ(reserved_text(h.info("kafka-1")), "ports@shop.kafka/kafka-1 ");
  EXPECT_EQ(h.task_of("kafka-2"), "shop.kafka.kafka-2.1");
  EXPECT_THAT(h.server("kafka-2").addresses(), ElementsAre("10.0.0.1:31002"));
}

TEST(ServiceScheduler, ServesWhenEveryServerAnswersItsProbe) {
  Harness h(tcp_node("kafka", 2));
  h.ready["kafka/0/kafka-1"] = false;
  h.up();
  EXPECT_EQ(h.states(), "kafka-0=serving kafka-1=starting");
  EXPECT_FALSE(h.status().serving());
  EXPECT_EQ(h.status().reason(), "kafka-1 is starting: not yet");
  h.ready["kafka/0/kafka-1"] = true;
  h.advance(1s);
  EXPECT_TRUE(h.status().serving());
  EXPECT_EQ(h.states(), "kafka-0=serving kafka-1=serving");
  EXPECT_EQ(h.server("kafka-0").pid(), 4711u);
}

TEST(ServiceScheduler, PublishesItsEndpointsUnderGeneratedNames) {
  Harness h(tcp_node("kafka", 2));
  h.up();
  ASSERT_EQ(h.status().endpoints_size(), 1);
  const auto& endpoint = h.status().endpoints(0);
  EXPECT_EQ(endpoint.service_name(), "client.kafka.shop.banyan");
  EXPECT_THAT(endpoint.addresses(), ElementsAre("10.0.0.1:31000", "10.0.0.1:31001"));
}

TEST(ServiceScheduler, RecordsAnAttemptBeforeItLaunchesIt) {
  Harness h(tcp_node("kafka", 1));
  h.subscribe();
  h.offer();
  ASSERT_EQ(h.persisted_before_launch.size(), 1u);
  EXPECT_THAT(h.persisted_before_launch[0], HasSubstr("shop.kafka.kafka-0.1"));
}

TEST(ServiceScheduler, LaunchesNobodyBeforeEveryServerHasAPlace) {
  Harness h(tcp_node("kafka", 3));
  h.agents["a1"].free = Resources::parse("cpus:1;mem:4096;ports:[31000-31001]").value();  // ports for two
  h.subscribe();
  h.offer();
  EXPECT_THAT(h.live(), IsEmpty());
  EXPECT_THAT(h.status().reason(), HasSubstr("kafka"));
  EXPECT_EQ(h.server("kafka-2").reason(), "no offer has cpus 0.1, mem 64 MB, 1 port");
  h.add_agent("a2");
  h.offer();
  h.offer();
  EXPECT_THAT(h.live(), ElementsAre("kafka-0", "kafka-1", "kafka-2"));
  EXPECT_EQ(h.server("kafka-2").agent_id(), "a2");
}

TEST(ServiceScheduler, SpreadsByCapacityNotOnlyByPorts) {
  auto node = tcp_node("kafka", 3);
  node.servers[0].resources.cpus_milli = 2000;
  Harness h(node, "a1 a2");
  h.subscribe();
  h.offer();
  EXPECT_THAT(h.live(), ElementsAre("kafka-0", "kafka-1", "kafka-2"));
  EXPECT_EQ(h.server("kafka-1").agent_id(), "a2");
  EXPECT_EQ(h.server("kafka-2").agent_id(), "a1");
}

TEST(ServiceScheduler, CreatesVolumesThatOutliveTheTask) {
  Harness h(with_volume(tcp_node("kafka", 1)));
  h.up();
  EXPECT_EQ(reserved_text(h.info("kafka-0")), "ports@shop.kafka/kafka-0 disk@shop.kafka/kafka-0#kafka-0.data:data ");
  h.end("kafka-0");
  h.offer();
  EXPECT_EQ(h.task_of("kafka-0"), "shop.kafka.kafka-0.2");
  EXPECT_EQ(reserved_text(h.info("kafka-0")), "ports@shop.kafka/kafka-0 disk@shop.kafka/kafka-0#kafka-0.data:data ");
}

TEST(ServiceScheduler, RendersPeersPortsAndOtherNodesAddresses) {
  auto node = with_volume(tcp_node("kafka", 2));
  specs::File file;
  file.target = "conf/server.properties";
  file.source = "server.properties";
  node.servers[0].files = {file};
  node.servers[0].env["ZK"] = {"${zookeeper.endpoints.client}", {}};
  node.servers[0].command.argv = {{"kafka", {}}, {"${ports.client}", {}}, {"${volumes.data}", {}}};
  Harness h(node);
  (*h.message.mutable_files())["server.properties"] = "id=${instance.number}\npeers=${peers.client}\n";
  auto* dependency = h.message.add_dependencies();
  dependency->set_node("zookeeper");
  auto* endpoint = dependency->add_endpoints();
  endpoint->set_name("client");
  endpoint->add_addresses("10.0.0.9:2181");
  h.handover();
  h.subscribe();
  h.offer();
  EXPECT_EQ(h.file("kafka-1", "conf/server.properties"), "id=2\npeers=10.0.0.1:31000,10.0.0.1:31001\n");
  EXPECT_EQ(h.env("kafka-0", "ZK"), "10.0.0.9:2181");
  EXPECT_THAT(h.info("kafka-1").command().arguments(), ElementsAre("kafka", "31001", "data"));
  EXPECT_FALSE(h.info("kafka-1").command().shell());
  EXPECT_EQ(h.info("kafka-1").command().user(), "nobody");
}

TEST(ServiceScheduler, RendersTheWholePathOfAVolume) {
  auto node = with_volume(tcp_node("kafka", 1));
  specs::VolumeSpec spool;
  spool.host_path = specs::Text{"/var/spool/app", {}};
  spool.path = "spool";
  node.servers[0].volumes["spool"] = spool;
  node.servers[0].command.argv = {{"kafka", {}}, {"${volumes.data}", {}}, {"${volumes.spool}", {}}};
  Harness h(node);
  h.agents["a1"].volumes = "/work/volumes/roles";
  h.up();
  const auto whole = "/work/volumes/roles/shop.kafka/kafka-0.data";
  EXPECT_THAT(h.info("kafka-0").command().arguments(), ElementsAre("kafka", whole, "/var/spool/app"));
  h.agents["a1"].volumes = "/elsewhere";  // a running server keeps what it was told
  h.restart();
  EXPECT_EQ(h.task_of("kafka-0"), "shop.kafka.kafka-0.1");
}

TEST(ServiceScheduler, FetchesLocalFilesFromTheRootAndHostFilesAsTheyAre) {
  auto node = tcp_node("app", 1);
  for (const char* text : {"bin/my tool", "file:/opt/a%20b", "http://h/x.tgz?a=b"}) {
    node.servers[0].uris.emplace_back();
    node.servers[0].uris.back().value.text = text;
  }
  node.servers[0].uris[0].local_sha256 = "aa";
  Harness h(node);
  auto* artifact = h.message.add_artifacts();
  artifact->set_name("bin/my tool");
  artifact->set_url("http://root/artifacts/aa");
  artifact->set_sha256("aa");
  h.handover();
  h.up();
  const auto& task = h.info("app-0");
  ASSERT_EQ(task.command().uris_size(), 3);
  EXPECT_EQ(task.command().uris(0).value(), "http://root/artifacts/aa");
  EXPECT_EQ(task.command().uris(0).output_file(), "my tool");
  EXPECT_TRUE(task.command().uris(0).cache()) << "its URL names its content";
  EXPECT_EQ(task.labels().labels(0).key(), "sha256:my tool");
  EXPECT_EQ(task.labels().labels(0).value(), "aa");
  EXPECT_EQ(task.command().uris(1).value(), "/opt/a b");
  EXPECT_FALSE(task.command().uris(1).cache()) << "the file may be another one at the next launch";
  EXPECT_EQ(task.command().uris(2).output_file(), "x.tgz");
}

TEST(ServiceScheduler, WaitsWithTheReasonWhenATemplateCannotBeRendered) {
  auto node = tcp_node("kafka", 1);
  node.servers[0].env["ZK"] = {"${zookeeper.endpoints.client}", {}};
  Harness h(node);
  h.subscribe();
  h.offer();
  EXPECT_THAT(h.live(), IsEmpty());
  EXPECT_THAT(h.server("kafka-0").reason(), HasSubstr("cannot render env ZK"));
}

TEST(ServiceScheduler, AddsServedFilesAsCheckedUris) {
  v1::TaskInfo task;
  add_file(task, {"conf/run.sh", 0755, "x"}, "http://h:1/artifacts/abc/run.sh", "abc");
  ASSERT_EQ(task.command().uris_size(), 1);
  EXPECT_EQ(task.command().uris(0).output_file(), "conf/run.sh");
  EXPECT_TRUE(task.command().uris(0).executable());
  EXPECT_FALSE(task.command().uris(0).extract());
  EXPECT_EQ(task.labels().labels(0).key(), "sha256:conf/run.sh");
  EXPECT_EQ(task.labels().labels(0).value(), "abc");
}

TEST(ServiceScheduler, HoldsANumberOnceThatIsATcpPortAndAUdpPort) {
  auto node = tcp_node("logstash", 1);
  node.servers[0].ports.clear();
  node.servers[0].ports["a-udp"] = {31007, {}, specs::Transport::udp};
  node.servers[0].ports["client"] = {31007, {}, specs::Transport::tcp};
  node.servers[0].command.argv = {{"logstash", {}}, {"${ports.a-udp}", {}}, {"${ports.client}", {}}};
  Harness h(node);
  h.up();
  const auto& task = h.info("logstash-0");
  EXPECT_EQ(reserved_text(task), "ports@shop.logstash/logstash-0 ");
  EXPECT_THAT(task.command().arguments(), ElementsAre("logstash", "31007", "31007"));
  ASSERT_EQ(task.discovery().ports().ports_size(), 2);
  EXPECT_EQ(task.discovery().ports().ports(0).protocol(), "udp");
  EXPECT_EQ(task.discovery().ports().ports(1).protocol(), "tcp");
  EXPECT_EQ(task.discovery().ports().ports(0).number(), 31007u);
}

TEST(ServiceScheduler, ReservesFixedPortsAndLeavesThemToThoseWhoNameThem) {
  auto node = tcp_node("kafka", 1);
  node.servers[0].ports["admin"].fixed = 9092;
  Harness h(node);
  h.up();
  EXPECT_THAT(h.server("kafka-0").addresses(), ElementsAre("10.0.0.1:9092", "10.0.0.1:31000"));
  EXPECT_EQ(reserved_text(h.info("kafka-0")), "ports@shop.kafka/kafka-0 ports@shop.kafka/kafka-0 ");
}

TEST(ServiceScheduler, WaitsForAnAgentThatOffersItsFixedPort) {
  auto node = tcp_node("kafka", 1);
  node.servers[0].ports["client"].fixed = 22;
  Harness h(node);
  h.up();
  EXPECT_FALSE(h.status().serving());
  EXPECT_EQ(h.server("kafka-0").reason(), "port 22 is not free on agent a1");
}

TEST(ServiceScheduler, GivesTheAgentExecChecksGraceAndHostPaths) {
  auto node = tcp_node("kafka", 1);
  specs::Readiness exec;
  exec.probe = specs::ExecProbe{{{{"test", {}}, {"-f", {}}, {"ok", {}}}, std::nullopt}};
  exec.interval = 2s;
  node.servers[0].readiness = {exec};
  node.servers[0].stop.grace = 7s;
  specs::VolumeSpec spool;
  spool.host_path = specs::Text{"/var/spool/app", {}};
  spool.path = "spool";
  node.servers[0].volumes["spool"] = spool;
  Harness h(node);
  h.up();
  const auto& task = h.info("kafka-0");
  EXPECT_THAT(task.check().command().command().arguments(), ElementsAre("test", "-f", "ok"));
  EXPECT_EQ(task.check().interval_seconds(), 2.0);
  EXPECT_EQ(task.kill_policy().grace_period().nanoseconds(), 7'000'000'000);
  EXPECT_EQ(task.container().volumes(0).host_path(), "/var/spool/app");
  EXPECT_EQ(task.discovery().ports().ports(0).name(), "client");

  EXPECT_EQ(h.states(), "kafka-0=starting");
  v1::scheduler::Event e;
  e.set_type(v1::scheduler::Event::UPDATE);
  auto* status = e.mutable_update()->mutable_status();
  status->mutable_task_id()->set_value(h.task_of("kafka-0"));
  status->set_state(v1::TASK_RUNNING);
  status->mutable_check_status()->mutable_command()->set_exit_code(0);
  h.deliver(SchedulerEvent{e});
  EXPECT_EQ(h.states(), "kafka-0=serving");
}

TEST(ServiceScheduler, NeedsNoReservationForAServerWithoutPortsAndVolumes) {
  auto node = tcp_node("batch", 2);
  node.servers[0].ports.clear();
  node.servers[0].readiness.clear();
  node.endpoints.clear();
  Harness h(node);
  h.up();
  h.advance(1s);
  EXPECT_TRUE(h.status().serving());
  for (const auto& call : h.calls)
    for (const auto& operation : call.accept().operations()) EXPECT_FALSE(operation.has_reserve());
}

TEST(ServiceScheduler, SuppressesOffersWhenNothingIsWantedAndRevivesThemWhenSomethingIs) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  EXPECT_EQ(h.count(Call::SUPPRESS), 1);
  EXPECT_EQ(h.count(Call::REVIVE), 0);
  h.end("kafka-0");
  EXPECT_EQ(h.count(Call::REVIVE), 1);
  h.offer();
  h.run("kafka-0");
  EXPECT_EQ(h.count(Call::SUPPRESS), 2);
}

TEST(ServiceScheduler, RefusesOffersForLongWhenItWantsNothing) {
  Harness h(tcp_node("kafka", 1));
  h.up();
  h.suppressed = false;  // the master's offer crossed our SUPPRESS
  h.offer();
  ASSERT_EQ(h.calls.back().type(), Call::DECLINE);
  EXPECT_GE(h.calls.back().decline().filters().refuse_seconds(), 3600);
}

}  // namespace
}  // namespace banyan::service
