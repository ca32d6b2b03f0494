#include "executors/framework/core/supervisor.h"

#include <gmock/gmock.h>
#include <signal.h>

#include "tests/unit/sdk/virtual_time.h"

namespace banyan::framework_executor {
namespace {

using namespace std::chrono_literals;
using namespace mesos::v1;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int exit_status(int status) { return status << 8; }

Handover handover_of(std::uint64_t version) {
  Handover handover;
  handover.set_version(version);
  handover.set_stack("logging");
  handover.set_node("kafka");
  handover.set_framework_id("logging.kafka.1");
  handover.set_role("logging.kafka");
  handover.add_masters("m1:5050");
  handover.add_masters("m2:5050");
  auto* dependency = handover.add_dependencies();
  dependency->set_node("zoo-keeper");
  auto* endpoint = dependency->add_endpoints();
  endpoint->set_name("client");
  endpoint->add_addresses("a:1");
  endpoint->add_addresses("b:2");
  return handover;
}
ToExecutor first_word() {
  ToExecutor word;
  word.mutable_command()->add_argv("kafka-scheduler");
  word.mutable_command()->add_argv("--verbose");
  *word.mutable_handover() = handover_of(1);
  return word;
}
ChildSaid said(bool serving) {
  ChildSaid said;
  said.status.set_serving(serving);
  return said;
}

struct AChild : testing::Test {
  AChild()
      : stage(Supervisor({{"PATH", "/bin"}, {"MESOS_FRAMEWORK_ID", "banyan-root"}, {"MESOS_SLAVE_ID", "S1"}},
                         {"/sandbox", "/sandbox/handover.json", "/run/x/child.sock"}, Rng(1))) {}

  using Effects = Supervisor::Effects;

  /// Gives an input and plays the world's immediate answers: files are written, children start.
  template <class Input>
  Effects give(const Input& input) {
    return answer_all(stage.give(input));
  }
  Effects pass(Duration duration) {
    Effects effects;
    const Instant end = stage.now().mono + duration;
    while (stage.core().next_deadline() && *stage.core().next_deadline() <= end) {
      const Duration until = *stage.core().next_deadline() - stage.now().mono;
      append(effects, answer_all(stage.pass(std::max(until, Duration(0)), Tick{})));
    }
    append(effects, answer_all(stage.pass(end - stage.now().mono, Tick{})));
    return effects;
  }
  static void append(Effects& to, Effects more) {
    for (auto& effect : more) to.push_back(std::move(effect));
  }
  Effects answer_all(Effects effects) {
    Effects done;
    for (auto& effect : effects) {
      const auto written = std::get_if<WriteHandover>(&effect);
      const auto start = std::get_if<StartChild>(&effect);
      const std::uint64_t version = written ? written->handover.version() : 0;
      if (start) run = start->run;
      const bool starts = start != nullptr;
      done.push_back(std::move(effect));
      if (version) append(done, give(HandoverWritten{version, ""}));
      if (starts) append(done, give(ChildStarted{run, static_cast<std::uint32_t>(100 + run)}));
    }
    return done;
  }
  Effects launch(const ToExecutor& word = first_word()) {
    Launched launched;
    launched.task.set_name("kafka");
    launched.task.mutable_task_id()->set_value("kafka.1");
    launched.task.mutable_agent_id()->set_value("S1");
    launched.task.set_data(word.SerializeAsString());
    return give(launched);
  }
  /// Launched and acknowledged.
  void settle() {
    launch();
    give(Settled{});
  }
  Effects dies(int wait_status = exit_status(1)) { return give(ChildEnded{run, wait_status}); }
  static ChildReport report_of(const TaskStatus& status) {
    ChildReport report;
    EXPECT_TRUE(report.ParseFromString(status.data()));
    return report;
  }
  static std::optional<TaskStatus> last_update(const Effects& effects) {
    const auto sent = all<SendUpdate>(effects);
    return sent.empty() ? std::nullopt : std::optional(sent.back().status);
  }

