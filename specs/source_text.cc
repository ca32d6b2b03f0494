#include "specs/source_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace banyan::specs {

SourceText::SourceText(std::string_view text) : text_(text), starts_{0} {
  for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) starts_.push_back(at + 1);
}

std::string_view SourceText::line(std::uint32_t number) const {
  if (number == 0 || number > starts_.size()) return {};
  const auto start = starts_[number - 1];
  const auto end = number < starts_.size() ? starts_[number] - 1 : text_.size();
  auto line = text_.substr(start, end - start);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::size_t SourceText::offset(Position at) const {
  if (at.line == 0 || at.column == 0) return 0;
  if (at.line > starts_.size()) return text_.size();
  return std::min(starts_[at.line - 1] + at.column - 1, text_.size());
}

Position SourceText::position(std::size_t offset) const {
  const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
  const auto line = static_cast<std::uint32_t>(next - starts_.begin());
  return {line, static_cast<std::uint32_t>(offset - starts_[line - 1] + 1)};
}

namespace {

struct Decoded {
  std::uint32_t code = 0;
  std::size_t length = 0;  ///< 0: not UTF-8
};

Decoded decode(std::string_view rest) {
  const auto lead = static_cast<unsigned char>(rest[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || rest.size() < length) return {};
  std::uint32_t code = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(rest[i]);
    if ((next & 0xC0u) != 0x80u) return {};
    code = code << 6 | (next & 0x3Fu);
  }
  constexpr std::array<std::uint32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < least[length] || code > 0x10FFFF || surrogate) return {};
  return {code, length};
}

struct Range {
  std::uint32_t first, last;
  const char* what;
};

/// Characters that are invisible, reorder text or end it: they make a file read differently than it looks.
constexpr std::array<Range, 10> forbidden = {{
    {0x00, 0x00, "NUL byte"},
    {0x01, 0x08, "control character"},
    {0x0B, 0x0C, "control character"},
    {0x0E, 0x1F, "control character"},
    {0x7F, 0x9F, "control character"},
    {0x200B, 0x200F, "invisible character"},
    {0x2028, 0x202E, "character that breaks or reorders lines"},
    {0x2060, 0x2069, "invisible or reordering character"},
    {0xFEFF, 0xFEFF, "byte order mark inside the text"},
    {0xFFFE, 0xFFFF, "character that is none"},
}};

}  // namespace

std::vector<BadCharacter> bad_characters(std::string_view text, std::size_t at_most) {
  std::vector<BadCharacter> found;
  for (std::size_t i = 0; i < text.size() && found.size() < at_most;) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte < 0x7F) {
      ++i;
      continue;
    }
    const auto [code, length] = decode(text.substr(i));
    std::array<char, 64> name{};
    if (length == 0) {
      std::snprintf(name.data(), name.size(), "0x%02X", byte);
      found.push_back({i, 1, true, name.data()});
    } else if (const auto* range =
                   std::ranges::find_if(forbidden, [c = code](const Range& r) { return c >= r.first && c <= r.last; });
               range != forbidden.end()) {
      std::snprintf(name.data(), name.size(), "U+%04X (%s)", static_cast<unsigned>(code), range->what);
      found.push_back({i, length, false, name.data()});
    }
    i += std::max<std::size_t>(length, 1);
  }
  return found;
}

}  // namespace banyan::specs
