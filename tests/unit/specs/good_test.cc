// Stack files that load, and what comes out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/node_json.h"
#include "specs/plan.h"
#include "specs/uri.h"
#include "tests/unit/specs/files.h"

namespace banyan::specs {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

Stack logging(const std::string& profile = {}) {
  auto source = source_of(SOURCE_DIR "/good/logging.yaml");
  source.profile = profile;
  auto loaded = load(source);
  EXPECT_TRUE(loaded.stack) << render(loaded);
  return loaded.stack.value_or(Stack());
}

std::vector<std::string> names(const Stack& stack) {
  std::vector<std::string> out;
  for (const auto& node : stack.nodes) out.push_back(node.name);
  return out;
}

TEST(StackFile, OfOneSleepingServerLoads) {
  const auto loaded = load_text("name: nap\nframeworks:\n  sleeper: { command: [sleep, \"1000\"] }\n");
  ASSERT_TRUE(loaded.stack) << render(loaded);
  ASSERT_EQ(loaded.stack->nodes.size(), 1u);
  const auto& node = loaded.stack->nodes[0];
  EXPECT_EQ(node.name, "sleeper");
  ASSERT_EQ(node.servers.size(), 1u);
  EXPECT_EQ(node.servers[0].name, "sleeper");
  EXPECT_EQ(node.servers[0].command.argv.at(1).text, "1000");
}

TEST(StackFile, MayBeJson) {
  EXPECT_TRUE(load_text(R"({"name": "nap", "frameworks": {"a": {"command": ["sleep", "1"], "instances": 2}}})").stack);
}

TEST(StackFile, ReadsTheSameWithAnyLineEnd) {
  const std::string unix = "name: nap\nframeworks:\n  a:\n    command: [x]\n    ports: { p: auto }";
  const auto expected = to_json(load_text(unix).stack.value().nodes[0]);
  for (const std::string end : {"\r\n", "\r"}) {
    std::string other;
    for (const char c : unix) other += c == '\n' ? end : std::string(1, c);
    const auto loaded = load_text(other);
    ASSERT_TRUE(loaded.stack) << render(loaded);
    EXPECT_EQ(to_json(loaded.stack->nodes[0]), expected);
  }
}

TEST(StackFile, NamesUsersByNameOrNumberAndTheirGroup) {
  for (const std::string user : {"postgres", "1000", "\"1000:1000\"", "1000:1000", "postgres:100", "4294967294"}) {
    const auto loaded = load_text("name: s\nframeworks:\n  a: { command: [x], user: " + user + " }\n");
    ASSERT_TRUE(loaded.stack) << render(loaded);
    EXPECT_EQ(user.find(loaded.stack->nodes[0].servers[0].user) != std::string::npos, true);
  }
}

TEST(StackFile, MayUseOneNumberForTcpAndUdp) {
  const auto loaded = load_text(
      "name: s\nframeworks:\n  a: { command: [x], ports: { tcp: 5000, udp: 5000 } }\n"
      "  b: { command: [x], ports: { log: 514, syslog: { port: 514, protocol: udp }, q: { protocol: udp } } }\n");
  ASSERT_TRUE(loaded.stack) << render(loaded);
  const auto& a = loaded.stack->find("a")->servers[0].ports;
  EXPECT_EQ(a.at("tcp").protocol, Transport::tcp);
  EXPECT_EQ(a.at("udp").protocol, Transport::udp);
  EXPECT_EQ(a.at("udp").fixed, 5000);
  const auto& b = loaded.stack->find("b")->servers[0].ports;
  EXPECT_EQ(b.at("log").protocol, Transport::tcp);
  EXPECT_EQ(b.at("syslog").protocol, Transport::udp);
  EXPECT_FALSE(b.at("q").fixed);
  const auto back = node_from_json(to_json(*loaded.stack->find("b")));
  EXPECT_EQ(back.value().servers[0].ports.at("syslog").protocol, Transport::udp);
}

TEST(StackFile, KnowsWhatItsLocalFilesHold) {
  Source source;
  source.file = "stack.yaml";
  source.text =
      "name: s\nframeworks:\n  a:\n    command: [x]\n"
      "    uris: [bin/tool, \"my file.jar\", /opt/here, \"file:/opt/gone%20by\", \"http://h/x\"]\n";
  std::vector<std::string> asked;
  source.digest_file = [&](const std::string& path) -> Result<std::string> {
    asked.push_back(path);
    if (path == "/opt/gone by") return error("no such file");
    return "sha of " + path;
  };
  const auto loaded = load(source);
  ASSERT_TRUE(loaded.stack) << render(loaded);
  const auto& uris = loaded.stack->nodes[0].servers[0].uris;
  EXPECT_EQ(uris[0].local_sha256, "sha of bin/tool");
  EXPECT_EQ(uris[1].local_sha256, "sha of my file.jar");
  EXPECT_EQ(uris[2].local_sha256, "sha of /opt/here");
  EXPECT_EQ(uris[3].local_sha256, std::nullopt) << "perhaps it is there on the agents";
  EXPECT_EQ(uris[4].local_sha256, std::nullopt);
  EXPECT_THAT(asked, ElementsAre("bin/tool", "my file.jar", "/opt/here", "/opt/gone by"));
}

TEST(StackFile, TakesALocalFileForAProgramWhereItIsOneHere) {
  Source source;
  source.file = "stack.yaml";
  source.text =
      "name: s\nframeworks:\n  a:\n    command: [./tool]\n"
      "    uris: [bin/tool, data, { uri: data, executable: true }, { uri: bin/tool, extract: true }, "
      "http://h/tool]\n"
      "  b: { scheduler: { command: [./tool], uris: [bin/tool] } }\n";
  source.is_program = [](const std::string& path) { return path == "bin/tool"; };
  const auto loaded = load(source);
  ASSERT_TRUE(loaded.stack) << render(loaded);
  std::vector<bool> programs;
  for (const auto& uri : loaded.stack->nodes[0].servers[0].uris) programs.push_back(uri.executable);
  EXPECT_THAT(programs, ElementsAre(true, false, true, false, false));
  EXPECT_TRUE(loaded.stack->nodes[1].scheduler.uris[0].executable);
}

TEST(Uri, NamesALocalPathOrNone) {
  EXPECT_EQ(local_path("bin/a b"), "bin/a b");
  EXPECT_EQ(local_path("100%25"), "100%25") << "a path is no URI";
  EXPECT_EQ(local_path("file:/opt/a%20b"), "/opt/a b");
  EXPECT_EQ(local_path("file:///opt/gr%C3%B6%zz%"), "/opt/grö%zz%");
  EXPECT_EQ(local_path("https://h/x"), std::nullopt);
  EXPECT_EQ(file_name("bin/what?.conf"), "what?.conf");
  EXPECT_EQ(file_name("http://h/a/x.tgz?op=OPEN#y"), "x.tgz");
  EXPECT_TRUE(is_relative("bin/x"));
  EXPECT_FALSE(is_relative("/bin/x"));
  EXPECT_FALSE(is_relative("file:/bin/x"));
}

TEST(StackFile, HasDottedNamesInEnv) {
  const auto loaded = load_text(
      "name: s\nframeworks:\n  a: { command: [x], env: { discovery.type: single-node, http-port: \"1\" } }\n");
  ASSERT_TRUE(loaded.stack) << render(loaded);
  EXPECT_EQ(loaded.stack->nodes[0].servers[0].env.at("discovery.type").text, "single-node");
}

TEST(StackFile, TakesProtocolsInAnyCase) {
  const auto loaded = load_text(
      "name: s\nframeworks:\n"
      "  a: { command: [x], ports: { p: auto }, endpoints: { e: { port: p, protocol: PLAINTEXT } } }\n");
  ASSERT_TRUE(loaded.stack) << render(loaded);
  EXPECT_EQ(loaded.stack->nodes[0].endpoints.at("e").protocol, "plaintext");
}

TEST(StackFile, SkipsFieldsThatBeginWithX) {
  EXPECT_TRUE(load_text("name: a\nx-owner: [sre]\nframeworks:\n  b: { command: [c], x-note: { any: thing } }\n").stack);
}

TEST(StackFile, LacksItsFrameworksEvenIfASkippedFieldLooksLikeThem) {
  const auto loaded = load_text("name: a\nx-frameworks:\n  b: { command: [c] }\n");
  ASSERT_EQ(loaded.diagnostics.size(), 1u);
  EXPECT_EQ(loaded.diagnostics[0].message, "the stack lacks its frameworks");
}

TEST(StackFile, OfTheReferenceLoads) {
  const auto text = slurp(SOURCE_DIR "/../../../specs/LANGUAGE.md");
  const auto begin = text.find("```yaml\n") + 8;
  const auto loaded = load_text(text.substr(begin, text.find("```", begin) - begin));
  ASSERT_TRUE(loaded.stack) << render(loaded);
  EXPECT_THAT(names(*loaded.stack), ElementsAre("db", "web"));
}

TEST(LoggingStack, IsOrderedByItsEdgesAndThenAsWritten) {
  EXPECT_THAT(names(logging()), ElementsAre("zookeeper", "kafka", "elasticsearch", "logging", "flume"));
}

TEST(LoggingStack, TurnsReferencesIntoEdges) {
  const auto stack = logging();
  const auto& edges = stack.find("logging")->edges;
  ASSERT_EQ(edges.size(), 2u);
  EXPECT_EQ(edges[0].on, "elasticsearch");
  EXPECT_EQ(edges[0].timeout, 3min);
  EXPECT_FALSE(edges[0].implied);
  EXPECT_EQ(edges[1].on, "kafka");
  EXPECT_TRUE(edges[1].implied);
  EXPECT_EQ(edges[1].origin, "${kafka.endpoints.broker}");
}

TEST(LoggingStack, SubstitutesVariablesButNotWhatIsKnownOnlyAtLaunch) {
  const auto stack = logging();
  const auto& zookeeper = stack.find("zookeeper")->servers[0];
  EXPECT_EQ(zookeeper.instances, 3u);
  EXPECT_EQ(zookeeper.resources.mem_bytes, 256 << 20);
  EXPECT_EQ(zookeeper.files[0].content->text,
            "tickTime=500\ndataDir=${volumes.data}\nadmin.serverPort=${ports.admin}\nheap=256MiB\n");
  EXPECT_EQ(zookeeper.files[1].mode, 0600u);
  const auto& indexer = stack.find("logging")->servers[1];
  EXPECT_EQ(
      indexer.command.shell->text,
      "exec ./indexer --kafka ${kafka.endpoints.broker} --to http://${elasticsearch.endpoints.http.first} $$HOME");
}

TEST(LoggingStack, FillsInWhatIsNotWritten) {
  const auto stack = logging();
  const auto& zookeeper = stack.find("zookeeper")->servers[0];
  EXPECT_EQ(zookeeper.restart.policy, RestartPolicy::on_failure);
  EXPECT_EQ(zookeeper.restart.within, 90s);
  EXPECT_EQ(zookeeper.stop.order, StopOrder::serial);
  EXPECT_EQ(zookeeper.volumes.at("data").path, "data");
  EXPECT_EQ(zookeeper.ports.at("admin").fixed, 8080);
  EXPECT_FALSE(zookeeper.ports.at("client").fixed);
  EXPECT_EQ(zookeeper.readiness[0].interval, 250ms);
  EXPECT_EQ(zookeeper.readiness[0].timeout, 5s);
  EXPECT_EQ(stack.find("kafka")->endpoints.at("broker").server, "kafka");
  EXPECT_EQ(stack.find("elasticsearch")->servers[0].user, "elastic");
  EXPECT_EQ(stack.find("flume")->scheduler.resources.mem_bytes, 32 << 20);
  EXPECT_THAT(stack.files, ElementsAre("conf/server.properties", "conf/zoo.cfg"));
}

TEST(LoggingStack, ChangesByProfile) {
  const auto small = logging("small");
  EXPECT_EQ(small.find("zookeeper")->servers[0].instances, 1u);
  EXPECT_EQ(small.find("flume")->servers[0].resources.mem_bytes, 128 << 20);
  EXPECT_EQ(logging().find("flume")->servers[0].resources.mem_bytes, 64 << 20);
}

TEST(Profile, MergesMappingsAndReplacesListsAndValues) {
  const auto loaded = load_text(
      "name: s\nprofiles:\n  p:\n    frameworks:\n      a: { command: [y], env: { B: new, C: more } }\n"
      "frameworks:\n  a: { command: [x, z], env: { A: kept, B: old } }\n",
      {}, "p");
  ASSERT_TRUE(loaded.stack) << render(loaded);
  const auto& server = loaded.stack->nodes[0].servers[0];
  EXPECT_EQ(server.command.argv.size(), 1u);
  EXPECT_EQ(server.env.at("A").text, "kept");
  EXPECT_EQ(server.env.at("B").text, "new");
  EXPECT_EQ(server.env.at("C").text, "more");
}

TEST(Profile, LeavesAnAliasedValueOfOthersAlone) {
  const auto loaded = load_text(
      "name: s\nx-env: &env { A: shared }\nprofiles:\n  p:\n    frameworks:\n      a: { env: { A: mine } }\n"
      "frameworks:\n  a: { command: [x], env: *env }\n  b: { command: [x], env: *env }\n",
      {}, "p");
  ASSERT_TRUE(loaded.stack) << render(loaded);
  EXPECT_EQ(loaded.stack->find("a")->servers[0].env.at("A").text, "mine");
  EXPECT_EQ(loaded.stack->find("b")->servers[0].env.at("A").text, "shared");
}

const char* const with_vars =
    "name: s\nvars:\n  n: { type: int, default: 1 }\n  word: { type: string }\n"
    "profiles: { p: { vars: { n: 2, word: profile } } }\n"
    "frameworks:\n  a: { command: [x, \"${vars.word}\"], instances: \"${vars.n}\" }\n";

TEST(Variables, TakeTheCommandLineBeforeTheProfileBeforeTheDefault) {
  const auto instances = [](std::map<std::string, std::string> given, const std::string& profile) {
    given.emplace("word", "w");
    const auto loaded = load_text(with_vars, given, profile);
    EXPECT_TRUE(loaded.stack) << render(loaded);
    return loaded.stack->nodes[0].servers[0].instances;
  };
  EXPECT_EQ(instances({}, ""), 1u);
  EXPECT_EQ(instances({}, "p"), 2u);
  EXPECT_EQ(instances({{"n", "3"}}, "p"), 3u);
}

TEST(Variables, AreNeverReadAsTemplates) {
  const auto loaded = load_text(with_vars, {{"word", "${ports.p} costs $5"}});
  ASSERT_TRUE(loaded.stack) << render(loaded);
  EXPECT_EQ(loaded.stack->nodes[0].servers[0].command.argv[1].text, "$${ports.p} costs $$5");
}

TEST(ForeignScheduler, NeedsNoServersAndMayPublishEndpoints) {
  const auto loaded = load_text(
      "name: s\nframeworks:\n"
      "  marathon:\n    scheduler: { command: [marathon, --db, \"${db.endpoints.sql.url}\"], signal: SIGHUP,\n"
      "                 readiness: { exec: [curl, -fs, \"${db.endpoints.sql.url}\"], hold_for: 3s } }\n"
      "    endpoints: { api: {} }\n"
      "  db: { command: [db], ports: { sql: auto }, endpoints: { sql: { port: sql, protocol: postgres } } }\n"
      "  app: { command: [app, \"${marathon.endpoints.api}\"] }\n");
  ASSERT_TRUE(loaded.stack) << render(loaded);
  EXPECT_THAT(names(*loaded.stack), ElementsAre("db", "marathon", "app"));
  const auto& marathon = *loaded.stack->find("marathon");
  EXPECT_FALSE(marathon.scheduler.service);
  EXPECT_EQ(marathon.scheduler.signal_on_change, 1u);
  EXPECT_EQ(marathon.scheduler.readiness.kind, SchedulerReadiness::Kind::exec);
  EXPECT_EQ(marathon.scheduler.readiness.command.argv[2].text, "postgres://${db.endpoints.sql.first}");
  EXPECT_EQ(marathon.scheduler.readiness.hold_for, std::chrono::seconds(3));
  EXPECT_EQ(marathon.scheduler.command.argv[2].text, "postgres://${db.endpoints.sql.first}");
  EXPECT_TRUE(marathon.servers.empty());
}

TEST(NodeJson, GivesBackEveryNode) {
  for (const auto& node : logging().nodes) {
    const auto text = to_json(node);
    const auto back = node_from_json(text);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(to_json(*back), text);
    EXPECT_EQ(back->at, node.at);
    EXPECT_EQ(back->edges.size(), node.edges.size());
    EXPECT_EQ(back->servers.size(), node.servers.size());
  }
}

TEST(StackJson, GivesBackTheWholeStack) {
  const auto stack = logging();
  const auto text = to_json(stack);
  const auto back = stack_from_json(text);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), text);
  EXPECT_EQ(back->name, stack.name);
  EXPECT_EQ(back->files, stack.files);
  EXPECT_EQ(names(*back), names(stack));
}

