// What every simulated process has: a life that ends at a kill, a timer, a disk, ordered pipes to others.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "runtime/ports/fake_store.h"
#include "tests/sim/kernel.h"

namespace banyan::sim {

/// Alive as long as its process. What was planned for a dead process does not happen.
using Life = std::shared_ptr<int>;

/// A disk that may be slow, or full for a while (FakeDisk::broken).
struct Disk : FakeDisk {
  Instant slow_until{};
};

/// Plans deeds that die with their process.
class Planner {
 public:
  Planner(Kernel& kernel, const Life& life) : kernel_(kernel), life_(life) {}

  void after(Duration delay, std::function<void()> deed) const {
    kernel_.after(delay, [weak = life_, deed = std::move(deed)] {
      if (!weak.expired()) deed();
    });
  }
  void soon(std::function<void()> deed) const { after(Duration(0), std::move(deed)); }

  /// A disk's sync, in FakeStore's form.
  [[nodiscard]] FakeStore::Later syncs(const Disk& disk) const {
    return [*this, &disk](std::function<void()> deed) {
      const bool slow = kernel_.now().mono < disk.slow_until;
      after(slow ? kernel_.between(std::chrono::milliseconds(100), std::chrono::seconds(2))
                 : kernel_.between(std::chrono::microseconds(50), std::chrono::milliseconds(8)),
            std::move(deed));
    };
  }
  [[nodiscard]] Kernel& kernel() const { return kernel_; }

 private:
  Kernel& kernel_;
  std::weak_ptr<int> life_;
};

/// Delivers a core's Tick when its deadline comes.
class Waker {
 public:
  Waker(Kernel& kernel, std::function<void()> tick) : kernel_(kernel), tick_(std::move(tick)) {}
  ~Waker() { at(std::nullopt); }
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  void at(std::optional<Instant> when) {
    if (planned_) kernel_.cancel(*planned_);
    planned_.reset();
    if (!when) return;
    planned_ = kernel_.at(*when, [this] {
      planned_.reset();
      tick_();
    });
  }

 private:
  Kernel& kernel_;
  std::function<void()> tick_;
  std::optional<Kernel::Handle> planned_;
};

/// One direction of a connection: messages arrive late but in order, and wait while the link is cut. What is under way
/// when it is cut arrives up to a drawn moment and is lost after it, as with a process that dies with data in its
/// socket.
class Pipe {
 public:
  Pipe(Kernel& kernel, Route route) : kernel_(kernel), route_(route) {}

  /// `twice`: its sender may send it again, so it may arrive twice.
  void send(std::function<void()> arrive, bool twice = false) {
    last_ = std::max(last_, arrival());
    kernel_.at(last_, [cut = cut_, at = last_, arrive] {
      if (!*cut || at <= **cut) arrive();
    });
    if (twice && kernel_.network().doubles(kernel_.now().mono) && kernel_.rng().chance(1, 2)) send(std::move(arrive));
  }
  /// The last thing that arrives, after whatever still does.
  void cut(std::function<void()> closed) {
    if (*cut_) return;
    const Instant when = arrival();
    *cut_ = when;
    kernel_.at(when, std::move(closed));
  }

 private:
  Instant arrival() {
    return kernel_.network().open_at(route_, kernel_.now().mono) +
           kernel_.between(std::chrono::microseconds(20), std::chrono::milliseconds(5));
  }

  Kernel& kernel_;
  Route route_;
  Instant last_{};
  std::shared_ptr<std::optional<Instant>> cut_ = std::make_shared<std::optional<Instant>>();
};

}  // namespace banyan::sim