  Stage<Supervisor> stage;
  std::uint64_t run = 0;
};

TEST_F(AChild, IsStartedAfterItsHandoverIsWritten) {
  const auto effects = launch();
  ASSERT_THAT(effects, SizeIs(testing::Ge(2u)));
  EXPECT_TRUE(std::holds_alternative<WriteHandover>(effects[0]));
  const auto start = first<StartChild>(effects);
  ASSERT_TRUE(start);
  EXPECT_THAT(start->argv, ElementsAre("kafka-scheduler", "--verbose"));
  const auto report = report_of(*last_update(effects));
  EXPECT_EQ(report.pid(), 101u);
  EXPECT_EQ(report.handover_version(), 1u);
  EXPECT_EQ(last_update(effects)->state(), TASK_RUNNING);
  EXPECT_FALSE(last_update(effects)->has_healthy());  // it has not spoken: not ours to judge
}

TEST_F(AChild, FindsItsOwnFrameworkInItsEnvironmentAndNotTheRoots) {
  const auto environment = first<StartChild>(launch())->environment;
  EXPECT_EQ(environment.at("MESOS_FRAMEWORK_ID"), "logging.kafka.1");
  EXPECT_EQ(environment.at("MESOS_MASTER"), "m1:5050,m2:5050");
  EXPECT_EQ(environment.count("MESOS_SLAVE_ID"), 0u);
  EXPECT_EQ(environment.at("BANYAN_SOCKET"), "/run/x/child.sock");
  EXPECT_EQ(environment.at("BANYAN_HANDOVER"), "/sandbox/handover.json");
  EXPECT_EQ(environment.at("BANYAN_ENDPOINT_ZOO_KEEPER_CLIENT"), "a:1,b:2");
  EXPECT_EQ(environment.at("PATH"), "/bin");
}

TEST_F(AChild, FailsItsTaskWhenTheDataMakesNoSense) {
  EXPECT_EQ(last_update(launch(ToExecutor()))->state(), TASK_FAILED);
  EXPECT_TRUE(first<Exit>(give(Settled{})));
}

TEST_F(AChild, IsReportedWithEachNewWordButOneAtATime) {
  launch();
  EXPECT_THAT(all<SendUpdate>(give(said(false))), IsEmpty());  // the first is still under way
  EXPECT_THAT(all<SendUpdate>(give(said(true))), IsEmpty());
  const auto update = last_update(give(Settled{}));
  ASSERT_TRUE(update);
  EXPECT_TRUE(update->healthy());  // the newest word
  EXPECT_TRUE(report_of(*update).managed());
  EXPECT_THAT(all<SendUpdate>(give(Settled{})), IsEmpty());
}

TEST_F(AChild, IsReportedOnceHoweverOftenItRepeatsItself) {
  settle();
  EXPECT_THAT(all<SendUpdate>(give(said(true))), SizeIs(1));
  give(Settled{});
  EXPECT_THAT(all<SendUpdate>(give(said(true))), IsEmpty());
}

TEST_F(AChild, IsRestartedAtOnceThenMoreSlowly) {
  settle();
  EXPECT_TRUE(first<StartChild>(dies()));
  std::vector<Duration> waits;
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(first<StartChild>(dies()));
    const Instant died = stage.now().mono;
    EXPECT_TRUE(first<StartChild>(pass(*stage.core().next_deadline() - died)));
    waits.push_back(stage.now().mono - died);
  }
  EXPECT_GE(waits[0], 150ms);
  EXPECT_LE(waits[0], 200ms);
  EXPECT_GE(waits[2], 600ms);
  EXPECT_LE(waits[2], 800ms);
}

TEST_F(AChild, FailsItsTaskWhenItsBudgetIsSpent) {
  settle();
  std::optional<TaskStatus> end;
  int starts = 1;
  for (int i = 0; i < 20 && !end; ++i) {
    auto effects = dies(exit_status(3));
    append(effects, pass(10s));
    starts += static_cast<int>(all<StartChild>(effects).size());
    const auto update = last_update(effects);
    if (update && update->state() != TASK_RUNNING) end = update;
  }
  ASSERT_TRUE(end);
  EXPECT_EQ(end->state(), TASK_FAILED);
  EXPECT_THAT(end->message(), HasSubstr("died 6 times before it served; the last exited with status 3"));
  EXPECT_EQ(starts, 6);
  EXPECT_TRUE(first<Exit>(give(Settled{})));
}

TEST_F(AChild, SpendsNothingWhenItDiesAfterServing) {
  settle();
  for (int i = 0; i < 30; ++i) {
    give(said(true));
    auto effects = dies(SIGKILL);
    append(effects, pass(10s));
    ASSERT_TRUE(first<StartChild>(effects)) << i;
  }
}

TEST_F(AChild, HasItsBudgetRefilledByAMinuteOfServing) {
  settle();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 4; ++i) {
      dies();
      pass(10s);
    }
    give(said(true));
    pass(60s);
    ASSERT_TRUE(first<StartChild>(dies())) << "at once, as if it were the first";
  }
}

