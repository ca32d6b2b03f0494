#include "orchestrator/cli/paint.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace banyan::cli {
namespace {

struct StateLook {
  std::string_view state;
  Look look;
};

constexpr std::array<StateLook, 15> looks{{
    {"waiting", {"◌", Tone::faint}},
    {"launching", {"◔", Tone::busy}},
    {"starting", {"◑", Tone::busy}},
    {"serving", {"✔", Tone::good}},
    {"degraded", {"!", Tone::warning}},
    {"failed", {"✘", Tone::bad}},
    {"quarantined", {"✘", Tone::bad}},
    {"stopping", {"◑", Tone::busy}},
    {"stopped", {"○", Tone::faint}},
    {"completed", {"✔", Tone::good}},
    {"running", {"✔", Tone::good}},
    {"unreachable", {"!", Tone::warning}},
    {"none", {"○", Tone::faint}},
    {"unknown", {"?", Tone::warning}},
    {"unreadable", {"✘", Tone::bad}},
}};

/// Length in bytes of the escape sequence at the start of `text`; 0: none.
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2 || text[0] != '\x1b' || text[1] != '[') return 0;
  const auto end = text.find('m');
  return end == std::string_view::npos ? 0 : end + 1;
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

std::string Paint::operator()(Tone tone, std::string_view text) const {
  static constexpr std::string_view codes[] = {"", "32", "34", "33", "31", "2", "1"};
  const auto code = codes[static_cast<std::size_t>(tone)];
  if (!color || code.empty() || text.empty()) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

Look look(std::string_view state) {
  for (const auto& row : looks)
    if (row.state == state) return row.look;
  return {"·", Tone::plain};
}

std::size_t width(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (const auto skip = escape_length(text.substr(i)); skip > 0) {
      i += skip;
      continue;
    }
    if (!continues(text[i])) ++columns;
    ++i;
  }
  return columns;
}

std::string fit(const std::string& text, std::size_t columns) {
  if (width(text) <= columns) return text;
  std::string kept;
  std::size_t shown = 0;
  bool escaped = false;
  for (std::size_t i = 0; i < text.size();) {
    if (const auto skip = escape_length(std::string_view(text).substr(i)); skip > 0) {
      kept += text.substr(i, skip);
      escaped = true;
      i += skip;
      continue;
    }
    if (!continues(text[i]) && ++shown >= columns) break;
    kept += text[i++];
  }
  return kept + "…" + (escaped ? "\x1b[0m" : "");
}

std::string table(const std::vector<std::vector<std::string>>& rows, const std::vector<std::size_t>& right) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(0);
      widths[i] = std::max(widths[i], width(row[i]));
    }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string pad(widths[i] - width(row[i]), ' ');
      const bool to_the_right = std::find(right.begin(), right.end(), i) != right.end();
      line += (i == 0 ? "" : "  ") + (to_the_right ? pad + row[i] : row[i] + pad);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string elapsed(std::uint64_t ms) {
  char text[32];
  const auto s = ms / 1000;
  if (s < 60)
    std::snprintf(text, sizeof text, "%llu.%llus", static_cast<unsigned long long>(s),
                  static_cast<unsigned long long>(ms % 1000 / 100));
  else if (s < 3600)
    std::snprintf(text, sizeof text, "%llum%02llus", static_cast<unsigned long long>(s / 60),
                  static_cast<unsigned long long>(s % 60));
  else
    std::snprintf(text, sizeof text, "%lluh%02llum", static_cast<unsigned long long>(s / 3600),
                  static_cast<unsigned long long>(s / 60 % 60));
  return text;
}

}  // namespace banyan::cli