TEST(StackJson, IsRefusedByItsVersion) {
  EXPECT_EQ(stack_from_json(R"({"version":9,"nodes":[]})").error().message,
            "a stack's JSON has version 9, this program knows 1");
  EXPECT_EQ(stack_from_json("[]").error().message, "a stack's JSON has version none, this program knows 1");
  EXPECT_EQ(stack_from_json(R"({"version":1,"nodes":[{"goal":7}]})").error().message,
            "a stack's JSON is wrong: nodes[0].goal is no known choice");
  EXPECT_FALSE(stack_from_json("{"));
}

TEST(NodeJson, TakesMissingFieldsAsDefaultsAndSkipsUnknownOnes) {
  const auto node = node_from_json(R"({"name":"a","servers":[{"name":"s","later":{}}]})");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->servers[0].instances, 1u);
  EXPECT_TRUE(node->scheduler.service);
}

TEST(NodeJson, NamesThePlaceOfAMistake) {
  EXPECT_EQ(node_from_json(R"({"servers":[{},{"instances":-1}]})").error().message,
            "a node's JSON is wrong: servers[1].instances must be a number of its range");
  EXPECT_EQ(node_from_json(R"({"goal":7})").error().message, "a node's JSON is wrong: goal is no known choice");
  EXPECT_FALSE(node_from_json("[1"));
  EXPECT_FALSE(node_from_json("[]"));
}

}  // namespace
}  // namespace banyan::specs
