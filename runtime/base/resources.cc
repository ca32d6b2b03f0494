#include "runtime/base/resources.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

#include "runtime/base/check.h"

namespace banyan {
namespace {

// --- amounts: one function per operation, one overload per kind -------------------------------------------------

bool is_zero(Scalar a) { return a.milli == 0; }
bool is_zero(const Ranges& a) { return a.empty(); }
bool is_zero(const Items& a) { return a.empty(); }

/// REQUIRES: begin <= end in each.
Ranges merge(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end());
  Ranges merged;
  for (const Range& r : ranges) {
    const bool touches = !merged.empty() && (r.begin <= merged.back().end || r.begin - merged.back().end == 1);
    if (touches) merged.back().end = std::max(merged.back().end, r.end);
    else merged.push_back(r);
  }
  return merged;
}

Scalar plus(Scalar a, Scalar b) { return {a.milli + b.milli}; }
Ranges plus(Ranges a, const Ranges& b) {
  a.insert(a.end(), b.begin(), b.end());
  return merge(std::move(a));
}
Items plus(Items a, const Items& b) {
  a.insert(b.begin(), b.end());
  return a;
}

Scalar minus(Scalar a, Scalar b) { return {a.milli - b.milli}; }
Ranges minus(const Ranges& a, const Ranges& b) {
  Ranges left;
  for (Range piece : a) {
    bool whole_gone = false;
    for (const Range& cut : b) {
      if (cut.end < piece.begin || cut.begin > piece.end) continue;
      if (cut.begin > piece.begin) left.push_back({piece.begin, cut.begin - 1});
      if (cut.end >= piece.end) {
        whole_gone = true;
        break;
      }
      piece.begin = cut.end + 1;
    }
    if (!whole_gone) left.push_back(piece);
  }
  return left;
}
Items minus(Items a, const Items& b) {
  for (const auto& item : b) a.erase(item);
  return a;
}

/// The part of `b` that is in `a`.
Scalar common(Scalar a, Scalar b) { return {std::min(a.milli, b.milli)}; }
Ranges common(const Ranges& a, const Ranges& b) { return minus(b, minus(b, a)); }
Items common(const Items& a, const Items& b) {
  Items both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(both, both.end()));
  return both;
}

bool zero(const Amount& amount) {
  return std::visit([](const auto& a) { return is_zero(a); }, amount);
}

/// `operation` on two amounts of one kind. REQUIRES: the same kind.
template <class Operation>
Amount combine(const Amount& a, const Amount& b, Operation operation) {
  BANYAN_CHECK(a.index() == b.index());
  return std::visit([&](const auto& x) -> Amount { return operation(x, std::get<std::decay_t<decltype(x)>>(b)); }, a);
}
Amount sum(const Amount& a, const Amount& b) {
  return combine(a, b, [](const auto& x, const auto& y) { return plus(x, y); });
}
Amount difference(const Amount& a, const Amount& b) {
  return combine(a, b, [](const auto& x, const auto& y) { return minus(x, y); });
}
Amount intersection(const Amount& a, const Amount& b) {
  return combine(a, b, [](const auto& x, const auto& y) { return common(x, y); });
}
bool includes(const Amount& a, const Amount& b) { return a.index() == b.index() && intersection(a, b) == b; }

// --- text ---------------------------------------------------------------------------------------------------------

std::string text(Scalar a) {
  std::string digits = std::to_string(a.milli / 1000);
  if (a.milli % 1000 != 0) {
    std::string fraction = std::to_string(1000 + a.milli % 1000).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    digits += "." + fraction;
  }
  return digits;
}
std::string text(const Ranges& a) {
  std::string out = "[";
  for (const Range& r : a) {
    if (out.size() > 1) out += ", ";
    out += std::to_string(r.begin) + "-" + std::to_string(r.end);
  }
  return out + "]";
}
std::string text(const Items& a) {
  std::string out = "{";
  for (const auto& item : a) {
    if (out.size() > 1) out += ", ";
    out += item;
  }
  return out + "}";
}

std::string text(const Reservation& r) {
  std::string out = r.dynamic ? "(DYNAMIC," : "(STATIC,";
  out += r.role;
  if (!r.principal.empty()) out += "," + r.principal;
  if (!r.labels.empty()) {
    out += ",{";
    for (const auto& [key, value] : r.labels) out += (out.back() == '{' ? "" : ", ") + key + ": " + value;
    out += "}";
  }
  return out + ")";
}

