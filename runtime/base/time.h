// Time as a value. Cores are handed `now`; only adapters ask a clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace banyan {

using Duration = std::chrono::nanoseconds;

/// CLOCK_BOOTTIME: never jumps, counts suspend. Orders events and measures intervals within one boot.
struct Monotonic {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<Monotonic, Duration>;
  static constexpr bool is_steady = true;
};
using Instant = Monotonic::time_point;

/// Time of day, for people to read. Never compared with an Instant.
struct WallClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<WallClock, Duration>;
  static constexpr bool is_steady = false;
};
using WallTime = WallClock::time_point;

/// The two clocks read at one moment: what a core may know about time.
struct Now {
  Instant mono;
  WallTime wall;
};

[[nodiscard]] constexpr double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }
[[nodiscard]] constexpr std::int64_t milliseconds(Duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}
[[nodiscard]] constexpr Duration from_seconds(double s) { return Duration(static_cast<Duration::rep>(s * 1e9)); }

}  // namespace banyan
