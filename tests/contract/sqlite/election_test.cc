// What every Election promises, asked of the fake and of the file lock alike.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/sqlite/sqlite_store.h"
#include "runtime/ports/fake_election.h"
#include "tests/contract/sqlite/folder.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class World {
 public:
  virtual ~World() = default;
  virtual std::unique_ptr<Election> candidate() = 0;
  Loop loop;
};
class FakeWorld final : public World {
 public:
  std::unique_ptr<Election> candidate() override {
    return std::make_unique<FakeElection>(lock_, [this](auto task) { loop.post(std::move(task)); });
  }

 private:
  FakeLock lock_;
};
class FileWorld final : public World {
 public:
  std::unique_ptr<Election> candidate() override { return make_file_election(loop, folder_.path(), "leader"); }

 private:
  Folder folder_;
};

struct Kind {
  const char* name;
  std::function<std::unique_ptr<World>()> make;
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class AnElection : public testing::TestWithParam<Kind> {
 protected:
  void campaign(Election& candidate, const std::string& name) {
    candidate.campaign(
        [this, name] {
          elected.push_back(name);
          world->loop.stop();
        },
        [](const std::string& reason) { ADD_FAILURE() << reason; });
  }
  /// Runs everything that is due now.
  void settle() {
    for (int turns = 0; turns < 3; ++turns) {
      world->loop.post([this] { world->loop.stop(); });
      world->loop.run();
    }
  }

  std::unique_ptr<World> world = GetParam().make();
  std::unique_ptr<Election> first = world->candidate();
  std::unique_ptr<Election> second = world->candidate();
  std::vector<std::string> elected;
};

TEST_P(AnElection, ElectsALoneCandidateButNotFromWithinTheCall) {
  campaign(*first, "first");
  EXPECT_THAT(elected, IsEmpty());
  world->loop.run();
  EXPECT_THAT(elected, ElementsAre("first"));
}

TEST_P(AnElection, ElectsTheNextWhenTheHolderResigns) {
  campaign(*first, "first");
  world->loop.run();
  campaign(*second, "second");
  settle();
  EXPECT_THAT(elected, ElementsAre("first"));
  first->resign();
  world->loop.run();
  EXPECT_THAT(elected, ElementsAre("first", "second"));
}

TEST_P(AnElection, ElectsTheNextWhenTheHolderIsDestroyed) {
  campaign(*first, "first");
  world->loop.run();
  campaign(*second, "second");
  first.reset();
  world->loop.run();
  EXPECT_THAT(elected, ElementsAre("first", "second"));
}

TEST_P(AnElection, NeverElectsACandidateThatGaveUpWaiting) {
  campaign(*first, "first");
  world->loop.run();
  campaign(*second, "second");
  second.reset();
  auto third = world->candidate();
  campaign(*third, "third");
  first.reset();
  world->loop.run();
  EXPECT_THAT(elected, ElementsAre("first", "third"));
}

INSTANTIATE_TEST_SUITE_P(Every, AnElection,
                         testing::Values(Kind{"Fake", [] { return std::make_unique<FakeWorld>(); }},
                                         Kind{"File", [] { return std::make_unique<FileWorld>(); }}),
                         [](const auto& kind) { return kind.param.name; });

TEST(AFileElection, IsFreeOnceItsHolderIsDeadAlthoughAChildOfTheHolderLives) {
  Loop loop;
  const Folder folder;
  auto holder = make_file_election(loop, folder.path(), "leader");
  holder->campaign([&] { loop.stop(); }, nullptr);
  loop.run();
  // A child that inherits every descriptor that is not CLOEXEC, and lives on.
  pid_t child = 0;
  char* arguments[] = {const_cast<char*>("sleep"), const_cast<char*>("60"), nullptr};
  ASSERT_EQ(posix_spawnp(&child, "sleep", nullptr, nullptr, arguments, environ), 0);
  holder.reset();
  bool elected = false;
  auto next = make_file_election(loop, folder.path(), "leader");
  next->campaign(
      [&] {
        elected = true;
        loop.stop();
      },
      nullptr);
  loop.after(5s, [&] { loop.stop(); });
  loop.run();
  EXPECT_TRUE(elected);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(AFileElection, TellsWhyWhenTheLockCannotBeMade) {
  Loop loop;
  std::string reason;
  auto candidate = make_file_election(loop, "/proc/nowhere", "leader");
  candidate->campaign([] { FAIL(); },
                      [&](std::string why) {
                        reason = std::move(why);
                        loop.stop();
                      });
  loop.run();
  EXPECT_THAT(reason, testing::HasSubstr("/proc/nowhere/leader.lock cannot be locked"));
}

}  // namespace
}  // namespace banyan
