// Who is due when, the earliest first.
#pragma once

#include <optional>
#include <set>
#include <utility>

#include "runtime/base/time.h"

namespace banyan::root {

/// At most one instant per item, which the item itself keeps as `std::optional<Instant> due`: so a change costs log n.
/// LIFETIME: an item is taken out (set to nothing) before it dies.
template <class Item>
class Deadlines {
 public:
  void set(Item& item, std::optional<Instant> due) {
    if (item.due == due) return;
    if (item.due) entries_.erase({*item.due, &item});
    item.due = due;
    if (due) entries_.emplace(*due, &item);
  }
  [[nodiscard]] std::optional<Instant> first() const {
    return entries_.empty() ? std::nullopt : std::optional(entries_.begin()->first);
  }
  /// Takes out one that is due; nullptr: nobody is.
  Item* pop(Instant now) {
    if (entries_.empty() || entries_.begin()->first > now) return nullptr;
    Item* item = entries_.begin()->second;
    set(*item, std::nullopt);
    return item;
  }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  std::set<std::pair<Instant, Item*>> entries_;  // by address among equals: whoever is due together is sorted later
};

}  // namespace banyan::root