/// Mesos' form; a single plain static reservation is written as parse() reads it.
std::string text(const ResourceIdentity& identity) {
  std::string out = identity.name;
  if (!identity.allocation_role.empty()) out += "(allocated: " + identity.allocation_role + ")";
  const auto& stack = identity.reservations;
  if (stack.size() == 1 && !stack[0].dynamic && stack[0].principal.empty() && stack[0].labels.empty()) {
    out += "(" + stack[0].role + ")";
  } else if (!stack.empty()) {
    out += "(reservations: [";
    for (const auto& r : stack) out += (out.back() == '[' ? "" : ",") + text(r);
    out += "])";
  }
  if (identity.volume) {
    out += "[" + identity.volume->persistence_id + ":" + identity.volume->container_path;
    out += identity.volume->read_only ? ":ro]" : "]";
  }
  return out;
}

std::string_view trim(std::string_view s) {
  const auto first = s.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(" \t\n") - first + 1);
}

std::vector<std::string_view> split(std::string_view s, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto at = s.find(separator);
    parts.push_back(trim(s.substr(0, at)));
    if (at == std::string_view::npos) return parts;
    s.remove_prefix(at + 1);
  }
}

template <class Number>
std::optional<Number> number(std::string_view s) {
  Number n{};
  const auto [end, failed] = std::from_chars(s.data(), s.data() + s.size(), n);
  if (failed != std::errc{} || end != s.data() + s.size()) return std::nullopt;
  return n;
}

tl::unexpected<Error> bad(std::string_view part, const std::string& why) {
  return error("resource '" + std::string(part) + "': " + why);
}

Result<Ranges> parse_ranges(std::string_view part, std::string_view inside) {
  std::vector<Range> ranges;
  for (const auto piece : split(inside, ',')) {
    const auto dash = piece.find('-');
    const auto begin = number<std::uint64_t>(trim(piece.substr(0, dash)));
    const auto end = dash == std::string_view::npos ? begin : number<std::uint64_t>(trim(piece.substr(dash + 1)));
    if (!begin || !end) return bad(part, "a range is written [31000-32000, 33000-33000]");
    ranges.push_back({*begin, *end});
  }
  auto merged = to_ranges(std::move(ranges));
  if (!merged) return bad(part, merged.error().message);
  return merged;
}

Result<Amount> parse_amount(std::string_view part, std::string_view value) {
  if (value.empty()) return bad(part, "has no amount; write NAME:AMOUNT");
  const std::string_view inside = value.size() >= 2 ? value.substr(1, value.size() - 2) : std::string_view();
  if (value.front() == '[') {
    if (value.back() != ']') return bad(part, "a list of ranges ends with ']'");
    if (trim(inside).empty()) return Amount{Ranges{}};
    auto ranges = parse_ranges(part, inside);
    if (!ranges) return tl::unexpected(ranges.error());
    return Amount{std::move(*ranges)};
  }
  if (value.front() == '{') {
    if (value.back() != '}') return bad(part, "a set ends with '}'");
    Items items;
    for (const auto item : split(inside, ','))
      if (!item.empty()) items.emplace(item);
    return Amount{std::move(items)};
  }
  const auto amount = number<double>(value);
  if (!amount) return bad(part, "the amount is a number, [ranges] or {a set}");
  auto scalar = to_scalar(*amount);
  if (!scalar) return bad(part, scalar.error().message);
  return Amount{*scalar};
}

Result<Resource> parse_one(std::string_view part) {
  const auto colon = part.find(':');
  if (colon == std::string_view::npos) return bad(part, "has no amount; write NAME:AMOUNT or NAME(ROLE):AMOUNT");
  std::string_view name = trim(part.substr(0, colon));
  Resource resource;
  const auto paren = name.find('(');
  if (paren != std::string_view::npos) {
    if (name.back() != ')') return bad(part, "the role's ')' is missing");
    const std::string_view role = trim(name.substr(paren + 1, name.size() - paren - 2));
    if (role.empty()) return bad(part, "the role between '(' and ')' is empty");
    if (role != "*") resource.identity.reservations.push_back({false, std::string(role), "", {}});
    name = trim(name.substr(0, paren));
  }
  if (name.empty()) return bad(part, "has no name; write NAME:AMOUNT");
  resource.identity.name = name;
  auto amount = parse_amount(part, trim(part.substr(colon + 1)));
  if (!amount) return tl::unexpected(amount.error());
  resource.amount = std::move(*amount);
  return resource;
}

}  // namespace

Result<Scalar> to_scalar(double value) {
  if (!std::isfinite(value)) return error("not a number");
  if (value < 0) return error("must not be negative");
  if (value > scalar_max) return error("is too large (at most 10000000000)");
  return Scalar{std::llround(value * 1000)};
}

