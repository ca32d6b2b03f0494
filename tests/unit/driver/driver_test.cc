// Durable before visible: what the driver promises every core, shown with a core that does as it is told.
#include "runtime/driver/driver.h"

#include <gmock/gmock.h>

#include <deque>
#include <string>

#include "runtime/ports/fake_store.h"

namespace banyan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Say {
  std::string word;
};

/// Its inputs are what it shall decide.
struct Puppet {
  using Effect = std::variant<Persist, Say>;
  using Input = std::vector<Effect>;
  std::vector<Effect> step(Now, const Input& input) { return input; }
  [[nodiscard]] std::optional<Instant> next_deadline() const { return deadline; }
  std::optional<Instant> deadline = Instant(Duration(7));
};

Persist write(const std::string& key) { return {{{key, "1"}}}; }

/// The simulator's world in miniature: time stands still, the disk syncs when told.
class World {
 public:
  Now now() { return {}; }
  void perform(Puppet::Effect effect) {
    said.push_back(std::get<Say>(effect).word);
    if (on_said) on_said(said.back());
  }
  void commit(Changes changes, Store::Done done) { store->commit(std::move(changes), std::move(done)); }
  void wake_at(std::optional<Instant> when) { wake = when; }
  void fatal(const Error& why) { fatal_words.push_back(why.message); }

  void sync() {
    for (auto tasks = std::exchange(later, {}); const auto& task : tasks) task();
  }

  FakeDisk disk;
  std::vector<std::function<void()>> later;
  std::unique_ptr<Store> store =
      std::move(*FakeStore::open(disk, [this](auto task) { later.push_back(std::move(task)); }));
  std::vector<std::string> said;
  std::vector<std::string> fatal_words;
  std::function<void(const std::string&)> on_said;
  std::optional<Instant> wake;
};

class ADriver : public testing::Test {
 protected:
  World world;
  Driver<Puppet, World> driver{Puppet(), world};
};

TEST_F(ADriver, PerformsAtOnceWhatWaitsForNoWrite) {
  driver.deliver({Say{"a"}, Say{"b"}});
  EXPECT_THAT(world.said, ElementsAre("a", "b"));
}

TEST_F(ADriver, HoldsBackWhatFollowsAWriteUntilItIsDurable) {
  driver.deliver({Say{"before"}, write("k"), Say{"after"}});
  EXPECT_THAT(world.said, ElementsAre("before"));
  world.sync();
  EXPECT_THAT(world.said, ElementsAre("before", "after"));
  EXPECT_EQ(world.disk.durable.count("k"), 1u);
}

TEST_F(ADriver, KeepsTheOrderOfEffectsAcrossInputs) {
  driver.deliver({write("k"), Say{"first"}});
  driver.deliver({Say{"second"}});
  EXPECT_THAT(world.said, IsEmpty()) << "what was decided later may rest on what is not durable yet";
  world.sync();
  EXPECT_THAT(world.said, ElementsAre("first", "second"));
}

TEST_F(ADriver, DoesNotHoldOneWriteBackForAnother) {
  driver.deliver({write("a"), Say{"a"}});
  driver.deliver({write("b"), Say{"b"}});
  world.sync();
  EXPECT_EQ(world.disk.syncs, 1u) << "both went into one sync";
  EXPECT_THAT(world.said, ElementsAre("a", "b"));
}

TEST_F(ADriver, SaysNothingThatACrashBeforeTheSyncWouldBelie) {
  driver.deliver({write("k"), Say{"done"}});
  world.store.reset();
  world.sync();
  EXPECT_THAT(world.said, IsEmpty());
  EXPECT_THAT(world.disk.durable, IsEmpty());
}

TEST_F(ADriver, StopsTheWorldWhenAWriteFailsAndSaysNothingThatRestedOnIt) {
  world.disk.broken = Error{"the disk is full"};
  driver.deliver({write("k"), Say{"done"}});
  world.sync();
  EXPECT_THAT(world.fatal_words, ElementsAre("the disk is full"));
  EXPECT_THAT(world.said, IsEmpty());
}

TEST_F(ADriver, PerformsWhatAReentrantInputDecidesAfterWhatWasDecidedBefore) {
  world.on_said = [this](const std::string& word) {
    if (word == "a") driver.deliver({Say{"caused by a"}});
  };
  driver.deliver({Say{"a"}, Say{"b"}});
  EXPECT_THAT(world.said, ElementsAre("a", "b", "caused by a"));
}

TEST_F(ADriver, AsksToBeWokenAtTheCoresNextDeadline) {
  driver.deliver({});
  EXPECT_EQ(world.wake, Instant(Duration(7)));
}

}  // namespace
}  // namespace banyan
