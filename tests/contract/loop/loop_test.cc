// The loop on the real clock and real descriptors.
#include "runtime/adapters/loop/loop.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <thread>

#include "runtime/adapters/loop/acceptor.h"
#include "runtime/adapters/loop/alarm.h"
#include "runtime/adapters/loop/socket.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0); }
  ~Pipe() {
    for (const int fd : ends) ::close(fd);
  }
  void write() { EXPECT_EQ(::write(ends[1], "x", 1), 1); }
  [[nodiscard]] int reader() const { return ends[0]; }
  std::array<int, 2> ends{};
};

class ALoop : public testing::Test {
 protected:
  auto say(std::string word) {
    return [this, word = std::move(word)] { said.push_back(word); };
  }
  Loop loop;
  std::vector<std::string> said;
};

TEST_F(ALoop, KeepsTheOrderOfPostedTasks) {
  for (const char* word : {"a", "b", "c"}) loop.post(say(word));
  loop.post([this] { loop.stop(); });
  loop.run();
  EXPECT_THAT(said, ElementsAre("a", "b", "c"));
}

TEST_F(ALoop, RingsAnAlarmOnceAtTheMomentLastSet) {
  Alarm alarm(loop, say("ring"));
  const auto now = mono_now();
  alarm.set(now + 1ms);
  alarm.set(now + 4ms);
  loop.at(now + 2ms, say("too early"));
  loop.at(now + 8ms, [this] { loop.stop(); });
  loop.run();
  EXPECT_THAT(said, ElementsAre("too early", "ring"));
}

TEST_F(ALoop, RingsAnAlarmThatIsDueAfterAllElseOfTheTurn) {
  Alarm alarm(loop, say("ring"));
  loop.post([&] { alarm.set(mono_now()); });
  loop.post(say("the turn's next"));
  loop.post([&] { loop.at(mono_now() + 2ms, [this] { loop.stop(); }); });
  loop.run();
  EXPECT_THAT(said, ElementsAre("the turn's next", "ring"));
}

TEST_F(ALoop, RingsNoAlarmThatWasTakenBackOrDestroyed) {
  Alarm taken_back(loop, say("taken back"));
  Alarm put_off(loop, say("put off"));
  auto destroyed = std::make_unique<Alarm>(loop, say("destroyed"));
  auto due = std::make_unique<Alarm>(loop, say("due and destroyed"));
  loop.post([&] {
    const auto now = mono_now();
    taken_back.set(now + 1ms);
    taken_back.set(std::nullopt);
    put_off.set(now);
    put_off.set(now + 1h);
    destroyed->set(now + 1ms);
    destroyed.reset();
    due->set(now);
    due.reset();
    loop.at(now + 4ms, [this] { loop.stop(); });
  });
  loop.run();
  EXPECT_THAT(said, ElementsAre());
}

TEST_F(ALoop, LetsAnAlarmBeSetFromWithinItsRing) {
  int rung = 0;
  Alarm alarm(loop, [&] {
    if (++rung == 3) return loop.stop();
    alarm.set(mono_now() + (rung == 1 ? 1ms : 0ms));
  });
  alarm.after(1ms);
  loop.run();
  EXPECT_EQ(rung, 3);
}

TEST_F(ALoop, RunsTimersInOrderOfTheirInstantAndNotThoseCancelled) {
  const auto now = mono_now();
  loop.at(now + 3ms, [this] { loop.stop(); });
  loop.at(now + 2ms, say("second"));
  loop.at(now + 1ms, say("first"));
  loop.cancel(loop.at(now + 1ms, say("never")));
  loop.run();
  EXPECT_THAT(said, ElementsAre("first", "second"));
  EXPECT_GE(mono_now(), now + 3ms);
}

TEST_F(ALoop, RunsATimerOfThePast) {
  loop.at(Instant(), [this] { loop.stop(); });
  loop.run();
}

TEST_F(ALoop, LetsATimerCancelOneThatIsDueWithIt) {
  Loop::TimerId second = 0;
  const auto due = mono_now();
  loop.at(due, [&] { loop.cancel(second); });
  second = loop.at(due, say("never"));
  loop.after(2ms, [this] { loop.stop(); });
  loop.run();
  EXPECT_TRUE(said.empty());
}

TEST_F(ALoop, IsNotStarvedByATimerThatSetsItselfAgainAtOnce) {
  std::function<void()> again = [&] { loop.after(0ns, again); };
  again();
  loop.after(5ms, [this] { loop.stop(); });
  loop.run();
}

