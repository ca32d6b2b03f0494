// A file's text with its lines: what positions mean. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "specs/stack.h"

namespace banyan::specs {

/// Lines end at "\n" or "\r\n". Positions are 1-based, columns count bytes.
/// LIFETIME: `text` must outlive it.
class SourceText {
 public:
  explicit SourceText(std::string_view text);

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::size_t line_count() const { return starts_.size(); }
  /// Without its line end; empty for a line that is not there.
  [[nodiscard]] std::string_view line(std::uint32_t number) const;
  /// Clamped to the text.
  [[nodiscard]] std::size_t offset(Position at) const;
  [[nodiscard]] Position position(std::size_t offset) const;

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

/// The n-th byte sequence that is not UTF-8 or a character no stack file may hold (control, bidi, zero-width).
struct BadCharacter {
  std::size_t offset = 0;
  std::size_t length = 1;
  bool encoding = false;  ///< not UTF-8 at all
  std::string what;       ///< "U+202E right-to-left override"
};
[[nodiscard]] std::vector<BadCharacter> bad_characters(std::string_view text, std::size_t at_most);

}  // namespace banyan::specs
