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
  EXPECT_THAT(refused.conflict(), HasSubstr("revision 1 of anna is open for 1m30s: a is launching"));
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
