#include "runtime/sdk/core/scheduler_core.h"

#include <gmock/gmock.h>

#include "tests/unit/sdk/link_laws.h"
#include "tests/unit/sdk/virtual_time.h"

namespace banyan::sdk {
namespace {

using namespace std::chrono_literals;
using mesos::v1::scheduler::Call;
using mesos::v1::scheduler::Event;
using testing::IsEmpty;
using testing::SizeIs;

Event subscribed_event(const std::string& id = "logging.kafka.1") {
  Event event;
  event.set_type(Event::SUBSCRIBED);
  event.mutable_subscribed()->mutable_framework_id()->set_value(id);
  event.mutable_subscribed()->set_heartbeat_interval_seconds(15);
  return event;
}
Event event_of(Event::Type type) {
  Event event;
  event.set_type(type);
  return event;
}
Event error_event(const std::string& message) {
  Event event = event_of(Event::ERROR);
  event.mutable_error()->set_message(message);
  return event;
}
Call call_of(Call::Type type) {
  Call call;
  call.set_type(type);
  return call;
}

struct Framework : testing::Test {
  explicit Framework(std::vector<std::string> masters = {"m1:5050"}) : stage(make(std::move(masters))) {
    stage.heard = [this](const auto& effects) { laws.hear(effects); };
  }

  static SchedulerCore make(std::vector<std::string> masters) {
    mesos::v1::FrameworkInfo info;
    info.set_user("nobody");
    info.set_name("kafka");
    info.mutable_id()->set_value("logging.kafka.1");
    return {std::move(masters), info, Rng(7)};
  }
  OpenStream attempt(Duration within = 5s) {
    const auto open = first<OpenStream>(stage.pass(within, Tick{}));
    EXPECT_TRUE(open.has_value());
    return open.value_or(OpenStream{});
  }
  SchedulerCore::Effects record(const OpenStream& stream, const Event& event) {
    return stage.give(StreamRecord{stream.stream, event.SerializeAsString()});
  }
  OpenStream subscribe() {
    const auto stream = attempt();
    stage.give(StreamOpened{stream.stream, 200, "stream-" + std::to_string(stream.stream), "", ""});
    record(stream, subscribed_event());
    EXPECT_TRUE(stage.core().subscribed());
    return stream;
  }

