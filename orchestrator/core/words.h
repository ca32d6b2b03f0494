// Small values as people write them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "runtime/base/time.h"
#include "specs/stack.h"

namespace banyan::root {

[[nodiscard]] inline std::string word(specs::Condition condition) {
  switch (condition) {
    case specs::Condition::started: return "started";
    case specs::Condition::serving: return "serving";
    case specs::Condition::completed: return "completed";
  }
  return "";
}

[[nodiscard]] inline std::string word(specs::Goal goal) {
  switch (goal) {
    case specs::Goal::serving: return "serving";
    case specs::Goal::running: return "running";
    case specs::Goal::completed: return "completed";
  }
  return "";
}

/// "250ms", "12s", "5m", "1h30m": the two largest units that matter.
[[nodiscard]] inline std::string words(Duration d) {
  const auto ms = milliseconds(d);
  if (ms < 1000) return std::to_string(ms) + "ms";
  const auto s = ms / 1000;
  if (s < 60) return std::to_string(s) + "s";
  const auto two = [](long long big, const char* big_unit, long long small, const char* small_unit) {
    return std::to_string(big) + big_unit + (small == 0 ? "" : std::to_string(small) + small_unit);
  };
  if (s < 3600) return two(s / 60, "m", s % 60, "s");
  if (s < 86400) return two(s / 3600, "h", s / 60 % 60, "m");
  return two(s / 86400, "d", s / 3600 % 24, "h");
}

/// Why a node is launching that no offer has fitted yet.
inline constexpr const char* waits_for_an_offer = "its scheduler waits for an offer";

/// "0.11 cpus", "2 cpus".
[[nodiscard]] inline std::string words_of_cpus(std::int64_t milli) {
  std::string text = std::to_string(milli / 1000);
  if (milli % 1000 != 0) text += "." + std::to_string(1000 + milli % 1000).substr(1);
  while (milli % 1000 != 0 && text.back() == '0') text.pop_back();
  return text + " cpus";
}
/// "96 MiB", rounded down.
[[nodiscard]] inline std::string words_of_bytes(std::int64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

/// "zk, kafka, and 3 more": as long as a reason may be, however many there are.
class Listing {
 public:
  explicit Listing(std::string opening = "") : text_(std::move(opening)) {}
  void add(const std::string& item) {
    if (++count_ <= shown_max) text_ += (count_ == 1 ? "" : ", ") + item;
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::string text() const {
    return count_ <= shown_max ? text_ : text_ + ", and " + std::to_string(count_ - shown_max) + " more";
  }

 private:
  static constexpr std::size_t shown_max = 10;
  std::string text_;
  std::size_t count_ = 0;
};

}  // namespace banyan::root
