#include "runtime/sdk/core/executor_core.h"

#include <gmock/gmock.h>

#include "runtime/sdk/executor_client.h"
#include "tests/unit/sdk/link_laws.h"
#include "tests/unit/sdk/virtual_time.h"

namespace banyan::sdk {
namespace {

using namespace std::chrono_literals;
using mesos::v1::executor::Call;
using mesos::v1::executor::Event;
using testing::IsEmpty;
using testing::SizeIs;

Event event_of(Event::Type type) {
  Event event;
  event.set_type(type);
  if (type == Event::SUBSCRIBED) {
    auto* subscribed = event.mutable_subscribed();
    subscribed->mutable_executor_info()->mutable_executor_id()->set_value("executor");
    subscribed->mutable_framework_info()->set_user("u");
    subscribed->mutable_framework_info()->set_name("n");
    subscribed->mutable_agent_info()->set_hostname("h");
  }
  return event;
}
Event launch_event(const std::string& id) {
  Event event = event_of(Event::LAUNCH);
  auto* task = event.mutable_launch()->mutable_task();
  task->set_name(id);
  task->mutable_task_id()->set_value(id);
  task->mutable_agent_id()->set_value("agent");
  return event;
}
UpdateTask update_of(const std::string& task, mesos::v1::TaskState state) {
  UpdateTask update;
  update.status.mutable_task_id()->set_value(task);
  update.status.set_state(state);
  return update;
}
Call parsed(const std::string& body) {
  Call call;
  EXPECT_TRUE(call.ParseFromString(body));
  return call;
}

struct AnExecutor : testing::Test {
  explicit AnExecutor(bool checkpoint = true)
      : stage(ExecutorCore({"a:5051", "framework", "executor", checkpoint, 15min}, Rng(3))) {
    stage.heard = [this](const auto& effects) { laws.hear(effects); };
  }

  OpenStream attempt(Duration within = 5s) {
    const auto open = first<OpenStream>(stage.pass(within, Tick{}));
    EXPECT_TRUE(open.has_value());
    return open.value_or(OpenStream{});
  }
  ExecutorCore::Effects record(const OpenStream& stream, const Event& event) {
    return stage.give(StreamRecord{stream.stream, event.SerializeAsString()});
  }
  ExecutorCore::Effects accept(const OpenStream& stream) {
    stage.give(StreamOpened{stream.stream, 200, "", "", ""});
    return record(stream, event_of(Event::SUBSCRIBED));
  }
  OpenStream subscribe() {
    const auto stream = attempt();
    accept(stream);
    return stream;
  }
  ExecutorCore::Effects acknowledge(const OpenStream& stream, const mesos::v1::TaskStatus& status) {
    Event event = event_of(Event::ACKNOWLEDGED);
    *event.mutable_acknowledged()->mutable_task_id() = status.task_id();
    event.mutable_acknowledged()->set_uuid(status.uuid());
    return record(stream, event);
  }

