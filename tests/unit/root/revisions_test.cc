// Revisions: what an `up` asked for, judged by the root from what its children have acted on; and the gate at launches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/root/harness.h"

namespace banyan::root {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* two = R"(
name: s
frameworks:
  a: { command: [sleep, "1"], ports: { p: auto }, endpoints: { e: { port: p } } }
  b: { command: [sleep, "1"], depends_on: [a] }
)";

std::string other_command(const char* text = two) {
  std::string changed = text;
  return changed.replace(changed.find("\"1\""), 3, "\"2\"");
}

struct TwoNodes : testing::Test, Harness {
  TwoNodes() { connect(); }

  UpReply asks(const std::string& owner, const std::string& text, bool supersede = false, Duration timeout = {}) {
    UpAsked asked;
    asked.request.mutable_bundle()->set_file("stack.yaml");
    asked.request.mutable_bundle()->set_text(text);
    asked.request.set_owner(owner);
    asked.request.set_supersede(supersede);
    asked.request.set_timeout_ms(static_cast<std::uint64_t>(milliseconds(timeout)));
    step(asked);
    return std::get<UpReply>(answers.back());
  }
  void both_serve() {
    offer();
    serves("a");
    offer();
    serves("b");
  }
  [[nodiscard]] Revision revision() const { return core->status(now, "s").stacks(0).revision(); }
};

TEST_F(TwoNodes, RevisionIsDoneOnceEveryNodeServesAsItSays) {
  const auto accepted = asks("anna", two).revision();
  EXPECT_EQ(accepted.number(), 1u);
  EXPECT_EQ(accepted.state(), "open");
  EXPECT_EQ(revision().step(), "a is launching");
  offer();
  serves("a");
  EXPECT_EQ(revision().state(), "open");
  offer();
  serves("b");
  EXPECT_EQ(revision().state(), "done");
  EXPECT_TRUE(node("b").met());
}

TEST_F(TwoNodes, RevisionStaysOpenWhileAServingNodeHasNotActedOnIt) {
  asks("anna", two);
  both_serve();
  auto before = report("a", true, {"127.0.0.1:1"});
  EXPECT_EQ(asks("anna", other_command()).revision().number(), 2u);
  EXPECT_EQ(node("a").state(), "serving");
  EXPECT_FALSE(node("a").met());
  before.set_handover_version(handover("a").version());  // the executor has it, the servers are the old ones
  update(task_of("a"), mesos::v1::TASK_RUNNING, before);
  EXPECT_EQ(revision().state(), "open");
  EXPECT_THAT(revision().step(), HasSubstr("a is being changed"));
  serves("a");
  EXPECT_EQ(revision().state(), "done");
}

TEST_F(TwoNodes, RevisionFailsWithTheCauseOnceNobodyIsOnTheWay) {
  asks("anna", two);
  offer();
  auto ended = report("a", false);
  ended.mutable_child()->set_failed(true);
  ended.mutable_child()->set_reason("a-0 ended with exit 3, and its restart policy is never");
  update(task_of("a"), mesos::v1::TASK_RUNNING, ended);
  EXPECT_EQ(node("a").state(), "failed");
  EXPECT_EQ(node("a").reason(), "a-0 ended with exit 3, and its restart policy is never");
  EXPECT_EQ(node("b").state(), "failed");
  EXPECT_EQ(node("b").cause_node(), "a");
  EXPECT_THAT(node("b").reason(), testing::Not(HasSubstr("exit 3"))) << "a link, not a quotation";
  EXPECT_EQ(revision().state(), "failed");
  EXPECT_EQ(revision().reason(), "a is failed: a-0 ended with exit 3, and its restart policy is never");
}

TEST_F(TwoNodes, RevisionTimesOutAtItsOwnDeadline) {
  asks("anna", two, false, 30s);
  advance(29s);
  EXPECT_EQ(revision().state(), "open");
  advance(2s);
  EXPECT_EQ(revision().state(), "timed_out");
  EXPECT_EQ(revision().reason(), "not done after 30s: a is launching");
}

