// Backoff: how long to wait before the next attempt, as a value.
#pragma once

#include <algorithm>

#include "runtime/base/rng.h"
#include "runtime/base/time.h"

namespace banyan {

/// Waits that double from `min` up to `max`. Whoever counts the failures asks for wait(n); whoever remembers the last
/// wait asks for next(last). REQUIRES: 0 < min (else all waits are 0); a `max` below `min` wins.
struct Backoff {
  Duration min;
  Duration max;

  /// `min` doubled `times` times, at most `max`.
  [[nodiscard]] constexpr Duration wait(unsigned times) const {
    Duration wait = min;
    for (unsigned i = 0; i < times && wait < max && wait > Duration::zero(); ++i) wait *= 2;
    return std::min(wait, max);
  }
  /// The same, drawn from its upper half: those who failed together do not come back in step.
  [[nodiscard]] Duration wait(unsigned times, Rng& rng) const {
    const auto half = wait(times).count() / 2;
    return Duration(half + static_cast<Duration::rep>(rng.below(static_cast<std::uint64_t>(half) + 1)));
  }
  /// What follows a wait of `last`; zero: none yet.
  [[nodiscard]] constexpr Duration next(Duration last) const {
    return last <= Duration::zero() ? std::min(min, max) : std::min(2 * last, max);
  }
};

/// Whatever has served for so long is sound: its back-off starts afresh and its budget of deaths is full again.
inline constexpr Duration sound_after = std::chrono::seconds(60);

}  // namespace banyan