  LinkLaws laws;
  Stage<ExecutorCore> stage;
};

TEST_F(AnExecutor, FillsInWhatTheAgentDemandsOfAnUpdate) {
  subscribe();
  const auto sent = first<SendCall>(stage.give(update_of("t", mesos::v1::TASK_RUNNING)));
  ASSERT_TRUE(sent);
  const auto status = parsed(sent->body).update().status();
  EXPECT_THAT(status.uuid(), SizeIs(16));
  EXPECT_EQ(status.source(), mesos::v1::TaskStatus::SOURCE_EXECUTOR);
  EXPECT_EQ(status.executor_id().value(), "executor");
  EXPECT_GT(status.timestamp(), 0);
  EXPECT_TRUE(sent->stream_id.empty());  // this API has none
}

TEST_F(AnExecutor, BringsItsUnacknowledgedTasksAndUpdatesToARestartedAgent) {
  auto stream = subscribe();
  record(stream, launch_event("acked"));
  record(stream, launch_event("unacked"));
  const auto acked = parsed(first<SendCall>(stage.give(update_of("acked", mesos::v1::TASK_RUNNING)))->body);
  acknowledge(stream, acked.update().status());
  stage.give(update_of("unacked", mesos::v1::TASK_RUNNING));
  stage.give(StreamClosed{stream.stream, "the agent died"});
  stage.give(update_of("unacked", mesos::v1::TASK_FINISHED));  // while nobody listens

  const auto subscribe = parsed(attempt().body).subscribe();
  ASSERT_THAT(subscribe.unacknowledged_tasks(), SizeIs(1));
  EXPECT_EQ(subscribe.unacknowledged_tasks(0).task_id().value(), "unacked");
  ASSERT_THAT(subscribe.unacknowledged_updates(), SizeIs(2));
  EXPECT_EQ(subscribe.unacknowledged_updates(0).status().state(), mesos::v1::TASK_RUNNING);
  EXPECT_EQ(subscribe.unacknowledged_updates(1).status().state(), mesos::v1::TASK_FINISHED);
}

TEST_F(AnExecutor, SendsWhatHappenedBetweenSubscribeAndSubscribed) {
  const auto stream = attempt();
  stage.give(update_of("t", mesos::v1::TASK_RUNNING));
  EXPECT_THAT(all<SendCall>(accept(stream)), SizeIs(1));
  EXPECT_TRUE(stage.core().unacknowledged());
}

TEST_F(AnExecutor, DoesNotRepeatWhatItsSubscribeCarried) {
  auto stream = subscribe();
  stage.give(update_of("t", mesos::v1::TASK_RUNNING));
  stage.give(StreamClosed{stream.stream, "gone"});
  EXPECT_THAT(all<SendCall>(accept(attempt())), IsEmpty());
}

TEST_F(AnExecutor, ForgetsAnUpdateOnlyWhenItIsAcknowledged) {
  const auto stream = subscribe();
  const auto sent = first<SendCall>(stage.give(update_of("t", mesos::v1::TASK_FINISHED)));
  stage.give(CallAnswered{sent->call, 202, ""});
  EXPECT_TRUE(stage.core().unacknowledged());
  acknowledge(stream, parsed(sent->body).update().status());
  EXPECT_FALSE(stage.core().unacknowledged());
}

TEST_F(AnExecutor, SendsAnUpdateAgainToAnAgentThatIsStillRecovering) {
  subscribe();
  const auto sent = first<SendCall>(stage.give(update_of("t", mesos::v1::TASK_RUNNING)));
  stage.give(CallAnswered{sent->call, 503, "recovering"});
  EXPECT_THAT(all<SendCall>(stage.pass(1s, Tick{})), SizeIs(1));
}

TEST_F(AnExecutor, DropsAnUpdateThatTheAgentWillNeverTake) {
  subscribe();
  const auto sent = first<SendCall>(stage.give(update_of("t", mesos::v1::TASK_RUNNING)));
  const auto refused = first<UpdateRefused>(stage.give(CallAnswered{sent->call, 400, "no"}));
  ASSERT_TRUE(refused);
  EXPECT_FALSE(stage.core().unacknowledged());
}

TEST_F(AnExecutor, ComesBackSeveralTimesWithinTheAgentsPatience) {
  const auto stream = subscribe();
  stage.give(StreamClosed{stream.stream, "gone"});
  int attempts = 0;
  const Instant gone = stage.now().mono;
  while (stage.now().mono - gone < 2s) {
    stage.give(StreamClosed{attempt(400ms).stream, "connection refused"});
    ++attempts;
  }
  EXPECT_GE(attempts, 4);
}

TEST_F(AnExecutor, ShutsDownWhenTheAgentStaysAwayTooLong) {
  const auto stream = subscribe();
  stage.give(StreamClosed{stream.stream, "gone"});
  std::optional<ShutDown> down;
  for (int i = 0; i < 100'000 && !down; ++i) {
    const auto effects = stage.pass(200ms, Tick{});
    down = first<ShutDown>(effects);
    if (const auto open = first<OpenStream>(effects)) stage.give(StreamClosed{open->stream, "connection refused"});
  }
  ASSERT_TRUE(down);
  EXPECT_GE(stage.now().mono, Instant(1000s + 15min));
  EXPECT_FALSE(stage.core().next_deadline());
}

TEST_F(AnExecutor, ShutsDownWhenTheAgentDoesNotKnowIt) {
  const auto stream = attempt();
  EXPECT_TRUE(first<ShutDown>(stage.give(StreamOpened{stream.stream, 400, "", "", "Executor cannot be found"})));
}

TEST_F(AnExecutor, WaitsForAnAgentThatIsNotReadyYet) {
  const auto stream = attempt();
  EXPECT_FALSE(first<ShutDown>(stage.give(StreamOpened{stream.stream, 503, "", "", "recovering"})));
  attempt();
}

TEST_F(AnExecutor, DoesNotComeBackAfterShutdown) {
  const auto stream = subscribe();
  record(stream, event_of(Event::SHUTDOWN));
  EXPECT_TRUE(first<ShutDown>(stage.give(StreamClosed{stream.stream, "ended"})));
}

struct AnExecutorWithoutCheckpoint : AnExecutor {
  AnExecutorWithoutCheckpoint() : AnExecutor(false) {}
};

TEST_F(AnExecutorWithoutCheckpoint, EndsWithItsStream) {
  const auto stream = subscribe();
  EXPECT_TRUE(first<ShutDown>(stage.give(StreamClosed{stream.stream, "gone"})));
}

}  // namespace
}  // namespace banyan::sdk
