#include "specs/scalars.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "runtime/base/quantity.h"

namespace banyan::specs {

namespace {

constexpr std::array<Unit, 5> size_units = {
    {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", std::int64_t{1} << 40}}};

bool digit(char c) { return c >= '0' && c <= '9'; }
bool lower(char c) { return c >= 'a' && c <= 'z'; }

std::optional<std::int64_t> to_number(std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<std::int64_t> parse_integer(std::string_view text) {
  constexpr std::string_view rule = "write a decimal integer, such as 3";
  auto digits = text;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  const bool leading_zero = digits.size() > 1 && digits[0] == '0';
  if (digits.empty() || leading_zero || !std::ranges::all_of(digits, digit)) return error(std::string(rule));
  const auto value = to_number(text);
  if (!value) return error("the number is too large");
  return *value;
}

Result<std::int64_t> parse_size(std::string_view text) {
  auto rest = text;
  const auto amount = take_decimal(rest);
  if (!amount || !amount->fraction.empty()) return error("write a whole number with a unit, such as 512MiB or 2GiB");
  if (const auto* unit = std::ranges::find(size_units, rest, &Unit::name); unit != size_units.end()) {
    if (const auto value = amount->times(unit->factor)) return *value;
    return error("the size is too large");
  }
  const std::string number(amount->whole);
  const auto letters = rest.find_first_not_of(' ');
  switch (letters == std::string_view::npos ? 'm' : rest[letters] | 0x20) {
    case 'k': return error("did you mean \"" + number + "KiB\"? units are B, KiB, MiB, GiB and TiB");
    case 'm': return error("did you mean \"" + number + "MiB\"? units are B, KiB, MiB, GiB and TiB");
    case 'g': return error("did you mean \"" + number + "GiB\"? units are B, KiB, MiB, GiB and TiB");
    case 't': return error("did you mean \"" + number + "TiB\"? units are B, KiB, MiB, GiB and TiB");
    default: return error("units are B, KiB, MiB, GiB and TiB");
  }
}

Result<std::int64_t> parse_cpus(std::string_view text) {
  const auto rule = error("write a number of cores, such as 2, 0.5 or 0.125");
  auto rest = text;
  const auto cores = take_decimal(rest);
  if (!cores || cores->whole.empty() || !rest.empty()) return rule;
  const auto value = cores->times(1000);
  if (!value) return error("cpus are counted in thousandths of a core");
  return *value;
}

Result<std::uint32_t> parse_mode(std::string_view text) {
  std::uint32_t mode = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  if (!whole || text.size() < 3 || text.size() > 4 || mode > 0777)
    return error("write an octal mode, such as 0644 or 0755");
  return mode;
}

std::string to_text(Duration duration) {
  auto rest = duration.count();
  if (rest == 0) return "0s";
  std::string out;
  for (auto u = duration_units.rbegin(); u != duration_units.rend(); ++u) {
    if (rest / u->factor == 0) continue;
    out += std::to_string(rest / u->factor) + std::string(u->name);
    rest %= u->factor;
  }
  return out;
}

std::string size_text(std::int64_t bytes) {
  const auto* best = &size_units.front();
  for (const auto& u : size_units)
    if (bytes != 0 && bytes % u.factor == 0) best = &u;
  return std::to_string(bytes / best->factor) + std::string(best->name);
}

bool is_label(std::string_view text) {
  return is_word(text) && text.find('_') == std::string_view::npos && !text.ends_with('-');
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 40 && lower(text[0]) &&
         std::ranges::all_of(text, [](char c) { return lower(c) || digit(c) || c == '-' || c == '_'; });
}

bool is_env_name(std::string_view text) {
  const auto letter = [](char c) { return lower(c) || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && letter(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || digit(c) || c == '.' || c == '-'; });
}

bool is_shell_name(std::string_view text) {
  return is_env_name(text) && text.find_first_of(".-") == std::string_view::npos;
}

/// One half of a user: a name, or a number below the kernel's "no such id" of all ones.
static bool is_account(std::string_view text) {
  constexpr std::int64_t id_max = 0xFFFF'FFFE;
  if (text.empty() || text.size() > 32) return false;
  if (std::ranges::all_of(text, digit)) return to_number(text).value_or(id_max + 1) <= id_max;
  return (lower(text[0]) || text[0] == '_') &&
         std::ranges::all_of(text, [](char c) { return lower(c) || digit(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_user(std::string_view text) {
  const auto colon = text.find(':');
  return is_account(text.substr(0, colon)) && (colon == std::string_view::npos || is_account(text.substr(colon + 1)));
}

bool is_inside_path(std::string_view text) {
  if (text.empty() || text.size() > 1024 || text.find('\0') != std::string_view::npos) return false;
  for (std::size_t from = 0;;) {
    const auto slash = text.find('/', from);
    const auto part = text.substr(from, slash - from);
    if (part.empty() || part == "." || part == ".." || part.size() > 255) return false;
    if (slash == std::string_view::npos) return true;
    from = slash + 1;
  }
}

}  // namespace banyan::specs
