// Promises of the root core where its world is at its worst: lost agents, dead roots, foreign programs, late words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/root/harness.h"

namespace banyan::root {
namespace {

using mesos::v1::scheduler::Call;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* pair_ = R"(
name: s
frameworks:
  a: { command: [sleep, "1"], ports: { p: auto }, endpoints: { e: { port: p } } }
  b: { command: [sleep, "1"], depends_on: [a] }
)";

TEST(Promises, NoLaunchWhenTheDependencyFellBetweenDecisionAndOffer) {
  Harness h;
  h.connect();
  h.up(pair_);
  h.offer();
  h.serves("a");
  EXPECT_EQ(h.node("b").state(), "launching");  // wants an offer
  h.update(h.task_of("a"), mesos::v1::TASK_RUNNING, h.report("a", false));
  EXPECT_EQ(h.node("a").state(), "degraded");
  h.advance(4min);
  const auto before = h.launched.size();
  h.offer();
  EXPECT_EQ(h.launched.size(), before) << "b was launched 4 minutes after its dependency stopped serving";
}

TEST(Promises, NoLaunchOnTheStrengthOfARecordOfAnEarlierRoot) {
  Harness h;
  h.connect();
  h.up(R"(
name: s
frameworks:
  a: { command: [sleep, "1"] }
  c: { command: [sleep, "1"] }
  b: { command: [sleep, "1"], depends_on: [a, c] }
)");
  h.offer();
  h.serves("a");
  h.runs("c");
  h.restart();  // meanwhile a's servers died; its executor still runs
  h.connect();  // reconciliation says RUNNING for a and c, without data
  h.serves("c");
  h.offer();
  EXPECT_THAT(h.task_of("b"), testing::Eq("")) << "launched although this root has never heard that a serves";
  h.update(h.task_of("a"), mesos::v1::TASK_RUNNING, h.report("a", false));
}

TEST(Promises, UnreachableWhileLaunchingKeepsTheInvariants) {
  Harness h;
  h.connect();
  h.up(pair_);
  h.offer();
  h.update(h.task_of("a"), mesos::v1::TASK_UNREACHABLE, std::nullopt);
  h.advance(5min + 1s);  // aborts in check_invariants
  EXPECT_EQ(h.node("a").state(), "failed");
}

TEST(Promises, SchedulerOfALostAgentIsLaunchedElsewhere) {
  Harness h;
  h.connect();
  h.up(pair_);
  h.offer();
  h.serves("a");
  h.offer();
  h.serves("b");
  const auto before = h.launched.size();
  h.update(h.task_of("a"), mesos::v1::TASK_UNREACHABLE, std::nullopt);
  for (int i = 0; i < 24 * 60; ++i) {
    h.advance(1min);
    h.offer();
  }
  EXPECT_GT(h.launched.size(), before) << "a day later nothing was launched; state " << h.node("a").state();
}

TEST(Promises, WhatFailedForItsDependencyGoesOnWithItAlsoAfterTheRootsDeath) {
  for (const bool restarted : {false, true}) {
    Harness h;
    h.connect();
    h.up(pair_);
    for (int death = 0; death < 4; ++death) {
      h.advance(20s);
      h.offer();
      h.runs("a");
      h.ends("a", mesos::v1::TASK_FAILED, "exit 7");
    }
    EXPECT_EQ(h.core->summary(), "s: a=quarantined b=failed");
    if (restarted) {
      h.restart();
      h.connect();
    }
    RestartAsked asked;
    asked.request.set_node("a");
    h.step(asked);
    EXPECT_EQ(h.node("b").state(), "waiting") << (restarted ? "after" : "without") << " a root restart";
    h.advance(1s);
    h.offer();
    h.serves("a");
    h.offer();
    EXPECT_EQ(h.node("b").state(), "launching") << (restarted ? "after" : "without") << " a root restart";
  }
}

TEST(Promises, DrainGoesOnAfterTheRootsDeathAlsoBetweenTwoTasks) {
  Harness h;
  h.connect();
  h.up(pair_);
  h.offer();
  h.serves("a");
  h.offer();
  h.serves("b");
  h.down("s");
  h.ends("b", mesos::v1::TASK_FAILED, "killed");  // dies while draining: is to be launched again for it
  EXPECT_THAT(h.teardowns, IsEmpty());
  h.restart();
  h.connect();
  h.advance(1s);
  EXPECT_THAT(h.teardowns, IsEmpty()) << "torn down at once: its servers are not drained";
}

TEST(Promises, RestartOfASchedulerIsRememberedWhileTheMasterIsAway) {
  Harness h;
  h.connect();
  h.up(pair_);
  h.offer();
  h.serves("a");
  h.offer();
  h.serves("b");
  h.step(Disconnected{"x"});
  h.calls.clear();
  RestartAsked asked;
  asked.request.set_node("a");
  asked.request.set_scheduler(true);
  h.step(asked);
  EXPECT_THAT(std::get<RestartReply>(h.answers.back()).error(), IsEmpty());
  h.calls.clear();  // the shell drops calls while unsubscribed
  h.connect();
  h.advance(1min);
  bool said = false;
  for (const auto& call : h.calls)
    if (call.type() == Call::MESSAGE) {
      ToExecutor words;
      words.ParseFromString(call.message().data());
      said |= words.restart();
    }
  EXPECT_TRUE(said) << "answered ok, and never said again";
}

TEST(Promises, RestartOfASchedulerNeverRestartsServers) {
  Harness h;
  h.connect();
  h.up(pair_);
  h.offer();
  h.serves("a");
  h.ends("a");  // its task has just ended; relaunch under way
  RestartAsked asked;
  asked.request.set_node("a");
  asked.request.set_scheduler(true);
  h.step(asked);
  h.advance(1s);
  h.offer();
  EXPECT_EQ(h.handover("a").restarts().size(), 0u) << "every server of a will be restarted";
}

TEST(Promises, ForeignJobThatExitsWithZeroIsCompleted) {
  Harness h;
  h.connect();
  const auto reply = h.up("name: s\nframeworks:\n  job: { goal: completed, scheduler: { command: [./spark] } }\n");
  ASSERT_THAT(reply.errors(), IsEmpty()) << reply.errors(0);
  h.offer();
  h.runs("job");
  h.advance(10s);
  EXPECT_NE(h.node("job").state(), "serving") << "a job that ends never serves";
  h.ends("job", mesos::v1::TASK_FINISHED, "the child scheduler is done");
  EXPECT_EQ(h.node("job").state(), "completed");
  const auto before = h.launched.size();
  h.advance(1min);
  h.offer();
  EXPECT_EQ(h.launched.size(), before) << "the job runs again";
}

TEST(Promises, ADeadForeignSchedulerDoesNotServe) {
  Harness h;
  h.connect();
  h.up("name: s\nframeworks:\n  f: { scheduler: { command: [./theirs] } }\n");
  h.offer();
  h.runs("f");
  h.advance(4s);
  EXPECT_EQ(h.node("f").state(), "serving");
  ChildReport dead;  // as the executor reports a death during its back-off
  dead.set_restarts(1);
  dead.set_handover_version(1);
  h.update(h.task_of("f"), mesos::v1::TASK_RUNNING, dead);
  EXPECT_EQ(h.node("f").state(), "degraded");
}

TEST(Promises, ACrashLoopingForeignSchedulerIsQuarantined) {
  Harness h;
  h.connect();
  h.up("name: s\nframeworks:\n  f: { scheduler: { command: [./theirs] } }\n");
  for (int i = 0; i < 50 && h.node("f").state() != "quarantined"; ++i) {
    h.advance(1s);
    h.offer();
    if (h.task_of("f").empty()) continue;
    h.runs("f");
    h.advance(6s);  // six deaths of the process within the executor's back-off
    h.ends("f", mesos::v1::TASK_FAILED, "the child scheduler died 6 times before it served");
  }
  EXPECT_EQ(h.node("f").state(), "quarantined")
      << h.launched.size() << " tasks = " << 6 * h.launched.size() << " processes";
}

TEST(Promises, AChangedSchedulerCommandTakesEffect) {
  Harness h;
  h.connect();
  h.up("name: s\nframeworks:\n  f: { scheduler: { command: [./v1], env: { A: x } } }\n");
  h.offer();
  h.runs("f");
  h.advance(4s);
  const auto before = h.launched.size();
  h.calls.clear();
  const auto reply = h.up("name: s\nframeworks:\n  f: { scheduler: { command: [./v2], env: { A: y } } }\n");
  ASSERT_THAT(reply.changes(), SizeIs(1));
  EXPECT_THAT(reply.changes(0), HasSubstr("restart the scheduler of f: scheduler: command changed"));
  h.advance(10min);
  h.offer();
  bool told = h.launched.size() > before;
  for (const auto& call : h.calls)
    if (call.type() == Call::MESSAGE) {
      ToExecutor words;
      words.ParseFromString(call.message().data());
      told |= words.has_command() || words.restart();
    }
  EXPECT_TRUE(told) << "announced as \"" << reply.changes(0) << "\", and never done";
}

TEST(Promises, AnUnplaceableNodeDoesNotKeepOffersFromOthers) {
  Harness h;
  h.connect();
  h.up(R"(
name: s
frameworks:
  big: { command: [sleep, "1"], scheduler: { resources: { cpus: 1000 } } }
  a: { command: [sleep, "1"] }
  b: { command: [sleep, "1"], depends_on: [a] }
)");
  h.offer();
  h.calls.clear();
  h.serves("a");
  EXPECT_EQ(h.node("b").state(), "launching");
  EXPECT_EQ(h.count(Call::REVIVE), 1u) << "b waits for the 5 s filter of the last ACCEPT to pass";
}

TEST(Promises, ARemovedEndpointIsGone) {
  Harness h;
  h.connect();
  h.up(pair_);
  h.offer();
  h.serves("a", {"127.0.0.1:1"});
  const std::string without = R"(
name: s
frameworks:
  a: { command: [sleep, "1"], ports: { p: auto } }
  b: { command: [sleep, "1"], depends_on: [a] }
)";
  EXPECT_THAT(h.up(without).errors(), IsEmpty());
  h.serves("a", {});
  EXPECT_EQ(h.node("a").endpoints_size(), 0);
}

