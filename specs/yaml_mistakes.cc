#include "specs/yaml_mistakes.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace banyan::specs {

namespace {

struct Complaint {
  std::string_view from;         ///< how yaml-cpp's message begins
  std::string_view message;
  std::string_view hint;
};

constexpr std::array<Complaint, 14> complaints = {{
    {"end of sequence flow not found", "this \"[\" is never closed", "close it with \"]\""},
    {"end of map flow not found", "this \"{\" is never closed", "close it with \"}\""},
    {"illegal map value", "a \":\" where no value can begin",
     "is the line indented like its neighbours? quote a text that contains \": \""},
    {"illegal block entry", "a \"- \" where no list can begin", "indent the list below its key"},
    {"illegal map key", "a key where none can stand", "indent it like its neighbours"},
    {"end of map not found", "this line does not fit the mapping above it", "indent it like its neighbours"},
    {"end of sequence not found", "this line does not fit the list above it", "indent it like its neighbours"},
    {"unknown escape character", "unknown escape in a double-quoted text",
     "write \"\\\\\" for a backslash, or use single quotes"},
    {"illegal EOF in scalar", "this quote is never closed", "close it"},
    {"illegal document indicator in scalar", "this quote is never closed", "close it"},
    {"the referenced anchor is not defined", "no anchor of this name is defined above", "define it with &name first"},
    {"unknown token", "a character that cannot stand here", "quote the text if it is meant"},
    {"illegal tab when looking for indentation", "a tab is used for indentation", "indent with spaces"},
    {"illegal flow end", "a closing bracket without an opening one", "remove it"},
}};

/// The line at or above `line` that satisfies `test`, within a few lines; 0 if none.
template <class Test>
std::uint32_t line_near(const SourceText& source, std::uint32_t line, Test test) {
  const auto last = std::min<std::size_t>(line + 1, source.line_count());
  for (auto n = static_cast<std::uint32_t>(last); n > 0 && n + 4 > line; --n)
    if (test(source.line(n))) return n;
  return 0;
}

bool tab_indented(std::string_view line) {
  const auto text = line.find_first_not_of(" \t");
  return line.substr(0, text == std::string_view::npos ? 0 : text).find('\t') != std::string_view::npos;
}

bool conflict_marker(std::string_view line) {
  return line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>") || line == "=======";
}

/// An opening quote that no quote closes: yaml-cpp points at the end of the text, people look for its beginning.
Position opening_quote(const SourceText& source, Position end) {
  for (auto n = end.line; n > 0; --n) {
    const auto line = source.line(n);
    for (const char quote : {'"', '\''}) {
      const auto from = line.find(quote);
      if (from != std::string_view::npos && std::ranges::count(line, quote) % 2 == 1)
        return {n, static_cast<std::uint32_t>(line.rfind(quote) + 1)};
    }
  }
  return end;
}

}  // namespace

void explain_syntax_error(const SourceText& source, Position at, const std::string& complaint, Report& report) {
  if (const auto n = line_near(source, at.line, tab_indented); n != 0) {
    const auto column = static_cast<std::uint32_t>(source.line(n).find('\t') + 1);
    report.add("E010", {{n, column}, 1, {}}, "a tab is used for indentation", "indent with spaces");
    return;
  }
  if (const auto n = line_near(source, at.line, conflict_marker); n != 0) {
    report.add("E011", {{n, 1}, 7, {}}, "a merge conflict is left in the file", "resolve it and remove the markers");
    return;
  }
  const auto first = source.text().find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && source.text()[first] == '<') {
    report.add("E011", {source.position(first), 1, {}}, "this does not look like YAML", "it begins like XML or HTML");
    return;
  }
  if (const auto n = line_near(source, at.line, [](auto line) { return line.find("{{") != std::string_view::npos; })) {
    const auto column = static_cast<std::uint32_t>(source.line(n).find("{{") + 1);
    report.add("E011", {{n, column}, 2, {}}, "an unrendered template is left in the file",
               "stack files use ${vars.name}, not {{ name }}");
    return;
  }
  const auto* known =
      std::ranges::find_if(complaints, [&](const Complaint& c) { return complaint.starts_with(c.from); });
  if (known == complaints.end()) {
    report.add("E004", {at, 1, {}}, "YAML syntax: " + printable(complaint));
    return;
  }
  if (known->message == "this quote is never closed") at = opening_quote(source, at);
  report.add("E004", {at, 1, {}}, std::string(known->message), std::string(known->hint));
}

}  // namespace banyan::specs
