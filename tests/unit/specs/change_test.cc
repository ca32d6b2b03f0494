// What another version of a stack does to what runs.
#include "specs/change.h"

#include <gmock/gmock.h>

#include "tests/unit/specs/files.h"

namespace banyan::specs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Stack stack_of(const std::string& frameworks) {
  auto loaded = load_text("name: s\nframeworks:\n" + frameworks);
  EXPECT_TRUE(loaded.stack) << render(loaded);
  return loaded.stack.value_or(Stack());
}

/// One line per node that differs.
std::string changes(const std::string& before, const std::string& after) {
  std::string out;
  for (const auto& change : judge(stack_of(before), stack_of(after)))
    if (const auto line = describe(change); !line.empty()) out += line + "\n";
  return out;
}

Node node_of(std::uint32_t instances = 1) {
  Server server;
  server.name = "kafka";
  server.instances = instances;
  server.command.argv = {{"run", {}}};
  Node node;
  node.name = "kafka";
  node.servers = {server};
  return node;
}

VolumeSpec volume(std::int64_t mb, const std::string& path = "data") {
  VolumeSpec v;
  v.size_bytes = mb << 20;
  v.path = path;
  return v;
}

template <class Change>
NodeChange after(Change change, Node before = node_of()) {
  auto wanted = before;
  change(wanted, wanted.servers[0]);
  return judge(before, wanted);
}

template <class Change>
Effect effect(Change change, const Node& before = node_of()) {
  return after(change, before).effect;
}

TEST(Judge, SeesNoChangeInAStackThatOnlyMoved) {
  const auto* before = "  a: { command: [x] }\n";
  const auto* moved = "\n\n  a:\n    command: [x]   # as before\n";
  EXPECT_EQ(changes(before, moved), "");
  EXPECT_EQ(hash(stack_of(before).nodes[0]), hash(stack_of(moved).nodes[0]));
}

TEST(Judge, NamesWhatRestartsAServer) {
  EXPECT_EQ(changes("  a: { command: [x], env: { A: b, C: d } }\n", "  a: { command: [y], env: { A: c, D: e } }\n"),
            "restart a: server a: command changed, env A changed, env C removed, env D added\n");
}

TEST(Judge, AddsAndRemovesFrameworks) {
  EXPECT_EQ(changes("  a: { command: [x] }\n  b: { command: [x] }\n", "  b: { command: [x] }\n  c: { command: [x] }\n"),
            "add c: not running yet\nremove a: no longer in the stack file\n");
}

TEST(Judge, AppliesAnotherProbeWithoutARestart) {
  EXPECT_EQ(changes("  a: { command: [x], ports: { p: auto } }\n",
                    "  a: { command: [x], ports: { p: auto }, readiness: { tcp: p } }\n"),
            "apply a: server a: readiness changed\n");
}

TEST(Judge, RestartsForWhatATaskIsMadeOf) {
  EXPECT_EQ(effect([](Node&, Server& s) { s.command.argv.push_back({"-v", {}}); }), Effect::restart);
  EXPECT_EQ(effect([](Node&, Server& s) { s.env["A"] = {"b", {}}; }), Effect::restart);
  EXPECT_EQ(effect([](Node&, Server& s) { s.files.emplace_back().target = "conf"; }), Effect::restart);
  EXPECT_EQ(effect([](Node&, Server& s) { s.uris.emplace_back().value = {"a.tar", {}}; }), Effect::restart);
  EXPECT_EQ(effect([](Node&, Server& s) { s.user = "daemon"; }), Effect::restart);
  EXPECT_EQ(effect([](Node& n, Server&) { n.user = "daemon"; }), Effect::restart);
  EXPECT_EQ(effect([](Node&, Server& s) { s.resources.cpus_milli = 500; }), Effect::restart);
  EXPECT_EQ(effect([](Node&, Server& s) { s.ports["client"].fixed = 9092; }), Effect::restart);
  EXPECT_EQ(effect([](Node&, Server& s) { s.volumes["data"] = volume(10); }), Effect::restart);
}

TEST(Judge, TouchesNoServerForHowItIsKept) {
  for (const auto& change : {after([](Node&, Server& s) { s.readiness.emplace_back().probe = TcpProbe{"client"}; }),
                             after([](Node&, Server& s) { s.restart.max = 9; }),
                             after([](Node&, Server& s) { s.stop.grace = std::chrono::minutes(5); }),
                             after([](Node& n, Server&) { n.goal = Goal::running; }),
                             after([](Node& n, Server&) { n.stop.order = StopOrder::serial; }),
                             after([](Node& n, Server&) { n.edges.emplace_back().on = "zookeeper"; }),
                             after([](Node& n, Server&) { n.endpoints["client"].port = "client"; })}) {
    EXPECT_EQ(change.effect, Effect::nothing);
    EXPECT_NE(change.why, "") << "and it is named";
  }
}

TEST(Judge, RestartsForAnotherExecCheckOnlyWhenItRunsAnotherCommand) {
  auto before = node_of();
  before.servers[0].readiness.emplace_back().probe = ExecProbe{{{{"ok", {}}}, std::nullopt}};
  const auto slower = [](Node&, Server& s) { s.readiness[0].interval = std::chrono::seconds(5); };
  const auto other = [](Node&, Server& s) { s.readiness[0].probe = ExecProbe{{{{"okay", {}}}, std::nullopt}}; };
  EXPECT_EQ(effect(slower, before), Effect::nothing);
  EXPECT_EQ(effect(other, before), Effect::restart);
}

