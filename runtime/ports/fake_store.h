// FakeStore: the Store in memory, with a disk that forgets what was not synced. For tests and the simulator.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "runtime/ports/store.h"

namespace banyan {

/// What survives a crash. One store at a time may hold it, as with a real database file.
struct FakeDisk {
  std::map<std::string, std::string> durable;
  std::optional<Error> broken;  ///< set: the next write fails with it, and so do all later ones
  std::uint64_t syncs = 0;
  bool held = false;
};

/// Commits become durable when the world runs what `later` was given, in call order, several at once if several waited.
/// A crash is the destruction of the store: what was not synced by then is lost, and no `done` is called any more.
/// `later` must not run its task at once. LIFETIME: the disk outlives the store. THREADS: one.
class FakeStore final : public Store {
 public:
  using Later = std::function<void(std::function<void()>)>;

  static Result<std::unique_ptr<FakeStore>> open(FakeDisk& disk, Later later) {
    if (disk.held) return error("the store is held by another process");
    return std::unique_ptr<FakeStore>(new FakeStore(disk, std::move(later)));
  }
  ~FakeStore() override { disk_.held = false; }
  FakeStore(const FakeStore&) = delete;
  FakeStore& operator=(const FakeStore&) = delete;

  Result<std::map<std::string, std::string>> load() override { return disk_.durable; }

  void commit(Changes changes, Done done) override {
    waiting_.push_back({std::move(changes), std::move(done)});
    if (waiting_.size() > 1) return;  // a sync is on its way
    later_([weak = std::weak_ptr(alive_), this] {
      if (weak.lock()) sync();
    });
  }

 private:
  struct Write {
    Changes changes;
    Done done;
  };

  FakeStore(FakeDisk& disk, Later later) : disk_(disk), later_(std::move(later)) { disk_.held = true; }

  void sync() {
    const auto batch = std::exchange(waiting_, {});
    if (!disk_.broken) {
      ++disk_.syncs;
      for (const auto& write : batch)
        for (const auto& change : write.changes) apply(change);
    }
    const auto outcome = disk_.broken ? Result<void>(tl::unexpected(*disk_.broken)) : Result<void>();
    const std::weak_ptr weak = alive_;
    for (const auto& write : batch)
      if (weak.lock() && write.done) write.done(outcome);
  }

  void apply(const Change& change) {
    if (change.value) disk_.durable[change.key] = *change.value;
    else disk_.durable.erase(change.key);
  }

  FakeDisk& disk_;
  const Later later_;
  std::vector<Write> waiting_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace banyan