TEST_F(TwoNodes, RevisionsDeadlineStandsStillWithoutAMasterAndWithoutARoot) {
  asks("anna", two, false, 30s);
  step(Disconnected{"reset by peer"});
  advance(1h);
  connect();
  advance(20s);
  EXPECT_EQ(revision().state(), "open");
  now.mono += 1h;
  now.wall += 1h;
  restart();
  connect();
  EXPECT_EQ(revision().state(), "open") << "nobody lived to bring it up in that hour";
  advance(31s);
  EXPECT_EQ(revision().state(), "timed_out");
}

TEST_F(TwoNodes, RevisionIsNotDoneBeforeEverySchedulerKnowsTheNewAddresses) {
  asks("anna", two);
  both_serve();
  EXPECT_EQ(revision().state(), "done");
  asks("anna", other_command());
  auto behind = report("b", true);
  behind.mutable_child()->set_handover_version(handover("b").version());
  update(task_of("b"), mesos::v1::TASK_RUNNING, behind);
  serves("a", {"127.0.0.1:2"});
  EXPECT_EQ(revision().state(), "open") << "b goes on with the address of before, and has not said so yet";
  auto news = report("b", true);
  news.mutable_child()->set_handover_version(handover("b").version());
  update(task_of("b"), mesos::v1::TASK_RUNNING, news);
  EXPECT_EQ(revision().state(), "done");
}

constexpr const char* client = R"(
name: s
frameworks:
  a: { command: [sleep, "1"], ports: { p: 8000 }, endpoints: { e: { port: p } } }
  b: { command: [sleep, "${a.endpoints.e}"] }
)";

struct AClient : TwoNodes {
  AClient() {
    asks("anna", client);
    offer();
    serves("a");
    offer();
    server_runs({});
  }
  void server_runs(const std::vector<std::string>& launched_with) {
    auto runs = report("b", true);
    auto* server = runs.mutable_child()->add_servers();
    server->set_task_id("s.b.b-0.1");
    server->set_name("b-0");
    server->set_state("serving");
    server->set_pid(7);
    *server->mutable_launched_with() = {launched_with.begin(), launched_with.end()};
    update(task_of("b"), mesos::v1::TASK_RUNNING, runs);
  }
  /// "EFFECT SERVER: WHY; REMEDY" of the one change of b that is planned; "": none.
  std::string planned(const std::string& text) {
    std::string found;
    const auto reply = Harness::up(text, true);
    for (const auto& change : reply.planned())
      if (change.node() == "b")
        found += change.effect() + " " + change.server() + ": " + change.why() + "; " + change.remedy();
    return found;
  }
  static std::string other(const std::string& from, const std::string& to) {
    std::string text = client;
    return text.replace(text.find(from), from.size(), to);
  }
};

TEST_F(AClient, IsPlannedToGoOnWithAnAddressThatChanges) {
  EXPECT_EQ(planned(other("8000", "8001")),
            "keep b: it goes on with the old address of a.e; `banyan restart b` brings it to the present one");
  EXPECT_EQ(planned(other("\"1\"", "\"2\"")), "") << "the address stays";
  EXPECT_THAT(planned(other("b: { command: [sleep,", "b: { env: { A: b }, command: [sleep,")),
              HasSubstr("restart b: env A added"));
}

TEST_F(AClient, ThatWasLeftBehindIsNoChangeButIsTold) {
  server_runs({"a.e 127.0.0.1:7999"});
  EXPECT_EQ(planned(client),
            "keep b: it goes on with a.e 127.0.0.1:7999, which has changed since; "
            "`banyan restart b` brings it to the present one");
  EXPECT_THAT(Harness::up(client, true).changes(), IsEmpty());
  EXPECT_THAT(planned(other("b: {", "b: { env: { A: b },")), testing::StartsWith("restart b")) << "which mends it";
}