Result<Ranges> to_ranges(std::vector<Range> ranges) {
  for (const Range& r : ranges)
    if (r.begin > r.end)
      return error("the range " + std::to_string(r.begin) + "-" + std::to_string(r.end) + " ends before it begins");
  return merge(std::move(ranges));
}

Resources::Resources(std::initializer_list<Resource> list) {
  for (const auto& resource : list) add(resource);
}

Result<Resources> Resources::parse(std::string_view text) {
  Resources all;
  for (const auto part : split(text, ';')) {
    if (part.empty()) continue;
    auto resource = parse_one(part);
    if (!resource) return tl::unexpected(resource.error());
    if (!all.accepts(*resource)) return bad(part, "is named before as another kind of amount");
    all.add(*resource);
  }
  return all;
}

std::string Resources::str() const {
  std::string out;
  for (const auto& [identity, amount] : entries_) {
    if (!out.empty()) out += "; ";
    out += text(identity) + ":" + std::visit([](const auto& a) { return text(a); }, amount);
  }
  return out;
}

bool Resources::accepts(const Resource& resource) const {
  // Identities order by name first: the neighbours tell whether the name is here.
  const auto same_kind = [&](auto it) {
    return it->first.name != resource.identity.name || it->second.index() == resource.amount.index();
  };
  const auto next = entries_.lower_bound(resource.identity);
  return (next == entries_.end() || same_kind(next)) && (next == entries_.begin() || same_kind(std::prev(next)));
}

void Resources::add(const Resource& resource) {
  if (zero(resource.amount)) return;
  const auto [it, fresh] = entries_.try_emplace(resource.identity, resource.amount);
  if (!fresh) it->second = sum(it->second, resource.amount);
}

void Resources::subtract(const Resource& resource) {
  if (zero(resource.amount)) return;
  const auto it = entries_.find(resource.identity);
  BANYAN_CHECK(it != entries_.end() && includes(it->second, resource.amount));
  it->second = difference(it->second, resource.amount);
  if (zero(it->second)) entries_.erase(it);
}

Resources& Resources::operator+=(const Resources& other) {
  for (const auto& [identity, amount] : other.entries_) add({identity, amount});
  return *this;
}

Resources& Resources::operator-=(const Resources& other) {
  for (const auto& [identity, amount] : other.entries_) subtract({identity, amount});
  return *this;
}

bool Resources::operator==(const Resources& other) const { return entries_ == other.entries_; }

bool Resources::contains(const Resources& other) const {
  return std::all_of(other.entries_.begin(), other.entries_.end(), [&](const auto& wanted) {
    const auto& [identity, amount] = wanted;
    const auto it = entries_.find(identity);
    if (it == entries_.end()) return false;
    return identity.volume ? it->second == amount : includes(it->second, amount);
  });
}

std::vector<Resource> Resources::list() const {
  std::vector<Resource> all;
  all.reserve(entries_.size());
  for (const auto& [identity, amount] : entries_) all.push_back({identity, amount});
  return all;
}

Resources Resources::unreserved() const {
  return filter([](const ResourceIdentity& i) { return !i.reserved(); });
}

Resources Resources::reserved_to(const std::string& role) const {
  return filter([&](const ResourceIdentity& i) { return i.reserved() && i.role() == role; });
}

Resources Resources::with_allocation(const std::string& role) const {
  Resources marked;
  for (const auto& [identity, amount] : entries_) {
    Resource resource{identity, amount};
    resource.identity.allocation_role = role;
    marked.add(resource);
  }
  return marked;
}

Resources Resources::without_allocation() const { return with_allocation(""); }

Scalar Resources::scalar(std::string_view name) const {
  Scalar total;
  for (const auto& [identity, amount] : entries_)
    if (const auto* part = std::get_if<Scalar>(&amount); part && identity.name == name) total.milli += part->milli;
  return total;
}

Ranges Resources::ranges(std::string_view name) const {
  Ranges total;
  for (const auto& [identity, amount] : entries_)
    if (const auto* part = std::get_if<Ranges>(&amount); part && identity.name == name) total = plus(total, *part);
  return total;
}

std::optional<Resources> Resources::find(const Resources& wanted) const {
  Resources found;
  for (const auto& [wish, needed] : wanted.entries_) {
    Amount missing = needed;
    const auto take_from = [&](bool reserved) {
      for (const auto& [identity, here] : entries_) {
        if (zero(missing)) return;
        if (identity.name != wish.name || identity.volume || identity.reserved() != reserved) continue;
        if (here.index() != missing.index()) continue;
        const Amount part = intersection(here, missing);
        found.add({identity, part});
        missing = difference(missing, part);
      }
    };
    take_from(true);
    take_from(false);
    if (!zero(missing)) return std::nullopt;
  }
  return found;
}

}  // namespace banyan