TEST_F(AChild, SpendsItsBudgetWhenItCannotBeStarted) {
  launch();
  std::optional<TaskStatus> end;
  stage.give(ChildEnded{run, exit_status(1)});
  for (std::uint64_t r = run + 1; r < run + 20 && !end; ++r) {
    auto effects = stage.give(ChildNotStarted{r, "kafka-scheduler: No such file or directory"});
    append(effects, stage.pass(10s, Tick{}));
    if (const auto update = last_update(effects); update && update->state() == TASK_FAILED) end = update;
  }
  ASSERT_TRUE(end);
  EXPECT_THAT(end->message(), HasSubstr("No such file"));
}

TEST_F(AChild, IsNotCalledServingWhileItIsDead) {
  settle();
  give(said(true));
  give(Settled{});
  const auto update = last_update(dies(SIGKILL));
  ASSERT_TRUE(update);
  EXPECT_FALSE(update->healthy());
  const auto report = report_of(*update);
  EXPECT_FALSE(report.child().serving());
  EXPECT_THAT(report.child().reason(), HasSubstr("killed by signal 9"));
  EXPECT_EQ(report.restarts(), 1u);
}

TEST_F(AChild, EndsItsTaskWellWhenItIsDone) {
  settle();
  auto drained = said(false);
  drained.status.set_drained(true);
  give(drained);
  give(Settled{});
  EXPECT_EQ(last_update(dies(exit_status(0)))->state(), TASK_FINISHED);
}

TEST_F(AChild, IsRestartedWhenItExitsWellWithWorkLeft) {
  settle();
  give(said(true));
  EXPECT_TRUE(first<StartChild>(dies(exit_status(0))));
}

TEST_F(AChild, ThatNeverSpokeIsDoneWhenItExitsWell) {
  settle();
  EXPECT_EQ(last_update(dies(exit_status(0)))->state(), TASK_FINISHED);
}

TEST_F(AChild, IsAskedThenKilledOnKill) {
  settle();
  const auto asked = give(KillAsked{"kafka.1", 2s});
  EXPECT_EQ(first<SignalChild>(asked)->signal, SIGTERM);
  const auto forced = pass(2s);
  EXPECT_EQ(first<SignalChild>(forced)->signal, SIGKILL);
  EXPECT_TRUE(first<SignalChild>(forced)->tree);
  EXPECT_EQ(last_update(dies(SIGKILL))->state(), TASK_KILLED);
}

TEST_F(AChild, IsNotRestartedOnceKilled) {
  settle();
  give(KillAsked{"kafka.1", 2s});
  dies(SIGTERM);
  EXPECT_FALSE(first<StartChild>(pass(1h)));
}

TEST_F(AChild, InBackOffIsKilledWithoutASignal) {
  settle();
  dies();
  dies();
  const auto effects = give(KillAsked{"kafka.1", {}});
  EXPECT_FALSE(first<SignalChild>(effects));
  EXPECT_EQ(last_update(effects)->state(), TASK_KILLED);
}

