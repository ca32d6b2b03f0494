// Numbers as people write them: "1.5", "1m30s". Exact: what would overflow or be rounded is refused.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/base/time.h"

namespace banyan {

/// The digits on either side of the point; one of the two may be empty.
struct Decimal {
  std::string_view whole;
  std::string_view fraction;

  /// The number times `factor`; nothing when that overflows or is no whole number.
  [[nodiscard]] std::optional<std::int64_t> times(std::int64_t factor) const;
};
/// The number at the front of `text`, taken off it; nothing when there is none, or one that ends in a bare point.
[[nodiscard]] std::optional<Decimal> take_decimal(std::string_view& text);

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
/// Go's, in nanoseconds: what stack files and flags say.
inline constexpr std::array<Unit, 6> duration_units = {{{"ns", 1},
                                                        {"us", 1'000},
                                                        {"ms", 1'000'000},
                                                        {"s", 1'000'000'000},
                                                        {"m", 60'000'000'000},
                                                        {"h", 3'600'000'000'000}}};
/// What an agent tells its executors by environment.
inline constexpr std::array<Unit, 8> mesos_duration_units = {{{"ns", 1},
                                                              {"us", 1'000},
                                                              {"ms", 1'000'000},
                                                              {"secs", 1'000'000'000},
                                                              {"mins", 60'000'000'000},
                                                              {"hrs", 3'600'000'000'000},
                                                              {"days", 86'400'000'000'000},
                                                              {"weeks", 604'800'000'000'000}}};

/// One or more numbers, each with its unit: "500ms", "1.5s", "1m30s". The error says how durations are written.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text, std::span<const Unit> units = duration_units);

}  // namespace banyan