TEST_F(ALoop, RunsTasksAtTheEndOfATurnOnceAKey) {
  int key = 0, other = 0;
  loop.post([&] {
    loop.at_end_of_turn(&key, say("end"));
    loop.at_end_of_turn(&key, say("not twice"));
    loop.at_end_of_turn(&other, say("other end"));
    said.push_back("task");
  });
  loop.post(say("task of the same turn"));
  loop.after(1ms, [this] { loop.stop(); });
  loop.run();
  EXPECT_THAT(said, ElementsAre("task", "task of the same turn", "end", "other end"));
}

TEST_F(ALoop, RunsWhatIsAskedAtTheEndOfATurnWithoutWaitingForAnEvent) {
  int key = 0;
  loop.at_end_of_turn(&key, [&] { loop.at_end_of_turn(&key, [&] { loop.stop(); }); });
  loop.run();
}

TEST_F(ALoop, IsWokenByAPostFromAnotherThread) {
  std::thread other([this] { loop.post([this] { loop.stop(); }); });
  loop.run();
  other.join();
}

TEST_F(ALoop, MayBeStoppedFromAnotherThreadAndRunAgain) {
  std::thread other([this] { loop.stop(); });
  loop.run();
  other.join();
  loop.post([this] { loop.stop(); });
  loop.run();
}

TEST_F(ALoop, TellsOnceThatADescriptorIsReadableAndLeavesItOpen) {
  Pipe pipe;
  loop.when_readable(pipe.reader(), [this] {
    said.push_back("ready");
    loop.stop();
  });
  pipe.write();
  loop.run();
  pipe.write();
  loop.after(2ms, [this] { loop.stop(); });
  loop.run();
  EXPECT_THAT(said, ElementsAre("ready"));
  char bytes[2];
  EXPECT_EQ(::read(pipe.reader(), bytes, 2), 2);
}

TEST_F(ALoop, WatchesADescriptorAgainFromWithinItsCallback) {
  Pipe pipe;
  int times = 0;
  std::function<void()> watch = [&] {
    loop.when_readable(pipe.reader(), [&] {
      if (++times == 3) return loop.stop();
      watch();
    });
  };
  watch();
  pipe.write();
  loop.run();
  EXPECT_EQ(times, 3);
}

TEST_F(ALoop, ForgetsADescriptorEvenWhenItIsReadyAlready) {
  Pipe pipe, next;
  loop.when_readable(pipe.reader(), say("forgotten"));
  pipe.write();
  loop.post([&] {
    loop.forget(pipe.reader());
    loop.when_readable(pipe.reader(), say("watched anew"));
  });
  loop.after(2ms, [this] { loop.stop(); });
  loop.run();
  EXPECT_LE(said.size(), 2u);
  EXPECT_EQ(said.back(), "watched anew");
  loop.forget(pipe.reader());
  loop.forget(pipe.reader());
}

TEST_F(ALoop, HearsSignals) {
  loop.on_signals({SIGUSR1, SIGUSR2}, [this](int signal) {
    said.push_back(signal == SIGUSR1 ? "usr1" : "usr2");
    if (said.size() == 2) loop.stop();
  });
  loop.post([] { ::raise(SIGUSR1); });
  loop.after(1ms, [] { ::raise(SIGUSR2); });
  loop.run();
  EXPECT_THAT(said, ElementsAre("usr1", "usr2"));
}

/// The descriptors that a program started now would have.
std::vector<int> inherited() {
  std::vector<int> found;
  for (int fd = 0; fd < 256; ++fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) found.push_back(fd);
  }
  return found;
}
const std::vector<int> inherited_at_start = inherited();

TEST_F(ALoop, OpensNothingThatAChildWouldInherit) {
  loop.on_signals({SIGUSR1}, [](int) {});
  std::vector<int> accepted;
  Acceptor acceptor(loop, *listen_on("127.0.0.1:0"), [&](int fd) {
    accepted.push_back(fd);
    loop.stop();
  });
  const int peer = *connect_to(resolve("127.0.0.1:" + std::to_string(acceptor.port()))->front());
  loop.run();
  EXPECT_EQ(inherited(), inherited_at_start);
  ::close(peer);
  ::close(accepted.at(0));
}

TEST(AnAddress, IsHostAndPortOrAUnixPath) {
  EXPECT_EQ(resolve("127.0.0.1:5050")->size(), 1u);
  EXPECT_EQ(resolve("[::1]:5050")->front().family, AF_INET6);
  EXPECT_EQ(resolve("unix:/run/x")->front().family, AF_UNIX);
  EXPECT_THAT(resolve("5050").error().message, HasSubstr("is not HOST:PORT or unix:PATH"));
  EXPECT_THAT(resolve("unix:/" + std::string(200, 'x')).error().message, HasSubstr("1 to 107 bytes"));
}

}  // namespace
}  // namespace banyan
