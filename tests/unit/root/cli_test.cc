// What people see, against golden files. Record with BANYAN_RECORD=1, read the diff, commit it if you can say why.
#include "orchestrator/cli/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "orchestrator/cli/bundle.h"
#include "orchestrator/cli/exit_codes.h"
#include "orchestrator/cli/json.h"
#include "orchestrator/cli/progress.h"
#include "orchestrator/cli/received.h"
#include "orchestrator/cli/render.h"
#include "orchestrator/cli/timeline.h"
#include "orchestrator/cli/verbs.h"

namespace banyan::cli {
namespace {

void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(SOURCE_DIR) + "/golden/" + name;
  if (std::getenv("BANYAN_RECORD") != nullptr) std::ofstream(path, std::ios::binary) << text;
  std::ifstream in(path, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text) << "golden file " << path;
}

root::NodeStatus* add(root::StackStatus& stack, const std::string& name, const std::string& state,
                      const std::string& reason, std::uint64_t since_ms, const std::vector<std::string>& needs = {}) {
  auto* node = stack.add_nodes();
  node->set_name(name);
  node->set_state(state);
  node->set_reason(reason);
  node->set_since_ms(since_ms);
  node->set_goal("serving");
  node->set_confirmed(true);
  node->set_target("9f8e7d6c5b4a3210");
  node->set_met(state == "serving");
  if (node->met()) node->set_observed(node->target());
  for (const auto& need : needs) {
    auto* edge = node->add_edges();
    edge->set_on(need);
    edge->set_condition("serving");
    edge->set_required(true);
    edge->set_timeout_ms(300'000);
    edge->set_origin("depends_on at stack.yaml:12:5");
    for (const auto& other : stack.nodes())
      if (other.name() == need) edge->set_holds(other.state() == "serving");
  }
  return node;
}

/// The logging stack half way up.
root::Status half_way() {
  root::Status status;
  status.set_connected(true);
  status.mutable_cluster()->mutable_master()->set_pid(10);
  status.mutable_cluster()->mutable_root()->set_pid(11);
  status.mutable_cluster()->add_agents()->set_pid(12);
  auto& stack = *status.add_stacks();
  stack.set_name("logging");
  stack.set_state("starting");
  auto* zk = add(stack, "zookeeper", "serving", "", 65'000);
  zk->set_took_ms(4'200);
  zk->mutable_scheduler()->set_pid(100);
  zk->mutable_scheduler()->set_framework_id("logging.zookeeper.1");
  zk->mutable_scheduler()->set_task_id("logging.zookeeper.scheduler.1");
  zk->mutable_scheduler()->set_state("running");
  auto* endpoint = zk->add_endpoints();
  endpoint->set_name("client");
  endpoint->set_service_name("client.zookeeper.logging.banyan");
  for (int i = 0; i < 3; ++i) {
    const std::string address = "127.0.0.1:3100" + std::to_string(i);
    endpoint->add_addresses(address);
    auto* task = zk->add_tasks();
    task->set_id("logging.zookeeper.zookeeper-" + std::to_string(i) + ".1");
    task->set_name("zookeeper-" + std::to_string(i));
    task->set_state("serving");
    task->set_pid(static_cast<std::uint32_t>(200 + i));
    task->set_agent("agent-1");
    task->add_addresses(address);
    task->set_launched("0123456789abcdef");
  }
  zk->mutable_tasks(2)->set_ports_unseen("nobody looks who listens on its ports: its executor is not Banyan's");
  auto* kafka =
      add(stack, "kafka", "starting", "kafka-1 is starting: 127.0.0.1:31004: cannot connect", 12'300, {"zookeeper"});
  kafka->set_observed("1a2b3c4d5e6f7788");
  kafka->mutable_scheduler()->set_pid(101);
  kafka->mutable_scheduler()->set_restarts(1);
  for (int i = 0; i < 2; ++i) {
    auto* task = kafka->add_tasks();
    task->set_name("kafka-" + std::to_string(i));
    task->set_state(i == 0 ? "serving" : "starting");
    task->set_pid(static_cast<std::uint32_t>(300 + i));
    if (i == 1) task->set_reason("127.0.0.1:31004: cannot connect: Connection refused");
    else task->add_launched_with("zookeeper.client 127.0.0.1:31009");
  }
  add(stack, "elasticsearch", "degraded", "elasticsearch-0 was killed by signal 9", 900);
  add(stack, "flume", "waiting", "waits for kafka to be serving (it is starting)", 77'000, {"kafka"});
  add(stack, "logging", "failed", "waited 5m for elasticsearch to be serving (it is degraded)", 3'700'000,
      {"kafka", "elasticsearch"});
  return status;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

TEST(Status, ShowsNodesWithTheirServersStateByGlyphAndWord) {
  expect_golden("status.txt", render_status(half_way(), {}, false));
  expect_golden("status_wide.txt", render_status(half_way(), {}, true));
}

/// Half way, by a root that has just come back and has not heard of kafka yet.
root::Status after_a_root_restart() {
  auto status = half_way();
  auto& kafka = *status.mutable_stacks(0)->mutable_nodes(1);
  kafka.set_state("serving");
  kafka.set_confirmed(false);
  kafka.set_heard_ms(4'200);
  kafka.clear_reason();
  return status;
}

TEST(Status, ShowsTheOpenRevisionAsTheLockItIs) {
  auto status = half_way();
  auto& revision = *status.mutable_stacks(0)->mutable_revision();
  revision.set_number(4);
  revision.set_owner("anna@host pid 7");
  revision.set_state("open");
  revision.set_step("kafka is starting");
  revision.set_age_ms(12'300);
  EXPECT_THAT(render_status(status, {}, false),
              testing::HasSubstr("\n  revision 4 of anna@host pid 7, open for 12.3s, kafka is starting\n"));
  revision.set_state("failed");
  revision.set_reason("kafka is quarantined: status 9");
  EXPECT_THAT(render_status(status, {}, false),
              testing::HasSubstr("\n  revision 4 failed: kafka is quarantined: status 9\n"));
  revision.set_state("done");
  revision.clear_reason();
  EXPECT_THAT(render_status(status, {}, false), testing::Not(testing::HasSubstr("revision")));
}

TEST(Status, CallsUnknownWhatTheRootHasNotHeardOfSinceItStarted) {
  auto status = after_a_root_restart();
  say_unknown(status);
  const auto text = render_status(status, {}, false);
  EXPECT_THAT(text, testing::HasSubstr("1/5 serving, 1 degraded, 1 failed, 1 unknown, 1 waiting\n"));
  EXPECT_THAT(text, testing::ContainsRegex("\\? kafka +unknown .* it was serving when last heard of, 4.2s ago\n"));
  EXPECT_THAT(text, testing::ContainsRegex("\\? kafka-0 +unknown "));
  EXPECT_THAT(status_json(status), testing::HasSubstr(R"("name":"kafka","state":"unknown")"));
  EXPECT_THAT(changes(half_way().stacks(0), status.stacks(0), 1000, {}),
              testing::ElementsAre("1.0s  ? kafka unknown: it was serving when last heard of, 4.2s ago"));
}

TEST(Status, IsPutTogetherFromDeltas) {
  auto known = half_way();
  root::Status delta;
  delta.set_delta(true);
  delta.set_connected(true);
  auto& stack = *delta.add_stacks();
  stack.set_name("logging");
  stack.set_state("degraded");
  auto* kafka = stack.add_nodes();
  kafka->set_name("kafka");
  kafka->set_state("degraded");
  const auto before = known.stacks(0).nodes(0).since_ms();
  receive(known, delta, 500);
  ASSERT_EQ(known.stacks(0).nodes_size(), 5);
  EXPECT_EQ(known.stacks(0).state(), "degraded");
  EXPECT_EQ(known.stacks(0).nodes(1).state(), "degraded");
  EXPECT_EQ(known.stacks(0).nodes(0).state(), "serving");
  EXPECT_EQ(known.stacks(0).nodes(0).since_ms(), before + 500) << "who is not mentioned gets older all the same";
  delta.set_connected(false);
  delta.mutable_cluster()->mutable_master()->set_pid(77);
  delta.mutable_stacks(0)->mutable_revision()->set_number(9);
  delta.mutable_stacks(0)->add_nodes()->set_name("added");
  receive(known, delta, 0);
  EXPECT_FALSE(known.connected());
  EXPECT_EQ(known.cluster().master().pid(), 77u);
  EXPECT_EQ(known.stacks(0).revision().number(), 9u);
  EXPECT_EQ(known.stacks(0).nodes(5).name(), "added");
  receive(known, root::Status(), 500);
  EXPECT_EQ(known.stacks_size(), 0) << "what is no delta is the whole";
}

TEST(Status, SaysWhenItIsTheLastKnown) {
  root::Status status;
  EXPECT_EQ(render_status(status, {}, false),
            "! the root is not connected to the master: this is the last it knew\nno stack is running\n");
}

TEST(Status, AsJsonHasEveryFieldAlsoWhenZero) { expect_golden("status.json", status_json(half_way())); }

TEST(Why, NamesWhatIsWaitedForWhereThatIsWrittenAndForHowLong) {
  const auto status = half_way();
  std::string text;
  for (const auto& node : status.stacks(0).nodes()) text += render_why(status.stacks(0), node, {}, {});
  expect_golden("why.txt", text);
}

TEST(Why, FollowsTheCausesToTheOneThatIsItsOwn) {
  root::StackStatus stack;
  add(stack, "n0", "quarantined", "n0-0 exited with status 9 three times", 9'000);
  add(stack, "n1", "failed", "needs n0 to be serving (it is quarantined)", 8'000, {"n0"})->set_cause_node("n0");
  for (int i = 2; i < 15; ++i) {
    const auto need = "n" + std::to_string(i - 1);
    add(stack, "n" + std::to_string(i), "waiting", "waits for " + need, 7'000, {need});
  }
  expect_golden("why_chain.txt",
                render_why(stack, stack.nodes(14), {}, {}) + "\n" + render_why(stack, stack.nodes(1), {}, {}));
  stack.mutable_nodes(0)->set_cause_node("n1");  // a circle of causes ends all the same
  EXPECT_THAT(causes(stack, stack.nodes(1)), testing::SizeIs(1));
}

root::Event event(std::uint64_t seq, const std::string& kind, std::int64_t wall_ms) {
  root::Event event;
  event.set_seq(seq);
  event.set_kind(kind);
  event.set_wall_ms(wall_ms);
  event.set_mono_ms(seq * 1000);
  event.set_node("kafka");
  return event;
}

TEST(Events, HaveADateWhenNotOfTodayAndTellOutageAndRootCause) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  constexpr std::int64_t now = 1'795'605'000'000;  // 2026-11-25 11:10:00 UTC
  auto back = event(12, "node.serving", now - 1000);
  back.set_cause("kafka-1 serves again");
  back.set_outage_ms(8'700);
  back.set_root_cause(7);
  EXPECT_EQ(render_event(back, 2000, now, {}),
            "   12  11:09:59    +10.000s  kafka           node.serving        after an outage of 8.7s"
            "  (kafka-1 serves again)  began with 7");
  EXPECT_THAT(render_event(event(7, "server.ended", now - 86'400'000), 0, now, {}),
              testing::HasSubstr("    7  2026-11-24 11:10:00 "));
  EXPECT_THAT(event_json(back), testing::HasSubstr(R"("root_cause":7,"outage_ms":8700)"));
  back.set_root_cause(back.seq());
  back.clear_outage_ms();
  EXPECT_THAT(render_event(back, 2000, now, {}), testing::EndsWith("node.serving        (kafka-1 serves again)"))
      << "it began with itself";
  EXPECT_EQ(when(now, now), "11:10:00");
  EXPECT_EQ(when(now - 366 * 86'400'000LL, now), "2025-11-24 11:10:00");
  EXPECT_EQ(when(now - 365 * 86'400'000LL, now), "2025-11-25 11:10:00") << "the same day of another year";
}

TEST(Revision, IsToldInOneLine) {
  root::Revision revision;
  revision.set_number(3);
  revision.set_state("open");
  revision.set_age_ms(12'300);
  EXPECT_EQ(revision_text(revision), "3, open for 12.3s");
  revision.set_owner("anna@host pid 7");
  revision.set_step("kafka is starting");
  EXPECT_EQ(revision_text(revision), "3 of anna@host pid 7, open for 12.3s, kafka is starting");
  EXPECT_EQ(short_hash("9f8e7d6c5b4a3210"), "9f8e7d6c");
  EXPECT_EQ(short_hash(""), "-");
}

TEST(ExitCodes, AreWhatScriptsRelyOn) {
  std::string text;
  for (const auto& row : exit_rows) text += std::to_string(row.code) + " " + std::string(row.meaning) + "\n";
  for (const auto& end : revision_ends)
    text += std::string(end.state) + " " + std::to_string(end.code) + " " + std::string(end.meaning) + "\n";
  expect_golden("exit_codes.txt", text);
}

TEST(History, HasARowPerRevisionWithWhatCameOfIt) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  constexpr std::int64_t now = 1'795'605'000'000;
  root::History history;
  for (const auto& [state, reason] : std::vector<std::pair<std::string, std::string>>{
           {"open", ""}, {"superseded", "by bob@host pid 8"}, {"failed", "kafka is failed: status 9"}, {"done", ""}}) {
    auto* revision = history.add_revisions();
    revision->set_number(static_cast<std::uint64_t>(5 - history.revisions_size()));
    revision->set_state(state);
    revision->set_reason(reason);
    revision->set_owner("anna@host pid 7");
    revision->set_hash("9f8e7d6c5b4a3210");
    revision->set_age_ms(12'300);
    revision->set_opened_ms(now - history.revisions_size() * 40'000'000LL);
  }
  history.mutable_revisions(0)->set_step("kafka is starting");
  EXPECT_THAT(render_history(history, now, {}), testing::HasSubstr("9f8e7d6c  kafka is starting\n"));
  history.mutable_revisions(0)->clear_step();
  expect_golden("history.txt", render_history(history, now, {}));
  EXPECT_THAT(history_json("logging", history), testing::HasSubstr(R"({"stack":"logging","revisions":[{"number":4,)"));
}

TEST(Endpoints, HaveAddressesAndNames) { expect_golden("endpoints.txt", render_endpoints(half_way(), "", {})); }

TEST(Graph, DrawsANodeOnceAndPointsToItAfterwards) {
  expect_golden("graph.txt", render_graph(half_way().stacks(0), {}));
}

TEST(Progress, PictureKeepsItsRowsAndFitsTheScreen) {
  const auto status = half_way();
  expect_golden("picture.txt", joined(picture(status.stacks(0), {"up", 77'400, 100, 3, 100, 24}, {})));
  expect_golden("picture_narrow.txt", joined(picture(status.stacks(0), {"up", 77'400, 100, 3, 44, 5}, {})));
  for (const std::size_t columns : {12u, 24u, 44u})
    for (const std::size_t rows : {1u, 2u, 4u, 6u, 7u, 24u}) {
      const auto lines = picture(status.stacks(0), {"up", 3'700'000, 0, 0, columns, rows}, {true});
      for (const auto& line : lines) EXPECT_LT(width(line), columns) << line;
      EXPECT_LE(lines.size(), std::max<std::size_t>(2, rows - 1)) << "the cursor's row scrolls the picture away";
    }
}

TEST(Progress, LinesTellOnlyWhatChanged) {
  const auto before = half_way().stacks(0);
  auto now = before;
  now.mutable_nodes(1)->set_state("serving");
  now.mutable_nodes(1)->clear_reason();
  now.mutable_nodes(1)->set_took_ms(13'000);
  EXPECT_THAT(changes(before, before, 1000, {}), testing::IsEmpty());
  EXPECT_THAT(changes(before, now, 80'000, {}), testing::ElementsAre("1m20s  ✔ kafka serving after 13.0s"));
  expect_golden("lines.txt", joined(changes(std::nullopt, before, 0, {})));
}

TEST(Progress, AReasonThatKeepsChangingIsToldEveryFiveSeconds) {
  const auto before = half_way().stacks(0);
  auto now = before;
  std::map<std::string, std::uint64_t> told_at{{"kafka", 1000}};
  now.mutable_nodes(1)->set_reason("something else");
  EXPECT_THAT(changes(before, calmed(before, now, 3000, told_at), 3000, {}), testing::IsEmpty());
  EXPECT_THAT(changes(before, calmed(before, now, 6000, told_at), 6000, {}), testing::SizeIs(1));
  EXPECT_THAT(changes(before, calmed(before, now, 7000, told_at), 7000, {}), testing::IsEmpty());
}

TEST(Summary, NamesTheLongestWay) {
  auto stack = half_way().stacks(0);
  for (auto& node : *stack.mutable_nodes()) node.set_took_ms(1000);
  stack.set_state("serving");
  EXPECT_EQ(summary(stack, 4200),
            "logging is serving: 5 nodes in 4.2s; longest way zookeeper 1.0s -> kafka 1.0s -> logging 1.0s");
}

TEST(Summary, LeavesOutWhoTookNoPart) {
  auto stack = half_way().stacks(0);
  for (auto& node : *stack.mutable_nodes()) node.set_took_ms(node.name() == "kafka" ? 300 : 0);
  stack.set_state("serving");
  EXPECT_EQ(summary(stack, 400), "logging is serving: 5 nodes in 0.4s; longest way kafka 0.3s");
}

TEST(Progress, SaysNothingOfWhoWasWellBefore) {
  const auto now = half_way().stacks(0);
  EXPECT_THAT(changes(settled_before(now, 100), now, 100, {}),
              testing::Not(testing::Contains(testing::HasSubstr("zookeeper serving"))));
  EXPECT_THAT(changes(settled_before(now, 70'000), now, 70'000, {}),
              testing::Contains(testing::HasSubstr("zookeeper serving")))
      << "it came to serve meanwhile";
}

TEST(LeftBehind, NamesTheOldAddressAndHowToGetTheNewOne) {
  EXPECT_THAT(left_behind(half_way().stacks(0)),
              testing::ElementsAre("kafka goes on with zookeeper.client 127.0.0.1:31009, which has changed since; "
                                   "`banyan restart kafka` brings it to the present one"));
}

TEST(Planned, IsALinePerChangeInTheRootsWords) {
  root::UpReply reply;
  const auto add = [&](const char* effect, const char* server, const char* why, const char* remedy) {
    auto* change = reply.add_planned();
    change->set_node("node");
    change->set_effect(effect);
    change->set_server(server);
    change->set_why(why);
    change->set_remedy(remedy);
  };
  add("scale", "web", "instances 2 -> 3", "");
  add("keep", "web", "it goes on with the old address of db.sql", "`banyan restart web` brings it to the present one");
  add("add", "", "", "");
  EXPECT_EQ(render_planned(reply),
            "  scale web: instances 2 -> 3\n"
            "  keep web: it goes on with the old address of db.sql; `banyan restart web` brings it to the present one\n"
            "  add node\n");
}

TEST(Why, ShowsWhatAFailingCheckPrinted) {
  auto status = half_way();
  auto& kafka = *status.mutable_stacks(0)->mutable_nodes(1);
  kafka.mutable_tasks(1)->set_id("t1");
  const auto text = render_why(status.stacks(0), kafka, {{"t1", "no leader yet\n3 of 5"}}, {});
  EXPECT_THAT(text, testing::HasSubstr("cannot connect: Connection refused\n    its check printed: no leader yet\n"
                                       "                       3 of 5\n"));
}

TEST(Columns, CountWhatATerminalShows) {
  EXPECT_EQ(width("✔ ok"), 4u);
  EXPECT_EQ(width("\x1b[32m✔\x1b[0m"), 1u);
  EXPECT_EQ(fit("zookeeper", 4), "zoo…");
  EXPECT_EQ(table({{"a", "1"}, {"bbb", "22"}}, {1}), "a     1\nbbb  22\n");
}

TEST(Durations, AreReadAsPeopleWriteThem) {
  Duration d{};
  for (const auto& [text, ms] : std::map<std::string, std::int64_t>{
           {"90s", 90'000}, {"1m30s", 90'000}, {"250ms", 250}, {"2h", 7'200'000}, {"15", 15'000}}) {
    EXPECT_TRUE(parse_duration(text, d)) << text;
    EXPECT_EQ(milliseconds(d), ms) << text;
  }
  for (const char* text : {"", "s", "5x", "-3s"}) EXPECT_FALSE(parse_duration(text, d)) << text;
}

TEST(Outcome, IsTheRootsJudgementOfOnesOwnRevision) {
  root::Revision revision;
  revision.set_number(4);
  for (const auto& [state, code] : std::map<std::string, std::optional<int>>{{"open", std::nullopt},
                                                                             {"done", exit_ok},
                                                                             {"failed", exit_failed},
                                                                             {"timed_out", exit_timeout},
                                                                             {"superseded", exit_conflict}}) {
    revision.set_state(state);
    EXPECT_EQ(outcome(revision, 4), code) << state;
  }
  revision.set_state("done");
  EXPECT_EQ(outcome(revision, 3), exit_conflict) << "a later one has taken its place";
  EXPECT_EQ(outcome(revision, 5), std::nullopt) << "a status from before the `up`";
}

TEST(Conflict, NamesWhoseRevisionIsOpenHowLongAndTheRemedy) {
  root::UpReply reply;
  reply.set_conflict("another `up` is under way");
  reply.mutable_revision()->set_number(3);
  reply.mutable_revision()->set_owner("anna@host pid 7");
  reply.mutable_revision()->set_state("open");
  reply.mutable_revision()->set_age_ms(12'300);
  reply.mutable_revision()->set_step("kafka is starting");
  EXPECT_EQ(conflict_text(reply),
            "another `up` is under way: revision 3 of anna@host pid 7, open for 12.3s, kafka is starting\n"
            "  = help: wait for it, or put this file in its place with --supersede");
}

/// A folder of the test's own with one stack file.
class StackNamed : public testing::Test {
 protected:
  StackNamed() : folder_(testing::TempDir() + "/stack-named") { std::filesystem::create_directories(folder_); }
  ~StackNamed() override { std::filesystem::remove_all(folder_); }
  Result<Target> named(const std::string& text, const std::string& stack = "") {
    Options options;
    options.file = folder_ + "/stack.yaml";
    options.stack = stack;
    std::ofstream(options.file) << text;
    return find_target(options);
  }
  std::string folder_;
};

TEST_F(StackNamed, ByAFileInAnyStyleAlsoWithoutItsVariables) {
  const std::string frameworks = "frameworks: { a: { command: [sleep, '1'] } }\n";
  EXPECT_EQ(named("# c\nname: logging # the stack\n" + frameworks)->stack, "logging");
  EXPECT_EQ(named(R"({"name": "logging", "frameworks": {"a": {"command": ["sleep", "1"]}}})")->stack, "logging");
  EXPECT_EQ(named("name: logging\nvars: { home: { type: string } }\n"
                  "frameworks: { a: { command: [sleep, '${vars.home}'] } }\n")
                ->stack,
            "logging");
}

TEST_F(StackNamed, ByNoFileThatIsMissingInvalidOrAnothers) {
  EXPECT_FALSE(named("name: logging\nframeworks: { a: { comand: [sleep, '1'] } }\n"));
  EXPECT_FALSE(named("name: logging\nframeworks: { a: { command: [sleep, '1'] } }\n", "metrics"));
  Options options;
  options.file = folder_ + "/absent.yaml";
  EXPECT_FALSE(find_target(options));
  options.file.clear();
  options.stack = "logging";
  EXPECT_EQ(find_target(options)->stack, "logging");
}

TEST(Node, IsFoundInTheOnlyStackThatHasIt) {
  auto status = half_way();
  EXPECT_EQ(find_node(status, "kafka")->first, "logging");
  EXPECT_THAT(find_node(status, "kafca").error().message, testing::HasSubstr("did you mean \"kafka\""));
  for (const char* server : {"kafka-1", "kafka/kafka-1"})
    EXPECT_THAT(find_node(status, server).error().message,
                testing::AllOf(testing::HasSubstr("`banyan logs kafka/kafka-1`"),
                               testing::HasSubstr("`banyan restart kafka`")));
  status.add_stacks()->set_name("metrics");
  status.mutable_stacks(1)->add_nodes()->set_name("kafka");
  EXPECT_THAT(find_node(status, "kafka").error().message, testing::HasSubstr("logging, metrics"));
}

}  // namespace
}  // namespace banyan::cli