TEST_F(AChild, LearnsOfANewHandoverByItsPoll) {
  settle();
  EXPECT_TRUE(first<AnswerPoll>(give(HandoverAsked{1, 0}))->handover.has_value());  // the first, at once
  EXPECT_THAT(give(HandoverAsked{2, 1}), IsEmpty());
  ToExecutor word;
  *word.mutable_handover() = handover_of(2);
  const auto effects = give(MessageCame{word.SerializeAsString()});
  EXPECT_EQ(first<AnswerPoll>(effects)->handover->version(), 2u);
  EXPECT_TRUE(first<WriteHandover>(effects));
  EXPECT_EQ(report_of(*last_update(effects)).handover_version(), 2u);
  EXPECT_FALSE(first<StartChild>(effects));
  EXPECT_FALSE(first<SignalChild>(effects));  // it names no signal
}

TEST_F(AChild, IsSignalledOnANewHandoverWhenItNamesASignal) {
  auto word = first_word();
  word.mutable_command()->set_signal_on_change(SIGHUP);
  launch(word);
  ToExecutor change;
  *change.mutable_handover() = handover_of(2);
  EXPECT_EQ(first<SignalChild>(give(MessageCame{change.SerializeAsString()}))->signal, SIGHUP);
}

TEST_F(AChild, IgnoresAnOlderHandoverButSaysWhatItHas) {
  settle();
  ToExecutor word;
  *word.mutable_handover() = handover_of(1);
  const auto effects = give(MessageCame{word.SerializeAsString()});
  EXPECT_FALSE(first<WriteHandover>(effects));
  EXPECT_EQ(report_of(*last_update(effects)).handover_version(), 1u);
}

TEST_F(AChild, DoesNotClaimAHandoverThatCouldNotBeWritten) {
  settle();
  ToExecutor word;
  *word.mutable_handover() = handover_of(2);
  stage.give(MessageCame{word.SerializeAsString()});
  EXPECT_THAT(all<SendUpdate>(stage.give(HandoverWritten{2, "disk full"})), IsEmpty());
  EXPECT_TRUE(first<WriteHandover>(stage.give(MessageCame{word.SerializeAsString()})));  // the root asks again
}

TEST_F(AChild, RepeatsItsReportOnRequest) {
  settle();
  ToExecutor word;
  word.set_repeat_report(true);
  word.set_asker(7);
  const auto report = report_of(*last_update(give(MessageCame{word.SerializeAsString()})));
  EXPECT_EQ(report.pid(), 101u);
  EXPECT_EQ(report.asker(), 7u);
}

TEST_F(AChild, IsRestartedOnRequestOutsideItsBudget) {
  settle();
  ToExecutor word;
  word.set_restart(true);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(first<SignalChild>(give(MessageCame{word.SerializeAsString()}))->signal, SIGTERM);
    ASSERT_TRUE(first<StartChild>(dies(SIGTERM)));
  }
}

TEST_F(AChild, AnswersAPollWithoutNewsInTime) {
  settle();
  give(HandoverAsked{1, 1});
  const auto answer = first<AnswerPoll>(pass(30s));
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->handover);
}

TEST_F(AChild, KeepsOnlySoManyPolls) {
  settle();
  std::size_t answered = 0;
  for (std::uint64_t i = 1; i <= 100; ++i) answered += all<AnswerPoll>(give(HandoverAsked{i, 1})).size();
  EXPECT_EQ(answered, 84u);
}

TEST_F(AChild, GoesDownWithItsExecutor) {
  settle();
  EXPECT_EQ(first<SignalChild>(give(ShutDownAsked{"shut down", false}))->signal, SIGTERM);
  EXPECT_EQ(last_update(dies(SIGTERM))->state(), TASK_KILLED);
  EXPECT_TRUE(first<Exit>(give(Settled{})));
}

TEST_F(AChild, DoesNotKeepItsExecutorWaitingForAnAgentThatIsGone) {
  settle();
  give(ShutDownAsked{"the agent did not come back", true});
  EXPECT_TRUE(first<Exit>(dies(SIGTERM)));
}

