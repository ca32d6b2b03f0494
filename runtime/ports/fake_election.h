// FakeElection: a local lock in memory. For tests and the simulator.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "runtime/ports/election.h"

namespace banyan {

/// The lock that candidates share: its front holds it, the others wait in order.
struct FakeLock {
  struct Candidate {
    std::function<void()> elected;
  };
  std::deque<std::shared_ptr<Candidate>> queue;
};

/// Dying is the destruction of the election: the next candidate is elected. `later` must not run its task at once.
/// LIFETIME: the lock outlives the elections. THREADS: one.
class FakeElection final : public Election {
 public:
  using Later = std::function<void(std::function<void()>)>;

  FakeElection(FakeLock& lock, Later later) : lock_(lock), later_(std::move(later)) {}
  ~FakeElection() override { resign(); }
  FakeElection(const FakeElection&) = delete;
  FakeElection& operator=(const FakeElection&) = delete;

  void campaign(std::function<void()> elected, std::function<void(std::string)> /*lost: never*/) override {
    resign();
    mine_ = std::make_shared<FakeLock::Candidate>(FakeLock::Candidate{std::move(elected)});
    lock_.queue.push_back(mine_);
    if (lock_.queue.front() == mine_) announce();
  }

  void resign() override {
    if (!mine_) return;
    const bool held = lock_.queue.front() == mine_;
    std::erase(lock_.queue, std::exchange(mine_, {}));
    if (held && !lock_.queue.empty()) announce();
  }

 private:
  void announce() {
    later_([weak = std::weak_ptr(lock_.queue.front())] {
      if (const auto candidate = weak.lock()) std::function<void()>(candidate->elected)();
    });
  }

  FakeLock& lock_;
  const Later later_;
  std::shared_ptr<FakeLock::Candidate> mine_;
};

}  // namespace banyan
