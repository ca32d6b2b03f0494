// Typed readers: a Value -> what a field holds, or an error in the report. Internal to specs/.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/time.h"
#include "specs/report.h"
#include "specs/scalars.h"
#include "specs/source_text.h"
#include "specs/stack.h"
#include "specs/tree.h"
#include "specs/vars.h"

namespace banyan::specs {

class Reader;

/// One word of the language: what reads it. A null reader marks a word that is planned and refused until then.
template <class T>
struct Field {
  std::string_view name;
  void (*read)(Reader&, const Value&, T&);
};
template <class T>
using Fields = std::span<const Field<T>>;

template <class T>
const Field<T>* field_named(Fields<T> fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &Field<T>::name);
  return found == fields.end() ? nullptr : &*found;
}

/// Where the n-th `$` at or after `at` stands: how a ${…} inside a quoted, folded or block text is found again.
[[nodiscard]] Where locate_dollar(const SourceText& source, Position at, std::size_t n, std::size_t width);

class Reader {
 public:
  Reader(const SourceText& source, const Variables& vars, Report& report)
      : source_(source), vars_(vars), report_(report) {}

  [[nodiscard]] Report& report() { return report_; }
  [[nodiscard]] const SourceText& source() const { return source_; }
  [[nodiscard]] const Variables& vars() const { return vars_; }

  // Each returns false (or nothing) and reports if the value is not of the kind. `what` names the field in messages.
  bool is_map(const Value& value, std::string_view what);
  bool is_list(const Value& value, std::string_view what);
  /// A text with its ${vars.…} substituted; other references are errors here.
  std::optional<std::string> text(const Value& value, std::string_view what);
  /// A text whose ${…} are resolved later.
  std::optional<Text> templated(const Value& value, std::string_view what);
  void boolean(const Value& value, std::string_view what, bool& out);
  template <class Int>
  void integer(const Value& value, std::string_view what, std::int64_t min, std::int64_t max, Int& out) {
    if (const auto number = bounded_integer(value, what, min, max)) out = static_cast<Int>(*number);
  }
  void duration(const Value& value, std::string_view what, Duration min, Duration& out);
  void size(const Value& value, std::string_view what, std::int64_t min, std::int64_t& out);
  void command(const Value& value, std::string_view what, Command& out);
  template <class Enum, std::size_t N>
  void choice(const Value& value, std::string_view what, const std::array<std::pair<std::string_view, Enum>, N>& words,
              Enum& out) {
    const auto word = text(value, what);
    if (!word) return;
    const auto found = std::ranges::find(words, std::string_view(*word), &std::pair<std::string_view, Enum>::first);
    if (found != words.end()) {
      out = found->second;
      return;
    }
    std::vector<std::string> known;
    for (const auto& [name, meaning] : words) known.emplace_back(name);
    unknown_word(value, what, *word, known);
  }

  /// Reads every key by its field; unknown ones are errors. `what`: "readiness of server kafka".
  template <class T>
  bool fields(const Value& map, std::string_view what, Fields<T> table, T& out) {
    if (!is_map(map, what)) return false;
    for (std::size_t i = 0; i < map.keys.size(); ++i) {
      const auto* field = field_named(table, map.keys[i]->text);
      if (field == nullptr) unknown_field(*map.keys[i], what, names_of(table));
      else read_field(*field, *map.keys[i], *map.items[i], out);
    }
    return true;
  }
  template <class T>
  void read_field(const Field<T>& field, const Value& key, const Value& value, T& out) {
    if (key.text.starts_with("x-")) return;
    if (field.read == nullptr) unsupported(key, field.name);
    else field.read(*this, value, out);
  }
  template <class T>
  static std::vector<std::string> names_of(Fields<T> table) {
    std::vector<std::string> names;
    for (const auto& field : table)
      if (field.read != nullptr) names.emplace_back(field.name);
    return names;
  }

  void unknown_field(const Value& key, std::string_view what, const std::vector<std::string>& known);
  void unknown_word(const Value& value, std::string_view what, std::string_view word,
                    const std::vector<std::string>& known);
  void unsupported(const Value& key, std::string_view what, std::string hint = {});
  void wrong_type(const Value& value, std::string_view what, std::string_view wanted, std::string hint = {});
  /// Whether a wrong word in `map` was probably meant to be `field`: then its absence is no news.
  [[nodiscard]] static bool meant(const Value& map, std::string_view field);
  /// A key that must be a name by `rule`.
  bool name(const Value& key, std::string_view what, bool (*good)(std::string_view), std::string_view rule);

 private:
  std::optional<std::int64_t> bounded_integer(const Value& value, std::string_view what, std::int64_t min,
                                              std::int64_t max);

  const SourceText& source_;
  const Variables& vars_;
  Report& report_;
};

}  // namespace banyan::specs
