// YAML text -> a tree of values with positions. Internal to specs/.
//
// Built on yaml-cpp's events, not on its DOM: that one drops duplicate keys, follows alias cycles until the stack is
// gone and takes `no` for a boolean. Here every value keeps its text as written; what it means is the typed readers'
// business (reader.h).
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "specs/report.h"
#include "specs/source_text.h"
#include "specs/stack.h"

namespace banyan::specs {

struct Value {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  bool plain = false;   ///< an unquoted scalar
  bool faulty = false;  ///< reported already: what follows from it is not
  Position at;
  std::uint32_t width = 1;         ///< bytes on its first line
  std::string text;                ///< of a scalar
  std::vector<const Value*> keys;  ///< of a map: scalars, each once
  std::vector<Value*> items;       ///< of a map (beside its keys) or a list

  [[nodiscard]] bool is_map() const { return kind == Kind::map; }
  [[nodiscard]] bool is_list() const { return kind == Kind::list; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_null() const { return kind == Kind::null; }
  [[nodiscard]] Where where() const { return {at, width, {}}; }
  /// REQUIRES: a map. Linear: for maps of a known, small schema.
  [[nodiscard]] Value* find(std::string_view key) const;
};

/// "a list", "a mapping", "the text …", "nothing"
[[nodiscard]] std::string describe(const Value& value);

/// Owns its values; an alias shares its anchor's. Moving keeps the addresses.
struct Tree {
  std::deque<Value> values;
  Value* root = nullptr;  ///< nullptr: empty document or unreadable
};

struct TreeLimits {
  std::size_t values = 3'000'000;  ///< aliases counted as often as they are used
  std::size_t depth = 100;
  std::size_t aliases = 1'000;
  std::size_t key_bytes = 256;
  std::size_t scalar_bytes = 1 << 20;
};

/// Reports what YAML allows and a stack file does not: duplicate keys, tags, merge keys, several documents.
[[nodiscard]] Tree parse_yaml(const SourceText& source, Report& report, const TreeLimits& limits = {});

}  // namespace banyan::specs
