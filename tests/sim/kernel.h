// The simulator's clock and calendar: one thread, one seed, virtual time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/rng.h"
#include "runtime/base/time.h"
#include "tests/sim/network.h"

namespace banyan::sim {

/// Runs what was planned in the order of its time; what is planned for one moment, in the order of planning.
/// Everything random is drawn from one seed, so a seed is a whole history (I46).
class Kernel {
 public:
  explicit Kernel(std::uint64_t seed) : rng_(seed) {}
  /// What is planned holds processes, and their ends plan and cancel: not any more.
  ~Kernel() {
    closing_ = true;
    calendar_.clear();
  }
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  [[nodiscard]] Now now() const {
    return {now_, WallTime(std::chrono::hours(24 * 365 * 50) + now_.time_since_epoch() + wall_offset_)};
  }
  /// Somebody sets the machines' clocks. The monotonic one never jumps.
  void jump(Duration by) { wall_offset_ += by; }
  [[nodiscard]] Network& network() { return network_; }
  [[nodiscard]] const Network& network() const { return network_; }
  [[nodiscard]] Rng& rng() { return rng_; }
  /// An independent stream of numbers, so that one actor's draws do not shift another's.
  [[nodiscard]] Rng fork() { return Rng(rng_.next()); }

  using Handle = std::pair<Instant, std::uint64_t>;
  Handle at(Instant when, std::function<void()> deed) {
    const Handle handle{std::max(when, now_), ++planned_};
    if (!closing_) calendar_.emplace(handle, std::move(deed));
    return handle;
  }
  Handle after(Duration delay, std::function<void()> deed) { return at(now_ + delay, std::move(deed)); }
  void cancel(const Handle& handle) {
    if (!closing_) calendar_.erase(handle);
  }

  /// Does the next deed; false when nothing is planned up to `until` (time then stands at `until`).
  bool step(Instant until) {
    if (calendar_.empty() || calendar_.begin()->first.first > until) {
      now_ = std::max(now_, until);
      return false;
    }
    auto node = calendar_.extract(calendar_.begin());
    steps_at_once_ = node.key().first == now_ ? steps_at_once_ + 1 : 0;
    BANYAN_CHECK(steps_at_once_ <
                 steps_at_once_max);  // a deadline that stays due after its Tick: the driver would spin
    now_ = node.key().first;
    ++steps_;
    node.mapped()();
    return true;
  }

  /// Between min and max, drawn.
  Duration between(Duration min, Duration max) {
    return min + Duration(static_cast<Duration::rep>(rng_.below(static_cast<std::uint64_t>((max - min).count()) + 1)));
  }

  /// What happened, folded into one number: the same seed must give the same.
  void trace(const std::string& row) {
    for (const char c : row) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    if (rows_.size() >= rows_max) rows_.erase(rows_.begin());
    rows_.emplace(++row_count_, row);
  }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  /// The last rows, oldest first: what a failing seed shows.
  [[nodiscard]] const std::map<std::uint64_t, std::string>& rows() const { return rows_; }

 private:
  static constexpr std::size_t rows_max = 400;
  static constexpr std::uint64_t steps_at_once_max = 100'000;

  Rng rng_;
  Instant now_{std::chrono::seconds(1)};
  Duration wall_offset_{};
  Network network_;
  std::map<Handle, std::function<void()>> calendar_;
  bool closing_ = false;
  std::uint64_t planned_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t steps_at_once_ = 0;  ///< while time stood still
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
  std::uint64_t row_count_ = 0;
  std::map<std::uint64_t, std::string> rows_;
};

}  // namespace banyan::sim
