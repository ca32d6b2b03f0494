// The classic scheduler driver at a fake master: what it says by itself.
#include <gmock/gmock.h>

#include <algorithm>
#include <thread>

#include "runtime/sdk/scheduler.h"
#include "tests/contract/sdk/fake_agent.h"

namespace banyan::sdk {
namespace {

using namespace mesos::v1;
using scheduler::Call;
using scheduler::Event;
using testing::ElementsAre;

/// Answers SUBSCRIBE, keeps every other call.
struct FakeMaster {
  FakeMaster(Loop& the_loop, Patience& the_patience, std::string address = "127.0.0.1:0")
      : loop(the_loop), patience(the_patience), at(std::move(address)) {
    listen();
    if (server->port() != 0) at = "127.0.0.1:" + std::to_string(server->port());
  }
  void listen() {
    auto listening =
        http::Server::listen(loop, {at}, [this](const http::Request& request, std::shared_ptr<http::Responder> r) {
          Call call;
          BANYAN_CHECK(call.ParseFromString(request.body));
          take(call, request, *r);
          patience.something_happened();
        });
    BANYAN_CHECK(listening.has_value());
    server = std::move(*listening);
  }
  void take(const Call& call, const http::Request& request, http::Responder& responder) {
    if (call.type() == Call::SUBSCRIBE) {
      if (!redirect_to.empty())
        return responder.reply({307, {{"location", "//" + redirect_to + "/master/api/v1/scheduler"}}, {}});
      stream = responder.stream({{"content-type", "application/x-protobuf"}, {"mesos-stream-id", "the-stream"}});
      ++subscribes;
      Event event;
      event.set_type(Event::SUBSCRIBED);
      event.mutable_subscribed()->mutable_framework_id()->set_value("f-1");
      return send(event);
    }
    EXPECT_EQ(http::header(request.headers, "mesos-stream-id"), "the-stream");
    responder.reply({202, {}, {}});
    calls.push_back(call);
    if (call.type() == Call::TEARDOWN) stream.reset();
  }
  void send(const Event& event) { stream->send_record(event.SerializeAsString()); }
  void offer(std::initializer_list<const char*> ids) {
    Event event;
    event.set_type(Event::OFFERS);
    for (const auto* id : ids) {
      auto* offer = event.mutable_offers()->add_offers();
      offer->mutable_id()->set_value(id);
      offer->mutable_framework_id()->set_value("f-1");
      offer->mutable_agent_id()->set_value("agent");
      offer->set_hostname("h");
    }
    send(event);
  }
  void update(const std::string& task, const std::string& uuid) {
    Event event;
    event.set_type(Event::UPDATE);
    auto* status = event.mutable_update()->mutable_status();
    status->mutable_task_id()->set_value(task);
    status->mutable_agent_id()->set_value("agent");
    status->set_state(TASK_RUNNING);
    if (!uuid.empty()) status->set_uuid(uuid);
    send(event);
  }
  [[nodiscard]] std::vector<Call> of(Call::Type type) const {
    std::vector<Call> found;
    std::copy_if(calls.begin(), calls.end(), std::back_inserter(found),
                 [&](const Call& call) { return call.type() == type; });
    return found;
  }

  Loop& loop;
  Patience& patience;
  std::string at;
  std::string redirect_to;
  std::unique_ptr<http::Server> server;
  std::shared_ptr<http::EventStream> stream;
  int subscribes = 0;
  std::vector<Call> calls;
};

/// Uses offers as their ids say: "use-…", "decline-…", "hold-…"; leaves the others lying.
struct ByName : Scheduler {
  explicit ByName(std::function<void()> subscribed) : subscribed_(std::move(subscribed)) {}
  void registered(SchedulerDriver&, const FrameworkID&, const MasterInfo&) override { subscribed_(); }
  void reregistered(SchedulerDriver&, const MasterInfo&) override { subscribed_(); }
  void resource_offers(SchedulerDriver& driver, const std::vector<Offer>& offers) override {
    for (const auto& offer : offers) {
      const auto& id = offer.id().value();
      if (id.starts_with("use")) driver.launch_tasks({offer.id()}, {});
      if (id.starts_with("decline")) driver.decline_offer(offer.id());
      if (id.starts_with("hold")) driver.hold_offer(offer.id());
    }
  }
  void status_update(SchedulerDriver&, const TaskStatus&) override {}