TEST_F(TwoNodes, PlanRestartsNothingThatNeverRan) {
  asks("anna", two);
  EXPECT_THAT(Harness::up(other_command(), true).changes(), testing::ElementsAre("apply a: server a: command changed"));
  offer();
  auto ended = report("a", false);
  ended.mutable_child()->set_failed(true);
  update(task_of("a"), mesos::v1::TASK_RUNNING, ended);
  EXPECT_THAT(Harness::up(other_command(), true).changes(0), "retry a: server a: command changed");
  EXPECT_THAT(Harness::up(other_command(), true).changes(1), testing::StartsWith("retry b: "));
}

TEST_F(TwoNodes, TimesAreToldOfThoseThatTakePartInTheRevision) {
  asks("anna", two);
  advance(2s);
  both_serve();
  EXPECT_EQ(node("a").took_ms(), 2000u);
  asks("anna", other_command());
  advance(5s);
  serves("a");
  EXPECT_EQ(node("a").took_ms(), 5000u);
  EXPECT_EQ(node("b").took_ms(), 0u);
}

TEST_F(TwoNodes, ARestartedJobIsNotCompletedUntilItHasRunAgain) {
  asks("anna", "name: s\nframeworks:\n  job: { goal: completed, command: [x] }\n");
  offer();
  const auto completes = [this] {
    auto done = report("job", false);
    done.mutable_child()->set_completed(true);
    done.mutable_child()->set_handover_version(handover("job").version());
    update(task_of("job"), mesos::v1::TASK_RUNNING, done);
  };
  advance(3s);
  completes();
  EXPECT_EQ(node("job").state(), "completed");
  EXPECT_EQ(node("job").took_ms(), 3000u);
  advance(1h);
  RestartAsked again;
  again.request.set_stack("s");
  again.request.set_node("job");
  step(again);
  EXPECT_EQ(node("job").state(), "starting");
  advance(1s);
  completes();
  EXPECT_EQ(node("job").state(), "completed");
  EXPECT_EQ(node("job").since_ms(), 0u);
}

TEST_F(TwoNodes, TheSameGraphJoinsAnOpenRevision) {
  asks("anna", two);
  const auto joined = asks("berta", std::string("# a comment changes nothing\n") + two);
  EXPECT_THAT(joined.conflict(), IsEmpty());
  EXPECT_EQ(joined.revision().number(), 1u);
  EXPECT_EQ(joined.revision().owner(), "anna");
}