TEST(Judge, ScalesWithoutTouchingTheOthersUnlessTheyNameTheirPeers) {
  const auto more = [](Node&, Server& s) { s.instances = 3; };
  const auto fewer = [](Node&, Server& s) { s.instances = 1; };
  EXPECT_EQ(effect(more, node_of(2)), Effect::scale);
  EXPECT_EQ(effect(fewer, node_of(2)), Effect::scale);
  EXPECT_EQ(after(more, node_of(2)).why, "server kafka: instances 2 -> 3");
  auto ensemble = node_of(2);
  ensemble.servers[0].env["PEERS"] = {"${peers.client}", {}};
  EXPECT_EQ(effect(more, ensemble), Effect::restart);
  EXPECT_THAT(after(more, ensemble).why, HasSubstr("name their peers"));
}

TEST(Judge, RefusesWhatWouldLoseOrMisplaceDataAndSaysTheRemedy) {
  auto before = node_of();
  before.servers[0].volumes["data"] = volume(100);
  const auto grown = after([](Node&, Server& s) { s.volumes["data"] = volume(500); }, before);
  EXPECT_EQ(grown.effect, Effect::restart);
  EXPECT_THAT(grown.why, HasSubstr("volumes data changed, from 100 MB to 500 MB"));
  const auto shrunk = after([](Node&, Server& s) { s.volumes["data"] = volume(50); }, before);
  EXPECT_EQ(shrunk.effect, Effect::restart);
  EXPECT_THAT(shrunk.why, HasSubstr("volumes data changed, from 100 MB to 50 MB (nothing is deleted; look first "));
  EXPECT_THAT(grown.why, testing::Not(HasSubstr("nothing is deleted")));
  const auto removed = after([](Node&, Server& s) { s.volumes.clear(); }, before);
  EXPECT_THAT(removed.why, HasSubstr("volume data would be left behind with its data"));
  EXPECT_THAT(removed.remedy, HasSubstr("banyan down --volumes"));
  EXPECT_EQ(effect([](Node&, Server& s) { s.volumes.clear(); }, before), Effect::refused);
  EXPECT_EQ(effect([](Node&, Server& s) { s.volumes["data"] = volume(100, "elsewhere"); }, before), Effect::restart);
}

TEST(Judge, RestartsTheSchedulerForItsOwnSection) {
  const auto change = after([](Node& n, Server&) { n.scheduler.env["A"] = {"b", {}}; });
  EXPECT_EQ(change.scheduler, Effect::restart);
  EXPECT_EQ(change.effect, Effect::nothing);
  EXPECT_EQ(describe(change), "restart the scheduler of kafka: scheduler: env A added");
  EXPECT_EQ(after([](Node& n, Server&) { n.scheduler.service = false; }).effect, Effect::refused);
}

TEST(Judge, ListsServersThatComeAndGo) {
  const auto change = after([](Node&, Server& s) { s.name = "broker"; });
  ASSERT_EQ(change.servers.size(), 2u);
  EXPECT_EQ(change.servers[0].effect, Effect::add);
  EXPECT_EQ(change.servers[1].server, "kafka");
  EXPECT_EQ(change.servers[1].effect, Effect::remove);
}

TEST(Addresses, AreOthersForAnotherFixedPortOrMoreInstancesAndStayOtherwise) {
  const auto db = [](const std::string& port, const std::string& more = "") {
    return stack_of("  db: { command: [x], ports: { sql: " + port + ", http: 80 }, endpoints: { sql: sql }" + more +
                    " }\n")
        .nodes[0];
  };
  EXPECT_THAT(readdressed(db("5432"), db("5433")), ElementsAre("sql"));
  EXPECT_THAT(readdressed(db("auto"), db("5432")), ElementsAre("sql"));
  EXPECT_THAT(readdressed(db("auto"), db("auto", ", instances: 2")), ElementsAre("sql"));
  EXPECT_THAT(readdressed(db("auto"), db("auto", ", env: { A: b }")), testing::IsEmpty());
  auto other = db("5432");
  other.endpoints["sql"].port = "http";
  EXPECT_THAT(readdressed(db("5432"), other), ElementsAre("sql"));
}

TEST(Addresses, AreNamedByCommandsEnvAndFiles) {
  const auto named = [](const std::string& fields) {
    const auto stack = stack_of(
        "  db: { command: [x], ports: { sql: auto, log: auto }, endpoints: { sql: sql, log: log } }\n"
        "  web: { " +
        fields + " }\n");
    const auto& web = stack.nodes[1];
    EXPECT_FALSE(names_endpoint(web, web.servers[0], "db", "log"));
    return names_endpoint(web, web.servers[0], "db", "sql");
  };
  EXPECT_TRUE(named("command: [x, \"${db.endpoints.sql}\"]"));
  EXPECT_TRUE(named("command: [x], env: { DB: \"pg://${db.endpoints.sql.first}\" }"));
  EXPECT_TRUE(named("command: [x], files: { conf: { content: \"at ${db.endpoints.sql.port}\" } }"));
  EXPECT_FALSE(named("command: [x, \"$${db.endpoints.sql}\"], depends_on: [db]"));
}

TEST(HashOfAServer, DiffersExactlyWhenItsTasksRestart) {
  auto node = node_of();
  const auto before = hash(node, node.servers[0]);
  node.servers[0].stop.grace = std::chrono::minutes(1);
  node.servers[0].instances = 7;
  EXPECT_EQ(hash(node, node.servers[0]), before);
  node.user = "daemon";
  EXPECT_NE(hash(node, node.servers[0]), before);
}

}  // namespace
}  // namespace banyan::specs
