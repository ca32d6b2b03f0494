// Alarm: one deed at one moment, set again and again. How a core's next_deadline() becomes its Tick.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "runtime/adapters/loop/loop.h"

namespace banyan {

/// Rings once when the moment last set has come; a moment that is there already rings at the end of the loop's present
/// turn, so that one Tick answers all that this turn still brings. Setting it again takes back what was set before.
/// THREADS: the loop's. LIFETIME: the loop outlives it; destroyed, it rings no more. It may be set or destroyed from
/// within its own ring.
class Alarm {
 public:
  Alarm(Loop& loop, std::function<void()> ring) : loop_(loop), ring_(std::move(ring)) {}
  ~Alarm() { set(std::nullopt); }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  void set(std::optional<Instant> when);
  void after(Duration delay) { set(mono_now() + delay); }

 private:
  void ring();

  Loop& loop_;
  std::function<void()> ring_;
  std::optional<Instant> when_;         ///< nothing: silent
  std::optional<Loop::TimerId> timer_;  ///< valid while when_ lies ahead; else the end of this turn is waited for
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace banyan
