// What every Store promises, asked of the fake and of SQLite alike; then what only a file can get wrong.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <fstream>

#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/sqlite/sqlite_store.h"
#include "runtime/ports/fake_store.h"
#include "tests/contract/sqlite/folder.h"

namespace banyan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

/// One kind of store, on one loop, which can be opened again and again.
class World {
 public:
  virtual ~World() = default;
  virtual Result<std::unique_ptr<Store>> open() = 0;
  Loop loop;
};
class FakeWorld final : public World {
 public:
  Result<std::unique_ptr<Store>> open() override {
    auto store = FakeStore::open(disk_, [this](auto task) { loop.post(std::move(task)); });
    if (!store) return error(store.error().message);
    return std::unique_ptr<Store>(std::move(*store));
  }

 private:
  FakeDisk disk_;
};
class SqliteWorld final : public World {
 public:
  Result<std::unique_ptr<Store>> open() override { return open_sqlite_store(loop, folder_.path(), "store"); }

 private:
  Folder folder_;
};

struct Kind {
  const char* name;
  std::function<std::unique_ptr<World>()> make;
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class AStore : public testing::TestWithParam<Kind> {
 protected:
  void open() {
    store.reset();
    auto opened = world->open();
    ASSERT_TRUE(opened) << opened.error().message;
    store = std::move(*opened);
  }
  void commit_and_wait(Changes changes) {
    Result<void> outcome = error("no answer");
    store->commit(std::move(changes), [&](const Result<void>& done) {
      outcome = done;
      world->loop.stop();
    });
    world->loop.run();
    ASSERT_TRUE(outcome) << outcome.error().message;
  }

  std::unique_ptr<World> world = GetParam().make();
  std::unique_ptr<Store> store;
};

TEST_P(AStore, IsEmptyAtFirst) {
  open();
  EXPECT_THAT(*store->load(), IsEmpty());
}

TEST_P(AStore, HasAfterReopeningWhatWasReportedDurable) {
  open();
  commit_and_wait({{"a", "1"}, {"b", std::string("\0\xff", 2)}, {"empty", ""}});
  commit_and_wait({{"a", "2"}, {"gone", "x"}});
  commit_and_wait({{"gone", std::nullopt}, {"never", std::nullopt}});
  open();
  EXPECT_THAT(*store->load(), ElementsAre(Pair("a", "2"), Pair("b", std::string("\0\xff", 2)), Pair("empty", "")));
}

TEST_P(AStore, AppliesTheChangesOfACommitInOrder) {
  open();
  commit_and_wait({{"a", "1"}, {"a", std::nullopt}, {"a", "3"}});
  EXPECT_THAT(*store->load(), ElementsAre(Pair("a", "3")));
}

TEST_P(AStore, ReportsCommitsInCallOrderAndNeverFromWithinTheCall) {
  open();
  std::vector<int> reported;
  for (int i = 0; i < 100; ++i)
    store->commit({{"k", std::to_string(i)}}, [&reported, i, this](const Result<void>& done) {
      EXPECT_TRUE(done);
      reported.push_back(i);
      if (i == 99) world->loop.stop();
    });
  EXPECT_THAT(reported, IsEmpty());
  world->loop.run();
  ASSERT_EQ(reported.size(), 100u);
  EXPECT_TRUE(std::is_sorted(reported.begin(), reported.end()));
  EXPECT_THAT(*store->load(), ElementsAre(Pair("k", "99")));
}

TEST_P(AStore, TakesACommitFromWithinAReport) {
  open();
  store->commit({{"a", "1"}}, [this](const Result<void>&) {
    store->commit({{"a", "2"}}, [this](const Result<void>&) { world->loop.stop(); });
  });
  world->loop.run();
  EXPECT_THAT(*store->load(), ElementsAre(Pair("a", "2")));
}

TEST_P(AStore, ReportsNothingAfterItIsGone) {
  open();
  bool reported = false;
  store->commit({{"a", "1"}}, [&](const Result<void>&) { reported = true; });
  store.reset();
  world->loop.post([this] { world->loop.stop(); });
  world->loop.run();
  EXPECT_FALSE(reported);
}

TEST_P(AStore, HasOneOwnerAtATime) {
  open();
  EXPECT_FALSE(world->open());
  open();  // the first is closed before
}

INSTANTIATE_TEST_SUITE_P(Every, AStore,
                         testing::Values(Kind{"Fake", [] { return std::make_unique<FakeWorld>(); }},
                                         Kind{"Sqlite", [] { return std::make_unique<SqliteWorld>(); }}),
                         [](const auto& kind) { return kind.param.name; });

TEST(AFakeStore, LosesInACrashWhatWasNotSynced) {
  FakeDisk disk;
  std::vector<std::function<void()>> later;
  const auto open = [&] { return *FakeStore::open(disk, [&](auto task) { later.push_back(std::move(task)); }); };
  auto store = open();
  store->commit({{"synced", "1"}}, nullptr);
  later.at(0)();
  store->commit({{"unsynced", "1"}}, nullptr);
  store.reset();
  later.at(1)();
  EXPECT_THAT(*open()->load(), ElementsAre(Pair("synced", "1")));
}

class ASqliteFile : public testing::Test {
 protected:
  std::string file() const { return folder.path() + "/store.db"; }
  std::string refusal() {
    const auto opened = open_sqlite_store(loop, folder.path(), "store");
    return opened ? "opened" : opened.error().message;
  }
  void fill(int count) {
    const auto store = *open_sqlite_store(loop, folder.path(), "store");
    for (int i = 0; i < count; ++i) store->commit({{"key " + std::to_string(i), std::string(500, 'x')}}, nullptr);
  }
  void execute(const char* sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
  }

  Folder folder;
  Loop loop;
};

TEST_F(ASqliteFile, ThatIsNoDatabaseIsRefusedAndKept) {
  const std::string text = "certainly not a database, but long enough to look at";
  std::ofstream(file()) << text;
  EXPECT_THAT(refusal(), HasSubstr(file()));
  EXPECT_EQ(std::filesystem::file_size(file()), text.size());
}

TEST_F(ASqliteFile, ThatIsDamagedIsRefusedWithItsPath) {
  fill(200);
  std::fstream(file(), std::ios::in | std::ios::out).seekp(4096 * 3) << std::string(8192, '\x55');
  EXPECT_THAT(refusal(), HasSubstr(file()));
}

TEST_F(ASqliteFile, OfAnotherProgramIsRefused) {
  execute("CREATE TABLE bookmarks(url)");
  EXPECT_THAT(refusal(), HasSubstr("another program"));
}

TEST_F(ASqliteFile, OfALaterFormatIsRefused) {
  fill(1);
  execute("PRAGMA user_version=2");
  EXPECT_THAT(refusal(), HasSubstr("format 2"));
}

TEST_F(ASqliteFile, KeepsWhatWasAskedBeforeAnOrderlyEnd) {
  fill(50);
  const auto store = *open_sqlite_store(loop, folder.path(), "store");
  EXPECT_EQ(store->load()->size(), 50u);
}

}  // namespace
}  // namespace banyan
