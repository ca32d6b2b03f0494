#include "specs/diagnostic.h"

#include <algorithm>
#include <boost/json.hpp>
#include <numeric>

#include "specs/load.h"
#include "specs/report.h"
#include "specs/source_text.h"

namespace banyan::specs {

namespace {

constexpr std::size_t shown_line_bytes_max = 160;
constexpr std::size_t shown_before_caret = 60;
constexpr std::size_t word_bytes_max = 64;

std::string place(const std::string& file, Position at) {
  return file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

const char* word(Severity severity) { return severity == Severity::error ? "error" : "warning"; }

/// The source line and its carets, cut to what fits around them. What a terminal could act on is replaced.
struct Excerpt {
  std::string line;
  std::string carets;
};

Excerpt excerpt(std::string_view line, std::size_t column, std::size_t width) {
  std::size_t begin = 0;
  if (line.size() > shown_line_bytes_max && column > shown_before_caret) begin = column - shown_before_caret;
  const auto utf8_tail = [&](std::size_t i) {
    return i < line.size() && (static_cast<unsigned char>(line[i]) & 0xC0u) == 0x80u;
  };
  while (utf8_tail(begin)) ++begin;
  auto end = std::min(line.size(), begin + shown_line_bytes_max);
  while (utf8_tail(end)) ++end;

  Excerpt out;
  if (begin > 0) out.line = out.carets = "...";
  if (begin > 0) out.carets = "   ";
  const auto from = column - 1;
  const auto bad = bad_characters(line.substr(begin, end - begin), shown_line_bytes_max);
  auto next_bad = bad.begin();
  for (auto i = begin; i < end; ++i) {
    const bool is_bad = next_bad != bad.end() && next_bad->offset == i - begin;
    if (is_bad) {
      out.line += "\uFFFD";
      i += (next_bad++)->length - 1;
    } else {
      out.line += line[i] == '\t' ? ' ' : line[i];
    }
    if (!is_bad && utf8_tail(i)) continue;  // one column a character
    if (i < from) out.carets += ' ';
    if (i >= from && i < from + width) out.carets += '^';
  }
  if (out.carets.find('^') == std::string::npos) out.carets += '^';
  if (end < line.size()) out.line += "...";
  return out;
}

}  // namespace

std::string render(const Diagnostic& diagnostic, std::string_view text) {
  const std::string severity = word(diagnostic.severity);
  if (diagnostic.code == "E000") return severity + ": " + diagnostic.message + "\n";
  std::string out = severity + "[" + diagnostic.code + "]: " + diagnostic.message + "\n";
  const auto number = std::to_string(diagnostic.at.line);
  const std::string gutter(number.size(), ' ');
  out += gutter + "--> " + place(diagnostic.file, diagnostic.at) + "\n";
  if (!text.empty()) {
    const SourceText source(text);
    const auto shown = excerpt(source.line(diagnostic.at.line), std::max(diagnostic.at.column, 1u), diagnostic.width);
    out += gutter + " |\n";
    out += number + " | " + shown.line + "\n";
    out += gutter + " | " + shown.carets;
    if (!diagnostic.label.empty()) out += " " + diagnostic.label;
    out += "\n";
  }
  for (const auto& related : diagnostic.related)
    out += gutter + " = note: " + related.message + " at " +
           place(related.file.empty() ? diagnostic.file : related.file, related.at) + "\n";
  if (!diagnostic.hint.empty()) out += gutter + " = help: " + diagnostic.hint + "\n";
  return out;
}

std::string render_line(const Diagnostic& diagnostic) {
  return std::string(word(diagnostic.severity)) + "[" + diagnostic.code + "]: " + diagnostic.message + " at " +
         place(diagnostic.file, diagnostic.at);
}

std::string render(const Diagnostic& diagnostic, const Loaded& loaded) {
  const auto text = loaded.texts.find(diagnostic.file);
  return render(diagnostic, text == loaded.texts.end() ? std::string_view() : std::string_view(text->second));
}

std::string render(const Loaded& loaded) {
  std::string out;
  for (const auto& d : loaded.diagnostics) out += render(d, loaded) + "\n";
  return out;
}

std::string render_json(const std::vector<Diagnostic>& diagnostics) {
  boost::json::array all;
  for (const auto& d : diagnostics) {
    boost::json::array related;
    for (const auto& r : d.related)
      related.push_back({{"file", r.file.empty() ? d.file : r.file},
                         {"line", r.at.line},
                         {"col", r.at.column},
                         {"message", r.message}});
    all.push_back({{"code", d.code},
                   {"severity", word(d.severity)},
                   {"file", d.file},
                   {"line", d.at.line},
                   {"col", d.at.column},
                   {"end_col", d.at.column + d.width},
                   {"message", d.message},
                   {"hint", d.hint},
                   {"related", std::move(related)}});
  }
  return boost::json::serialize(all);
}

/// Optimal string alignment distance: insert, delete, replace, swap of neighbours.
static std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  if (word.empty() || word.size() > word_bytes_max) return best;
  auto allowed = std::max<std::size_t>(1, word.size() / 3) + 1;  // strictly less than this
  for (const auto& candidate : candidates) {
    const auto difference =
        candidate.size() > word.size() ? candidate.size() - word.size() : word.size() - candidate.size();
    if (difference >= allowed) continue;
    const auto d = distance(word, candidate);
    if (d >= allowed) continue;
    allowed = d;
    best = candidate;
  }
  return best;
}

}  // namespace banyan::specs
