#include "runtime/adapters/sqlite/sqlite_store.h"

#include <sqlite3.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>

#include "runtime/adapters/loop/loop.h"

namespace banyan {
namespace {

constexpr int application = 0x42616e79;  // "Bany": in the file's header, so that nobody else's database is taken
constexpr int schema = 1;
constexpr int busy_ms = 500;  // a predecessor that was just killed may still be letting go

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct CloseStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, CloseStatement>;

/// One open database. THREADS: one at a time.
class Database {
 public:
  static Result<Database> open(const std::string& path) {
    sqlite3* raw = nullptr;
    const int code =
        sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    Database database(path, raw);
    if (code != SQLITE_OK) return error(database.failure("cannot be opened").message);
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_busy_timeout(raw, busy_ms);
    if (auto ready = database.prepare(); !ready) return error(ready.error().message);
    return database;
  }

  Result<std::map<std::string, std::string>> load() {
    std::map<std::string, std::string> all;
    auto rows = statement("SELECT key, value FROM state");
    if (!rows) return error(rows.error().message);
    int code = 0;
    while ((code = sqlite3_step(rows->get())) == SQLITE_ROW) all.emplace(column(*rows, 0), column(*rows, 1));
    if (code != SQLITE_DONE) return error(failure("cannot be read").message);
    return all;
  }

  Result<void> execute(const char* sql) {
    if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    return tl::unexpected(failure("refused '" + std::string(sql) + "'"));
  }

  Result<void> apply(const Changes& changes) {
    for (const auto& change : changes) {
      sqlite3_stmt* row = change.value ? put_.get() : remove_.get();
      bind(row, 1, change.key, false);
      if (change.value) bind(row, 2, *change.value, true);
      const int code = sqlite3_step(row);
      sqlite3_reset(row);
      if (code != SQLITE_DONE) return tl::unexpected(failure("cannot be written"));
    }
    return {};
  }

 private:
  Database(std::string path, sqlite3* handle) : path_(std::move(path)), handle_(handle) {}

  Error failure(const std::string& what) const {
    return Error{path_ + " " + what + ": " + (handle_ ? sqlite3_errmsg(handle_.get()) : "out of memory")};
  }

  Result<Statement> statement(const char* sql) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(handle_.get(), sql, -1, &raw, nullptr) != SQLITE_OK)
      return tl::unexpected(failure("refused '" + std::string(sql) + "'"));
    return Statement(raw);
  }

  Result<std::string> one(const char* sql) {
    auto rows = statement(sql);
    if (!rows) return tl::unexpected(rows.error());
    if (sqlite3_step(rows->get()) != SQLITE_ROW) return tl::unexpected(failure("cannot be read"));
    return column(*rows, 0);
  }

  static std::string column(const Statement& row, int number) {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row.get(), number));
    return bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(row.get(), number))) : "";
  }

  static void bind(sqlite3_stmt* row, int number, const std::string& bytes, bool blob) {
    const auto size = static_cast<sqlite3_uint64>(bytes.size());
    if (blob) sqlite3_bind_blob64(row, number, bytes.data(), size, SQLITE_STATIC);
    else sqlite3_bind_text64(row, number, bytes.data(), size, SQLITE_STATIC, SQLITE_UTF8);
  }

  /// The exclusive lock comes first: with it, the other checks see what no one else is changing.
  Result<void> prepare() {
    for (const char* sql : {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
                            "BEGIN EXCLUSIVE", "COMMIT"})
      if (auto done = execute(sql); !done) return done;
    const auto check = one("PRAGMA quick_check(1)");
    if (!check) return tl::unexpected(check.error());
    if (*check != "ok") return error(path_ + " is damaged: " + *check + ". Put back a copy, or move it away.");
    if (auto known = claim(); !known) return known;
    auto put = statement("INSERT INTO state(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2");
    auto remove = statement("DELETE FROM state WHERE key = ?1");
    if (!put || !remove) return tl::unexpected(failure("is not a store"));
    put_ = std::move(*put);
    remove_ = std::move(*remove);
    return {};
  }

  /// Makes a new file ours; refuses one that is not, or that a later version wrote.
  Result<void> claim() {
    const auto owner = one("PRAGMA application_id");
    const auto version = one("PRAGMA user_version");
    const auto tables = one("SELECT count(*) FROM sqlite_schema");
    if (!owner || !version || !tables) return tl::unexpected(failure("cannot be read"));
    if (*tables == "0")
      return execute(("BEGIN; CREATE TABLE state(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
                      "PRAGMA application_id=" +
                      std::to_string(application) + "; PRAGMA user_version=" + std::to_string(schema) + "; COMMIT")
                         .c_str());
    if (*owner != std::to_string(application)) return error(path_ + " is a database of another program");
    if (*version != std::to_string(schema))
      return error(path_ + " has format " + *version + "; this version reads format " + std::to_string(schema));
    return {};
  }

  std::string path_;
  std::unique_ptr<sqlite3, CloseDatabase> handle_;
  Statement put_;  // after handle_: statements go first
  Statement remove_;
};

/// Commits on a worker thread. What is asked while one transaction syncs goes together into the next.
class SqliteStore final : public Store {
 public:
  SqliteStore(Loop& loop, Database database)
      : loop_(loop), database_(std::move(database)), worker_([this] { work(); }) {}

  /// Writes what was asked, then stops. What was not reported stays unreported.
  ~SqliteStore() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    asked_.notify_one();
    worker_.join();
  }

  Result<std::map<std::string, std::string>> load() override {
    const std::lock_guard lock(database_mutex_);
    return database_.load();
  }

  void commit(Changes changes, Done done) override {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back({std::move(changes), std::move(done)});
    }
    asked_.notify_one();
  }

 private:
  struct Write {
    Changes changes;
    Done done;
  };
  using Writes = std::vector<Write>;

  void work() {
    for (;;) {
      Writes batch;
      {
        std::unique_lock lock(mutex_);
        asked_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        batch.swap(queue_);
      }
      auto outcome = failed_ ? Result<void>(tl::unexpected(*failed_)) : write(batch);
      if (!outcome && !failed_) failed_ = outcome.error();
      loop_.post([weak = std::weak_ptr(alive_), batch = std::make_shared<Writes>(std::move(batch)),
                  outcome = std::move(outcome)] {
        for (const auto& each : *batch)
          if (weak.lock() && each.done) each.done(outcome);
      });
    }
  }

  Result<void> write(const Writes& batch) {
    const std::lock_guard lock(database_mutex_);
    if (auto begun = database_.execute("BEGIN IMMEDIATE"); !begun) return begun;
    for (const auto& each : batch)
      if (auto applied = database_.apply(each.changes); !applied) return applied;
    return database_.execute("COMMIT");
  }

  Loop& loop_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>();  // used on the loop's thread only

  std::mutex database_mutex_;
  Database database_;            // guarded by database_mutex_
  std::optional<Error> failed_;  // the worker's own

  std::mutex mutex_;
  std::condition_variable asked_;
  Writes queue_;           // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_

  std::thread worker_;  // last: it uses all of the above
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(Loop& loop, const std::string& folder, const std::string& name) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return error(folder + " cannot be made: " + failed.message());
  auto database = Database::open(folder + "/" + name + ".db");
  if (!database) return error(database.error().message);
  return std::make_unique<SqliteStore>(loop, std::move(*database));
}

}  // namespace banyan
