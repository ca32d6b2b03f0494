// Resources: what an agent has, an offer offers and a task uses. Mesos' algebra in fixed point.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/result.h"

namespace banyan {

/// Thousandths: 0.1 cpus is 100. Mesos rounds to three decimals too, so nothing is lost on the wire.
struct Scalar {
  std::int64_t milli = 0;
  auto operator<=>(const Scalar&) const = default;
};
/// A larger amount is refused where it enters, so that no sum of one message's amounts can overflow.
inline constexpr double scalar_max = 1e10;
/// Rounds to thousandths; an error for NaN, negative or too large values.
[[nodiscard]] Result<Scalar> to_scalar(double value);

/// Inclusive on both ends, as on the wire.
struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  auto operator<=>(const Range&) const = default;
};
/// Sorted, disjoint, never adjacent.
using Ranges = std::vector<Range>;
using Items = std::set<std::string>;
using Amount = std::variant<Scalar, Ranges, Items>;
/// Sorts and merges; an error for a range that ends before it begins.
[[nodiscard]] Result<Ranges> to_ranges(std::vector<Range> ranges);

struct Reservation {
  bool dynamic = true;  ///< false: declared by the agent's operator, cannot be UNRESERVEd
  std::string role;
  std::string principal;
  std::map<std::string, std::string> labels;
  auto operator<=>(const Reservation&) const = default;
};

/// A persistent volume: disk that keeps its data when the task is gone. Who uses it says where it is seen and whether
/// it is written: only the id makes it another one (Mesos compares so too).
struct Volume {
  std::string persistence_id;
  std::string principal;
  std::string container_path;
  bool read_only = false;
  auto operator<=>(const Volume& other) const { return persistence_id <=> other.persistence_id; }
  bool operator==(const Volume& other) const { return persistence_id == other.persistence_id; }
};

/// Everything about a resource but how much: two resources with equal identity add up.
struct ResourceIdentity {
  std::string name;                       ///< cpus, mem (MB), disk (MB), ports, gpus, or anyone's own
  std::vector<Reservation> reservations;  ///< Mesos' refinement stack, outermost first; empty: unreserved
  std::optional<Volume> volume;
  std::string allocation_role;  ///< set while offered or used; empty in totals
  auto operator<=>(const ResourceIdentity&) const = default;

  [[nodiscard]] bool reserved() const { return !reservations.empty(); }
  /// The role it is reserved to; "*" when unreserved.
  [[nodiscard]] std::string role() const { return reservations.empty() ? "*" : reservations.back().role; }
};

struct Resource {
  ResourceIdentity identity;
  Amount amount;
};

/// A bag of resources, normalised: one entry per identity, none of amount zero.
/// Volumes never merge or split: each is taken whole.
class Resources {
 public:
  Resources() = default;
  Resources(std::initializer_list<Resource> list);

  /// "cpus:4;mem:8192;disk:100000;ports:[31000-32000];bugs(debug):{a,b}" — Mesos' text form.
  static Result<Resources> parse(std::string_view text);
  [[nodiscard]] std::string str() const;

  /// False when a resource of that name is already here as another kind (a scalar beside a set): input to be refused.
  [[nodiscard]] bool accepts(const Resource& resource) const;
  /// REQUIRES: accepts(resource).
  void add(const Resource& resource);
  /// REQUIRES: contains(that part).
  void subtract(const Resource& resource);
  Resources& operator+=(const Resources& other);
  Resources& operator-=(const Resources& other);
  friend Resources operator+(Resources a, const Resources& b) { return a += b; }
  friend Resources operator-(Resources a, const Resources& b) { return a -= b; }
  bool operator==(const Resources&) const;

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] bool contains(const Resources& other) const;
  [[nodiscard]] std::vector<Resource> list() const;
  [[nodiscard]] const std::map<ResourceIdentity, Amount>& entries() const { return entries_; }

  template <class Predicate>
  [[nodiscard]] Resources filter(Predicate keep) const {
    Resources kept;
    for (const auto& [identity, amount] : entries_)
      if (keep(identity)) kept.entries_.emplace(identity, amount);
    return kept;
  }
  [[nodiscard]] Resources unreserved() const;
  [[nodiscard]] Resources reserved_to(const std::string& role) const;
  [[nodiscard]] Resources with_allocation(const std::string& role) const;  ///< same, marked as allocated to `role`
  [[nodiscard]] Resources without_allocation() const;

  /// Sum over all identities of that name.
  [[nodiscard]] Scalar scalar(std::string_view name) const;
  [[nodiscard]] Ranges ranges(std::string_view name) const;

  /// Finds `wanted` (identity ignored but for the name; no volumes) inside this bag, unreserved or reserved to the
  /// offer's role, reserved first; nothing if it does not fit. `wanted` names amounts only: "cpus:0.5;mem:64".
  [[nodiscard]] std::optional<Resources> find(const Resources& wanted) const;

 private:
  std::map<ResourceIdentity, Amount> entries_;
};

}  // namespace banyan