TEST_F(TwoNodes, AnotherGraphIsRefusedWhileARevisionIsOpenUnlessItSupersedes) {
  asks("anna", two);
  advance(90s);
  const auto refused = asks("berta", other_command());
  EXPECT_EQ(refused.conflict(), "another `up` of this stack is under way");
  EXPECT_EQ(refused.revision().age_ms(), 90'000u);
  EXPECT_EQ(refused.revision().step(), "a is launching");
  EXPECT_EQ(core->history(now, "s").size(), 1u) << "a refusal leaves nothing behind";
  EXPECT_EQ(refused.revision().number(), 1u);
  const auto taken = asks("berta", other_command(), true);
  EXPECT_THAT(taken.conflict(), IsEmpty());
  EXPECT_EQ(taken.revision().number(), 2u);
  const auto history = core->history(now, "s");
  ASSERT_THAT(history, SizeIs(2));
  EXPECT_EQ(history[1].state(), "superseded");
  EXPECT_EQ(history[1].reason(), "by berta");
}

TEST_F(TwoNodes, DownSupersedesAndTheHistoryOutlivesTheStackAndTheRoot) {
  asks("anna", two);
  Harness::down("s");
  EXPECT_EQ(core->summary(), "");
  restart();
  const auto history = core->history(now, "s");
  ASSERT_THAT(history, SizeIs(1));
  EXPECT_EQ(history[0].state(), "superseded");
  EXPECT_EQ(history[0].reason(), "by down");
  connect();
  EXPECT_EQ(asks("anna", two).revision().number(), 2u) << "numbers never repeat";
}

TEST_F(TwoNodes, HistoryIsBounded) {
  for (int i = 0; i < 60; ++i) asks("anna", i % 2 == 0 ? two : other_command(), true);
  const auto history = core->history(now, "s");
  ASSERT_THAT(history, SizeIs(50));
  EXPECT_EQ(history.front().number(), 60u);
}

TEST_F(TwoNodes, AfterARestartOfTheRootAStateIsAMemoryUntilItIsReported) {
  asks("anna", two);
  both_serve();
  restart();
  connect();
  EXPECT_EQ(node("a").state(), "serving");
  EXPECT_FALSE(node("a").confirmed());
  EXPECT_FALSE(node("a").met());
  EXPECT_FALSE(node("b").edges(0).holds());
  EXPECT_EQ(core->status(now).stacks(0).state(), "starting");
  auto old = report("a", true);
  old.set_asker(0);
  update(task_of("a"), mesos::v1::TASK_RUNNING, old);
  EXPECT_FALSE(node("a").confirmed()) << "said before it was asked: its agent may say so again after an outage";
  EXPECT_FALSE(node("b").edges(0).holds());
  answers_as_asked("a");
  EXPECT_TRUE(node("a").confirmed());
  EXPECT_TRUE(node("b").edges(0).holds());
}

TEST_F(TwoNodes, WhatComesBackFromAnUnreachableAgentIsBelievedWhenItHasAnswered) {
  asks("anna", two);
  both_serve();
  update(task_of("a"), mesos::v1::TASK_UNREACHABLE, std::nullopt, true);
  update(task_of("a"), mesos::v1::TASK_RUNNING, std::nullopt, true);
  auto old = report("a", true);
  old.set_asker(0);
  update(task_of("a"), mesos::v1::TASK_RUNNING, old);
  EXPECT_FALSE(node("b").edges(0).holds()) << "its machine may have been down";
  answers_as_asked("a");
  EXPECT_TRUE(node("b").edges(0).holds());
}

TEST_F(TwoNodes, ACompletedJobIsStillMetAfterARestartOfTheRoot) {
  asks("anna", "name: s\nframeworks:\n  job: { goal: completed, scheduler: { command: [./spark] } }\n");
  offer();
  runs("job");
  ends("job", mesos::v1::TASK_FINISHED, "");
  EXPECT_EQ(revision().state(), "done");
  restart();
  connect();
  EXPECT_TRUE(node("job").met()) << node("job").target() << " wanted, observed " << node("job").observed();
}

TEST_F(TwoNodes, AChildIsToldWhetherItMayStart) {
  asks("anna", two);
  both_serve();
  EXPECT_TRUE(handover("b").may_start());
  update(task_of("a"), mesos::v1::TASK_RUNNING, report("a", false));
  EXPECT_FALSE(handover("b").may_start());
  serves("a");
  EXPECT_TRUE(handover("b").may_start());
}

TEST_F(TwoNodes, AChildThatWasStartedAgainBehindAClosedGateIsToldAnew) {
  asks("anna", two);
  both_serve();
  auto again = report("b", false);
  again.set_gate_closed(true);
  const auto before = handover("b").version();
  update(task_of("b"), mesos::v1::TASK_RUNNING, again);
  EXPECT_EQ(handover("b").version(), before + 1);
  EXPECT_TRUE(handover("b").may_start());
}

TEST_F(TwoNodes, AChildBehindAClosedGateWaitsWhileItsDependencyIsDown) {
  asks("anna", two);
  both_serve();
  update(task_of("a"), mesos::v1::TASK_RUNNING, report("a", false));
  auto again = report("b", false);
  again.set_gate_closed(true);
  update(task_of("b"), mesos::v1::TASK_RUNNING, again);
  EXPECT_FALSE(handover("b").may_start());
  serves("a");
  EXPECT_TRUE(handover("b").may_start());
}

}  // namespace
}  // namespace banyan::root
