#include "runtime/base/quantity.h"

#include <algorithm>
#include <charconv>

namespace banyan {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

/// What is at the front of `rest` and `belongs`, taken off it.
template <class Belongs>
std::string_view take(std::string_view& rest, Belongs belongs) {
  const auto end = std::ranges::find_if_not(rest, belongs) - rest.begin();
  const auto taken = rest.substr(0, static_cast<std::size_t>(end));
  rest.remove_prefix(taken.size());
  return taken;
}

}  // namespace

std::optional<std::int64_t> Decimal::times(std::int64_t factor) const {
  std::int64_t value = 0;
  if (!whole.empty()) {
    const auto [end, failure] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
    if (failure != std::errc() || end != whole.data() + whole.size()) return std::nullopt;
  }
  if (__builtin_mul_overflow(value, factor, &value)) return std::nullopt;
  for (const char c : fraction) {
    if (factor % 10 != 0) {
      if (c != '0') return std::nullopt;
      continue;
    }
    factor /= 10;
    if (__builtin_add_overflow(value, (c - '0') * factor, &value)) return std::nullopt;
  }
  return value;
}

std::optional<Decimal> take_decimal(std::string_view& text) {
  Decimal number{take(text, digit), {}};
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    number.fraction = take(text, digit);
    if (number.fraction.empty()) return std::nullopt;
  }
  if (number.whole.empty() && number.fraction.empty()) return std::nullopt;
  return number;
}

Result<Duration> parse_duration(std::string_view text, std::span<const Unit> units) {
  const auto rule = error("write a number with a unit, such as 500ms, 30s or 1m30s");
  std::int64_t total = 0;
  if (text.empty()) return rule;
  while (!text.empty()) {
    const auto number = take_decimal(text);
    if (!number) return rule;
    const auto name = take(text, [](char c) { return !digit(c) && c != '.'; });
    const auto unit = std::ranges::find(units, name, &Unit::name);
    if (unit == units.end()) return rule;
    const auto part = number->times(unit->factor);
    if (!part || __builtin_add_overflow(total, *part, &total)) return error("the duration is too long or too fine");
  }
  return Duration(total);
}

}  // namespace banyan