TEST(Promises, AnUnreadableStackIsNamedAndKeepsNobodyElseFromStarting) {
  Harness h;
  h.connect();
  h.up(pair_);
  h.up("name: other\nframeworks:\n  o: { command: [x] }\n");
  StackRecord record;
  record.mutable_bundle()->set_file("stack.yaml");
  record.mutable_bundle()->set_text(std::string(pair_) + "    nonsense: {}\n");  // as an earlier version accepted it
  h.stored["stack/s"] = record.SerializeAsString();
  h.restart();
  EXPECT_EQ(h.core->summary(), "other: o=launching");
  const auto status = h.core->status(h.now, "s");
  ASSERT_THAT(status.stacks(), SizeIs(1));
  EXPECT_EQ(status.stacks(0).state(), "unreadable");
  EXPECT_THAT(status.stacks(0).revision().reason(), HasSubstr("this version does not accept its file any more"));
}

TEST(Promises, AStackStoredAsItsTextIsReadOnceAndConverted) {
  Harness h;
  h.connect();
  h.up(pair_);
  h.offer();
  h.serves("a");
  StackRecord record;
  record.mutable_bundle()->set_file("stack.yaml");
  record.mutable_bundle()->set_text(pair_);
  h.stored["stack/s"] = record.SerializeAsString();
  h.restart();
  EXPECT_EQ(h.core->summary(), "s: a=serving b=launching");
  h.connect();
  ASSERT_TRUE(record.ParseFromString(h.stored.at("stack/s")));
  EXPECT_EQ(record.schema(), 1u);
  EXPECT_FALSE(record.has_bundle());
  EXPECT_EQ(h.launched.size(), 1u);
}