 private:
  std::function<void()> subscribed_;
};

struct ASchedulerDriver : testing::Test {
  ASchedulerDriver() : patience(loop), master(loop, patience) {}
  /// Returns when the scheduler has been told of its subscription: from then on calls are taken.
  void start(SchedulerDriver& driver) {
    driver.start();
    ASSERT_TRUE(patience.until([&] { return subscriptions == 1; }));
  }
  SchedulerDriver::Options options() const {
    SchedulerDriver::Options options;
    options.masters = {master.at};
    options.framework.set_user("u");
    options.framework.set_name("n");
    return options;
  }
  bool until(Call::Type type, std::size_t count = 1) {
    return patience.until([this, type, count] { return master.of(type).size() >= count; });
  }
  static std::vector<std::string> declined(const std::vector<Call>& calls) {
    std::vector<std::string> ids;
    for (const auto& call : calls)
      for (const auto& id : call.decline().offer_ids()) ids.push_back(id.value());
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  Loop loop;
  Patience patience;
  FakeMaster master;
  int subscriptions = 0;  // touched on the loop's thread only
  ByName scheduler{[this] {
    loop.post([this] {
      ++subscriptions;
      patience.something_happened();
    });
  }};
};

TEST_F(ASchedulerDriver, DeclinesWhatItsSchedulerLeftLying) {
  SchedulerDriver driver(scheduler, options());
  start(driver);
  master.offer({"use-1", "left-1", "decline-1", "hold-1", "left-2"});
  ASSERT_TRUE(until(Call::DECLINE, 2));
  EXPECT_THAT(declined(master.of(Call::DECLINE)), ElementsAre("decline-1", "left-1", "left-2"));
  EXPECT_EQ(master.of(Call::ACCEPT).size(), 1u);
}

TEST_F(ASchedulerDriver, DeclinesNothingByItselfWhenToldSo) {
  auto own = options();
  own.auto_decline = false;
  SchedulerDriver driver(scheduler, own);
  start(driver);
  master.offer({"left-1", "decline-1"});
  driver.revive_offers();
  ASSERT_TRUE(until(Call::REVIVE));
  ASSERT_TRUE(until(Call::DECLINE));
  EXPECT_THAT(declined(master.of(Call::DECLINE)), ElementsAre("decline-1"));
}

TEST_F(ASchedulerDriver, SuppressesOffersWhenNothingIsWantedAlsoAtTheNextMaster) {
  SchedulerDriver driver(scheduler, options());
  start(driver);
  driver.want(false);
  driver.want(false);
  ASSERT_TRUE(until(Call::SUPPRESS));
  master.stream.reset();
  ASSERT_TRUE(until(Call::SUPPRESS, 2));
  EXPECT_EQ(master.subscribes, 2);
  driver.want(true);
  ASSERT_TRUE(until(Call::REVIVE));
  EXPECT_EQ(master.of(Call::SUPPRESS).size(), 2u);
}

TEST_F(ASchedulerDriver, AcknowledgesWhatCarriesAUuidAndNothingElse) {
  SchedulerDriver driver(scheduler, options());
  start(driver);
  master.update("of the master", "");
  master.update("of an agent", std::string(16, 'u'));
  ASSERT_TRUE(until(Call::ACKNOWLEDGE));
  ASSERT_EQ(master.of(Call::ACKNOWLEDGE).size(), 1u);
  EXPECT_EQ(master.of(Call::ACKNOWLEDGE)[0].acknowledge().task_id().value(), "of an agent");
  EXPECT_EQ(master.of(Call::ACKNOWLEDGE)[0].framework_id().value(), "f-1");
}

TEST_F(ASchedulerDriver, FollowsAStandbyToTheLeader) {
  FakeMaster standby(loop, patience);
  standby.redirect_to = master.at;
  auto own = options();
  own.masters = {standby.at};
  SchedulerDriver driver(scheduler, own);
  start(driver);
  driver.revive_offers();
  EXPECT_TRUE(until(Call::REVIVE));
  EXPECT_TRUE(standby.calls.empty());
}

TEST_F(ASchedulerDriver, TalksToAMasterOnAUnixSocket) {
  const Folder folder;
  FakeMaster local(loop, patience, "unix:" + (folder.path / "master.sock").string());
  auto own = options();
  own.masters = {local.at};
  SchedulerDriver driver(scheduler, own);
  start(driver);
  driver.revive_offers();
  EXPECT_TRUE(patience.until([&] { return local.of(Call::REVIVE).size() == 1; }));
}

TEST_F(ASchedulerDriver, TearsItsFrameworkDownWhenStopped) {
  SchedulerDriver driver(scheduler, options());
  start(driver);
  driver.stop();
  ASSERT_TRUE(until(Call::TEARDOWN));
  EXPECT_EQ(driver.framework_id().value(), "f-1");
  std::thread waiter([&] {
    EXPECT_EQ(driver.join(), DriverStatus::stopped);
    loop.stop();
  });
  loop.run();
  waiter.join();
}

TEST_F(ASchedulerDriver, LeavesItsFrameworkAloneWhenStoppedForFailover) {
  SchedulerDriver driver(scheduler, options());
  start(driver);
  driver.stop(true);
  EXPECT_EQ(driver.join(), DriverStatus::stopped);
  EXPECT_TRUE(master.of(Call::TEARDOWN).empty());
}

// What ThreadSanitizer looks at: the public calls of any thread, while events arrive on the driver's own.
TEST_F(ASchedulerDriver, TakesCallsOfSeveralThreadsWhileEventsArrive) {
  constexpr std::size_t threads = 4, rounds = 25;
  SchedulerDriver driver(scheduler, options());
  start(driver);
  std::vector<std::thread> callers;
  for (std::size_t n = 0; n < threads; ++n)
    callers.emplace_back([&driver, n] {
      for (std::size_t i = 0; i < rounds; ++i) {
        TaskID task;
        task.set_value(std::to_string(n) + "." + std::to_string(i));
        driver.kill_task(task);
        driver.want(i % 2 == 0);
        driver.reconcile_tasks({});
        EXPECT_EQ(driver.status(), DriverStatus::running);
        EXPECT_EQ(driver.framework_id().value(), "f-1");
      }
    });
  for (std::size_t i = 0; i < rounds; ++i) {
    master.update("t" + std::to_string(i), std::string(16, 'u'));
    master.offer({"left", "decline", "hold", "use"});
  }
  EXPECT_TRUE(until(Call::KILL, threads * rounds));
  EXPECT_TRUE(until(Call::ACKNOWLEDGE, rounds));
  for (auto& caller : callers) caller.join();
}

TEST_F(ASchedulerDriver, DoesNothingBeforeItIsStartedOrAfterItHasEnded) {
  SchedulerDriver driver(scheduler, options());
  EXPECT_EQ(driver.revive_offers(), DriverStatus::not_started);
  EXPECT_EQ(driver.join(), DriverStatus::not_started);
  start(driver);
  EXPECT_EQ(driver.abort(), DriverStatus::aborted);
  EXPECT_EQ(driver.join(), DriverStatus::aborted);
  EXPECT_EQ(driver.revive_offers(), DriverStatus::aborted);
  EXPECT_EQ(driver.start(), DriverStatus::aborted);
}

}  // namespace
}  // namespace banyan::sdk
