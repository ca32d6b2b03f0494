// Durable changes as values: what a core asks for and a Store makes durable.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace banyan {

/// One key of one write. Without a value the key is deleted.
struct Change {
  std::string key;
  std::optional<std::string> value;
  bool operator==(const Change&) const = default;
};
using Changes = std::vector<Change>;

/// The one effect every core may have besides its own: a durable write. Effects decided after it wait for it.
struct Persist {
  Changes changes;
};

}  // namespace banyan