TEST(Promises, AStackOfALaterVersionIsRefusedByName) {
  Harness h;
  h.connect();
  h.up(pair_);
  StackRecord record;
  ASSERT_TRUE(record.ParseFromString(h.stored.at("stack/s")));
  record.set_schema(99);
  h.stored["stack/s"] = record.SerializeAsString();
  h.restart();
  EXPECT_EQ(h.core->summary(), "");
  EXPECT_THAT(h.core->status(h.now).stacks(0).revision().reason(), HasSubstr("a later version of Banyan (schema 99)"));
}

TEST(Promises, ATeardownThatWasNotAnsweredIsAskedOfTheNextMaster) {
  Harness h;
  h.connect();
  h.up("name: s\nframeworks:\n  a: { command: [x] }\n");
  h.offer();
  h.serves("a");
  h.down("s");
  h.drains("a");
  EXPECT_THAT(std::exchange(h.teardowns, {}), testing::SizeIs(1));
  h.step(Disconnected{"it was killed"});
  h.step(Subscribed{});
  h.advance(1min);
  EXPECT_THAT(h.teardowns, testing::SizeIs(1));
  h.torn_down();
  EXPECT_EQ(h.core->summary(), "");
}

TEST(Promises, TeardownIsSaidAgainAfterTheTaskHasEnded) {
  Harness h;
  h.connect();
  h.up(pair_);
  h.offer();  // launched, not running yet: the master does not know framework s.a.1
  h.down("s", false, true);
  ASSERT_THAT(h.teardowns, SizeIs(1));
  h.torn_down();  // HTTP 400 "no framework": done
  h.runs("a");    // the child starts, subscribes, launches
  h.ends("a", mesos::v1::TASK_KILLED, "");
  EXPECT_THAT(h.teardowns, SizeIs(testing::Ge(1u))) << "framework s.a.1 stays registered for a week, with its tasks";
  EXPECT_EQ(h.node("a").state(), "stopping") << "not answered yet";
  h.torn_down();
  EXPECT_EQ(h.core->summary(), "");
}

