// Glyphs, colours and columns. Pure. Colour is never the only carrier: a state is always glyph and word.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace banyan::cli {

enum class Tone { plain, good, busy, warning, bad, faint, strong };

struct Paint {
  bool color = false;
  [[nodiscard]] std::string operator()(Tone tone, std::string_view text) const;
};

struct Look {
  std::string_view glyph;
  Tone tone;
};
/// Of a node's, server's or stack's state.
[[nodiscard]] Look look(std::string_view state);

/// Columns a terminal shows `text` in: escape sequences take none, UTF-8 sequences one.
[[nodiscard]] std::size_t width(std::string_view text);
/// Cut to `columns` with an ellipsis; escape sequences are kept.
[[nodiscard]] std::string fit(const std::string& text, std::size_t columns);

/// Left-aligned columns two blanks apart, no blanks at line ends. `right` names columns aligned to the right.
[[nodiscard]] std::string table(const std::vector<std::vector<std::string>>& rows,
                                const std::vector<std::size_t>& right = {});

/// 1240 -> "1.2s", 65000 -> "1m05s", 7300000 -> "2h01m".
[[nodiscard]] std::string elapsed(std::uint64_t ms);

}  // namespace banyan::cli