ToExecutor probed(std::vector<std::string> argv, std::chrono::milliseconds hold_for = 0ms) {
  auto word = first_word();
  auto& readiness = *word.mutable_command()->mutable_readiness();
  for (auto& each : argv) readiness.add_argv(std::move(each));
  readiness.set_hold_for_ms(static_cast<std::uint64_t>(hold_for.count()));
  return word;
}

TEST_F(AChild, ThatCannotSpeakIsAskedByItsReadiness) {
  const auto probes = all<Probe>(launch(probed({"curl", "-f"})));
  ASSERT_THAT(probes, SizeIs(1));
  EXPECT_THAT(probes[0].argv, ElementsAre("curl", "-f"));
  EXPECT_EQ(probes[0].environment.at("BANYAN_FRAMEWORK_ID"), "logging.kafka.1");
  give(Settled{});
  auto report = report_of(*last_update(give(Probed{probes[0].number, "no"})));
  EXPECT_FALSE(report.ready());
  EXPECT_EQ(report.not_ready(), "no");
  give(Settled{});
  EXPECT_THAT(all<Probe>(pass(999ms)), IsEmpty());
  const auto again = all<Probe>(pass(1ms));
  ASSERT_THAT(again, SizeIs(1));
  report = report_of(*last_update(give(Probed{again[0].number, ""})));
  EXPECT_TRUE(report.ready());
  give(Settled{});
  const auto third = all<Probe>(pass(1s));
  EXPECT_EQ(last_update(give(Probed{third[0].number, ""})), std::nullopt) << "nothing new";
}

TEST_F(AChild, WhoseReadinessDoesNotAnswerIsNotReady) {
  launch(probed({"sleep"}));
  give(Settled{});
  const auto effects = pass(5s);
  EXPECT_THAT(all<DropProbe>(effects), SizeIs(1));
  EXPECT_EQ(report_of(*last_update(effects)).not_ready(), "no answer in time");
  EXPECT_EQ(last_update(give(Probed{1, ""})), std::nullopt) << "too late";
}

TEST_F(AChild, MustStayReadyForItsHold) {
  auto probes = all<Probe>(launch(probed({"true"}, 1500ms)));
  give(Settled{});
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(last_update(give(Probed{probes[0].number, ""})).has_value() && i > 0);
    give(Settled{});
    probes = all<Probe>(pass(1s));
    ASSERT_THAT(probes, SizeIs(1));
  }
  EXPECT_TRUE(report_of(*last_update(give(Probed{probes[0].number, ""}))).ready());
}

TEST_F(AChild, ThatIsReadyOnlyWhenRegisteredIsLookedForAtTheMasters) {
  const auto probes = all<Probe>(launch(probed({})));
  ASSERT_THAT(probes, SizeIs(1));
  EXPECT_THAT(probes[0].argv, IsEmpty());
  EXPECT_EQ(probes[0].framework.framework_id, "logging.kafka.1");
  EXPECT_EQ(probes[0].framework.role, "logging.kafka");
  EXPECT_EQ(probes[0].framework.name, "logging.kafka");
  EXPECT_THAT(probes[0].framework.masters, ElementsAre("m1:5050", "m2:5050"));
}

TEST_F(AChild, WhoseProcessEndsIsNoLongerReady) {
  auto probes = all<Probe>(launch(probed({"true"})));
  give(Settled{});
  give(Probed{probes[0].number, ""});
  give(Settled{});
  const auto effects = dies();
  EXPECT_FALSE(report_of(*last_update(effects)).has_ready());
  EXPECT_THAT(all<Probe>(effects), SizeIs(1)) << "the next one is asked anew";
}

TEST(AnExecutorWithoutATask, ExitsWhenShutDown) {
  Supervisor supervisor({}, {}, Rng(1));
  EXPECT_TRUE(first<Exit>(supervisor.step({}, ShutDownAsked{"", false})));
}

}  // namespace
}  // namespace banyan::framework_executor