TEST(Promises, PlanNamesAChangedReadiness) {
  Harness h;
  h.connect();
  const std::string with =
      "name: s\nframeworks:\n  a: { command: [x], ports: { p: auto }, readiness: { tcp: p }, stop: { grace: 10s } }\n";
  h.up(with);
  std::string other = with;
  other.replace(other.find("tcp: p"), 6, "http: p");
  other.replace(other.find("10s"), 3, "60s");
  EXPECT_THAT(h.up(other, true).changes(), testing::Not(IsEmpty()));
}

TEST(Promises, NothingIsDegradedForEver) {
  Harness h;
  h.connect();
  h.up(pair_);
  h.offer();
  h.serves("a");
  h.update(h.task_of("a"), mesos::v1::TASK_RUNNING, h.report("a", false));
  h.advance(24h);
  EXPECT_NE(h.node("a").state(), "degraded") << "a wait without a deadline: `banyan up` never ends on it";
}

TEST(Promises, AForeignChildsRenderedCommandFollowsItsDependencies) {
  Harness h;
  h.connect();
  const auto reply = h.up(R"(
name: s
frameworks:
  db: { command: [x], ports: { p: auto }, endpoints: { e: { port: p } } }
  f: { scheduler: { command: [./theirs, --db, "${db.endpoints.e}"], env: { DB: "${db.endpoints.e}" } } }
)");
  ASSERT_THAT(reply.errors(), IsEmpty());
  h.offer();
  h.serves("db", {"127.0.0.1:1"});
  h.offer();
  h.runs("f");
  h.calls.clear();
  h.serves("db", {"127.0.0.1:2"});
  h.advance(1s);
  bool command = false;
  for (const auto& call : h.calls)
    if (call.type() == Call::MESSAGE) {
      ToExecutor words;
      words.ParseFromString(call.message().data());
      command |= words.has_command();
    }
  EXPECT_TRUE(command) << "the executor will start it again with --db 127.0.0.1:1";
}

TEST(Promises, TheStoreBelongsToTheUserTheSchedulerRunsAs) {
  Harness h;
  h.connect();
  h.up("name: s\nframeworks:\n  a: { command: [x], user: elastic }\n");
  std::string owner, runs_as;
  for (auto& effect : h.core->step(h.now, Offered{{Harness::make_offer("o", 4096, 4096)}})) {
    if (auto* folder = std::get_if<MakeFolder>(&effect)) owner = folder->user;
    if (auto* call = std::get_if<SendCall>(&effect); call && call->call.has_accept())
      runs_as = call->call.accept().operations(0).launch().task_infos(0).executor().command().user();
  }
  EXPECT_EQ(owner, runs_as);
}

TEST(Promises, VolumesOfAStackThatIsDownCanBeRemoved) {
  Harness h;
  h.connect();
  h.up(pair_);
  h.down("s");
  EXPECT_EQ(h.core->summary(), "");
  h.down("s", true);
  EXPECT_THAT(std::get<DownReply>(h.answers.back()).error(), IsEmpty());
}

TEST(Promises, DownOfASilentForeignChildDoesNotWaitForADrainItCannotKnow) {
  Harness h;
  h.connect();
  h.up("name: s\nframeworks:\n  f: { scheduler: { command: [./theirs] } }\n");
  h.offer();
  h.runs("f");
  h.advance(4s);
  h.down("s");
  h.advance(30s);
  EXPECT_THAT(h.teardowns, SizeIs(1));
}

TEST(Promises, ARelaunchedForeignSchedulerServesAgain) {
  Harness h;
  h.connect();
  h.up("name: s\nframeworks:\n  f: { scheduler: { command: [./theirs] } }\n");
  h.offer();
  h.runs("f");
  h.advance(4s);
  EXPECT_EQ(h.node("f").state(), "serving");
  h.ends("f");
  h.advance(1s);
  h.offer();
  h.runs("f");
  h.advance(1h);
  EXPECT_EQ(h.node("f").state(), "serving");
}

TEST(Promises, NoSecondTaskWhileTheFirstMayStillRun) {
  Harness h;
  h.connect();
  h.up(pair_);
  h.offer();
  const auto first = h.task_of("a");
  h.update(first, mesos::v1::TASK_UNREACHABLE, std::nullopt);
  h.now.mono += 6min;
  (void)h.core->step(h.now, Tick{});  // by hand: the harness would abort on the broken invariant
  RestartAsked asked;
  asked.request.set_node("a");
  (void)h.core->step(h.now, asked);
  std::string second;
  for (auto& effect : h.core->step(h.now, Offered{{Harness::make_offer("o", 4096, 4096)}}))
    if (auto* call = std::get_if<SendCall>(&effect); call && call->call.has_accept())
      second = call->call.accept().operations(0).launch().task_infos(0).task_id().value();
  EXPECT_EQ(second, "") << second << " launched while " << first << " may still run on the unreachable agent";
}

}  // namespace
}  // namespace banyan::root