  LinkLaws laws;
  Stage<SchedulerCore> stage;
};

TEST_F(Framework, SubscribesAtOnceAndUnderItsId) {
  const auto open = attempt(0s);
  EXPECT_EQ(open.server, "m1:5050");
  EXPECT_EQ(open.path, "/api/v1/scheduler");
  Call call;
  ASSERT_TRUE(call.ParseFromString(open.body));
  EXPECT_EQ(call.type(), Call::SUBSCRIBE);
  EXPECT_EQ(call.framework_id().value(), "logging.kafka.1");
  EXPECT_EQ(call.subscribe().framework_info().id().value(), "logging.kafka.1");
}

TEST_F(Framework, TakesNoCallsBeforeSubscribedHasCome) {
  const auto stream = attempt();
  stage.give(StreamOpened{stream.stream, 200, "s", "", ""});
  EXPECT_THAT(stage.give(call_of(Call::REVIVE)), IsEmpty());
  record(stream, subscribed_event());
  const auto sent = first<SendCall>(stage.give(call_of(Call::REVIVE)));
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->stream_id, "s");
  Call call;
  ASSERT_TRUE(call.ParseFromString(sent->body));
  EXPECT_EQ(call.framework_id().value(), "logging.kafka.1");
}

TEST_F(Framework, SeesEveryEventButHeartbeats) {
  const auto stream = subscribe();
  EXPECT_THAT(record(stream, event_of(Event::HEARTBEAT)), IsEmpty());
  EXPECT_THAT(all<DeliverEvent>(record(stream, event_of(Event::OFFERS))), SizeIs(1));
}

TEST_F(Framework, BacksOffWithJitterWhileNobodyAnswers) {
  Duration total{};
  Instant last = stage.now().mono;
  for (int i = 0; i < 12; ++i) {
    const auto stream = attempt(i == 0 ? 0s : 0s + (stage.core().next_deadline().value() - stage.now().mono));
    const Duration waited = stage.now().mono - last;
    last = stage.now().mono;
    EXPECT_LE(waited, 2s);
    total += waited;
    stage.give(StreamClosed{stream.stream, "connection refused"});
  }
  EXPECT_GT(total, 6s);  // it did slow down
}

TEST_F(Framework, ResubscribesUnderTheSameIdWhenItsStreamBreaks) {
  const auto stream = subscribe();
  const auto effects = stage.give(StreamClosed{stream.stream, "end of stream"});
  ASSERT_TRUE(first<Disconnected>(effects));
  EXPECT_FALSE(first<Disconnected>(effects)->final);
  EXPECT_FALSE(stage.core().subscribed());
  const auto again = attempt(50ms);  // almost at once
  EXPECT_GT(again.stream, stream.stream);
  Call call;
  ASSERT_TRUE(call.ParseFromString(again.body));
  EXPECT_EQ(call.framework_id().value(), "logging.kafka.1");
}

TEST_F(Framework, CountsFiveMissedHeartbeatsAsADeadConnection) {
  const auto stream = subscribe();
  EXPECT_THAT(stage.pass(74s, Tick{}), IsEmpty());
  record(stream, event_of(Event::HEARTBEAT));
  EXPECT_THAT(stage.pass(74s, Tick{}), IsEmpty());
  const auto effects = stage.pass(1s, Tick{});
  EXPECT_TRUE(first<CloseStream>(effects));
  ASSERT_TRUE(first<Disconnected>(effects));
  EXPECT_THAT(first<Disconnected>(effects)->reason, testing::HasSubstr("75 s"));
}

TEST_F(Framework, GivesUpAnAttemptThatHangs) {
  attempt(0s);
  const auto effects = stage.pass(16s, Tick{});
  EXPECT_TRUE(first<CloseStream>(effects));
  EXPECT_TRUE(first<OpenStream>(effects));
}

TEST_F(Framework, FollowsARedirectToTheLeaderAtOnce) {
  const auto stream = attempt();
  const auto effects = stage.give(StreamOpened{stream.stream, 307, "", "//m2:5051/master/api/v1/scheduler", ""});
  const auto redirected = first<OpenStream>(effects);
  ASSERT_TRUE(redirected);
  EXPECT_EQ(redirected->server, "m2:5051");
}

TEST_F(Framework, DoesNotChaseRedirectsForEver) {
  auto stream = attempt();
  int followed = 0;
  while (followed < 100) {
    const auto next =
        first<OpenStream>(stage.give(StreamOpened{stream.stream, 307, "", "//m2:5050/master/api/v1/scheduler", ""}));
    if (!next) break;
    stream = *next;
    ++followed;
  }
  EXPECT_EQ(followed, 3);
  EXPECT_EQ(attempt().server, "m1:5050");  // it starts over, after a pause
}

TEST_F(Framework, TriesAgainWhenTheMasterIsNotReady) {
  const auto stream = attempt();
  EXPECT_FALSE(first<Disconnected>(stage.give(StreamOpened{stream.stream, 503, "", "", "No leader elected"})));
  attempt();
}

TEST_F(Framework, StopsForGoodWhenItsSubscribeIsRefused) {
  const auto stream = attempt();
  const auto gone = first<Disconnected>(stage.give(StreamOpened{stream.stream, 403, "", "", "not you"}));
  ASSERT_TRUE(gone);
  EXPECT_TRUE(gone->final);
  EXPECT_FALSE(stage.core().next_deadline());
}

TEST_F(Framework, StopsForGoodWhenANewerSchedulerHasTakenOver) {
  const auto stream = subscribe();
  const auto effects = record(stream, error_event("Framework failed over"));
  EXPECT_TRUE(first<DeliverEvent>(effects));
  ASSERT_TRUE(first<Disconnected>(effects));
  EXPECT_TRUE(first<Disconnected>(effects)->final);
  EXPECT_FALSE(first<OpenStream>(stage.pass(1h, Tick{})));
}

TEST_F(Framework, StopsForGoodWhenItHasBeenRemoved) {
  const auto stream = attempt();
  stage.give(StreamOpened{stream.stream, 200, "s", "", ""});
  const auto gone = first<Disconnected>(record(stream, error_event("Framework has been removed")));
  ASSERT_TRUE(gone);
  EXPECT_TRUE(gone->final);
}

TEST_F(Framework, ComesBackAfterAnyOtherErrorOnALiveStream) {
  const auto stream = subscribe();
  EXPECT_FALSE(first<Disconnected>(record(stream, error_event("something passing"))));
  EXPECT_FALSE(first<Disconnected>(stage.give(StreamClosed{stream.stream, "ended"}))->final);
  attempt();
}

TEST_F(Framework, EndsWithItsOwnTeardown) {
  const auto stream = subscribe();
  const auto sent = first<SendCall>(stage.give(call_of(Call::TEARDOWN)));
  ASSERT_TRUE(sent);
  stage.give(CallAnswered{sent->call, 202, ""});
  const auto gone = first<Disconnected>(stage.give(StreamClosed{stream.stream, "ended"}));
  ASSERT_TRUE(gone);
  EXPECT_TRUE(gone->final);
}

TEST_F(Framework, EndsWithItsTeardownAlsoWhenTheStreamEndsBeforeTheAnswer) {
  const auto stream = subscribe();
  const auto sent = first<SendCall>(stage.give(call_of(Call::TEARDOWN)));
  EXPECT_FALSE(first<Disconnected>(stage.give(StreamClosed{stream.stream, "ended"}))->final);
  EXPECT_TRUE(first<Disconnected>(stage.give(CallAnswered{sent->call, 202, ""}))->final);
}

TEST_F(Framework, SubscribesAnewWhenACallIsLostWithItsConnection) {
  subscribe();
  const auto sent = first<SendCall>(stage.give(call_of(Call::ACCEPT)));
  const auto effects = stage.give(CallAnswered{sent->call, 0, "connection reset"});
  EXPECT_EQ(first<CallRefused>(effects)->type, Call::ACCEPT);
  EXPECT_TRUE(first<CloseStream>(effects));
  EXPECT_TRUE(first<Disconnected>(effects));
  EXPECT_THAT(all<SendCall>(stage.pass(10s, Tick{})), IsEmpty());  // never sent twice
}

TEST_F(Framework, SubscribesAnewWhenTheMasterKnowsItsSubscriptionNoMore) {
  for (const auto& [status, body] : {std::pair{403u, "Framework is not subscribed"},
                                     std::pair{400u, "The stream ID 'x' included in this request didn't match"},
                                     std::pair{307u, ""}, std::pair{503u, "Master has not finished recovery"}}) {
    subscribe();
    const auto sent = first<SendCall>(stage.give(call_of(Call::KILL)));
    EXPECT_TRUE(first<Disconnected>(stage.give(CallAnswered{sent->call, status, body}))) << status;
  }
}

TEST_F(Framework, KeepsItsStreamWhenOneCallIsSimplyWrong) {
  subscribe();
  const auto sent = first<SendCall>(stage.give(call_of(Call::ACKNOWLEDGE)));
  const auto effects = stage.give(CallAnswered{sent->call, 400, "Not a valid UUID"});
  EXPECT_TRUE(first<CallRefused>(effects));
  EXPECT_TRUE(stage.core().subscribed());
}

TEST_F(Framework, IgnoresWhatAnEarlierStreamStillSays) {
  const auto old = subscribe();
  stage.give(StreamClosed{old.stream, "ended"});
  subscribe();
  EXPECT_THAT(record(old, error_event("Framework failed over")), IsEmpty());
  EXPECT_THAT(stage.give(StreamClosed{old.stream, "ended"}), IsEmpty());
  EXPECT_TRUE(stage.core().subscribed());
}

TEST_F(Framework, DropsAStreamThatSpeaksGibberish) {
  const auto stream = subscribe();
  EXPECT_TRUE(first<Disconnected>(stage.give(StreamRecord{stream.stream, "\xff\xff\xff"})));
}

struct FrameworkWithThreeMasters : Framework {
  FrameworkWithThreeMasters() : Framework({"m1:5050", "m2:5050", "m3:5050"}) {}
};

TEST_F(FrameworkWithThreeMasters, TriesThemInTurn) {
  std::vector<std::string> tried;
  for (int i = 0; i < 4; ++i) {
    const auto stream = attempt();
    tried.push_back(stream.server);
    stage.give(StreamClosed{stream.stream, "connection refused"});
  }
  EXPECT_THAT(tried, testing::ElementsAre("m1:5050", "m2:5050", "m3:5050", "m1:5050"));
}

TEST_F(FrameworkWithThreeMasters, ReturnsFirstToTheOneThatServedIt) {
  stage.give(StreamClosed{attempt().stream, "connection refused"});
  const auto second = subscribe();
  EXPECT_EQ(second.server, "m2:5050");
  stage.give(StreamClosed{second.stream, "ended"});
  EXPECT_EQ(attempt().server, "m2:5050");
}

TEST_F(FrameworkWithThreeMasters, TakesNewMastersWithoutLeavingAWorkingStream) {
  const auto stream = subscribe();
  EXPECT_THAT(stage.give(SetMasters{{"n1:5050"}}), IsEmpty());
  EXPECT_TRUE(stage.core().subscribed());
  stage.give(StreamClosed{stream.stream, "ended"});
  EXPECT_EQ(attempt().server, "n1:5050");
}

TEST(LocationOfARedirect, GivesHostAndPort) {
  EXPECT_EQ(server_of_location("//127.0.0.1:5050/master/api/v1/scheduler"), "127.0.0.1:5050");
  EXPECT_EQ(server_of_location("http://m:1"), "m:1");
  EXPECT_EQ(server_of_location("/master"), std::nullopt);
  EXPECT_EQ(server_of_location(""), std::nullopt);
}

}  // namespace
}  // namespace banyan::sdk
