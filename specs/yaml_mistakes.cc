#include "specs/yaml_mistakes.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace banyan::specs {

namespace {

struct Complaint {
  std::string_view from;  ///< how yaml-cpp's message begins
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

constexpr std::string_view hard_space = "\xC2\xA0";

bool hard_space_indented(std::string_view line) {
  const auto text = line.find_first_not_of(' ');
  return text != std::string_view::npos && line.substr(text).starts_with(hard_space);
}

bool conflict_marker(std::string_view line) {
  return line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>") || line == "=======";
}

struct Opening {
  Position at;
  char character = 0;  ///< [ { " or '
};

/// The innermost bracket or quote that is open at the end of `text`. A guess good enough for a message: block texts
/// are not told apart.
Opening unclosed(const SourceText& source) {
  std::vector<std::size_t> open;
  const auto text = source.text();
  char before = '\n';  // the last character that is no space
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool starts_token = !open.empty() || std::string_view("\n:-?").find(before) != std::string_view::npos;
    if (c == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\n')) {
      i = std::min(text.find('\n', i), text.size()) - 1;
    } else if ((c == '"' || c == '\'') && std::string_view("\n:-?[{,").find(before) != std::string_view::npos) {
      auto end = i + 1;
      while (end < text.size() && text[end] != c) end += c == '"' && text[end] == '\\' ? 2 : 1;
      if (end >= text.size()) return {source.position(i), c};
      i = end;
      before = c;
    } else if ((c == '[' || c == '{') && starts_token) {
      open.push_back(i);
      before = c;
    } else if ((c == ']' || c == '}') && !open.empty()) {
      open.pop_back();
      before = c;
    } else if (c == '\n' || (c != ' ' && c != '\r' && c != '\t')) {
      before = c == '\n' && !open.empty() ? before : c;
    }
  }
  if (open.empty()) return {};
  return {source.position(open.back()), text[open.back()]};
}

}  // namespace

void explain_syntax_error(const SourceText& source, Position at, const std::string& complaint, Report& report) {
  if (const auto n = line_near(source, at.line, tab_indented); n != 0) {
    const auto column = static_cast<std::uint32_t>(source.line(n).find('\t') + 1);
    report.add("E010", {{n, column}, 1, {}}, "a tab is used for indentation", "indent with spaces");
    return;
  }
  if (const auto n = line_near(source, at.line, hard_space_indented); n != 0) {
    const auto column = static_cast<std::uint32_t>(source.line(n).find(hard_space) + 1);
    report.add("E010", {{n, column}, 1, {}}, "a non-breaking space (U+00A0) is used for indentation",
               "indent with spaces");
    return;
  }
  if (report_other_format(source, report)) return;
  if (const auto n = line_near(source, at.line, [](auto line) { return line.find("{{") != std::string_view::npos; }))
    return report_unrendered_template({n, static_cast<std::uint32_t>(source.line(n).find("{{") + 1)}, report);
  const auto* known =
      std::ranges::find_if(complaints, [&](const Complaint& c) { return complaint.starts_with(c.from); });
  if (known == complaints.end()) {
    report.add("E004", {at, 1, {}}, "YAML syntax: " + printable(complaint));
    return;
  }
  if (known->hint.starts_with("close it")) {
    if (const auto opening = unclosed(source); opening.character != 0) {
      const bool quote = opening.character == '"' || opening.character == '\'';
      report.add("E004", {opening.at, 1, {}},
                 "this " + std::string(quote ? "quote" : std::string{'"', opening.character, '"'}) + " is never closed",
                 "close it");
      return;
    }
  }
  report.add("E004", {at, 1, {}}, std::string(known->message), std::string(known->hint));
}

void report_unrendered_template(Position at, Report& report) {
  report.add("E011", {at, 2, {}}, "an unrendered template is left in the file",
             "stack files use ${vars.name}, not {{ name }}");
}

bool report_other_format(const SourceText& source, Report& report) {
  const auto first = source.text().find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && source.text()[first] == '<' && !conflict_marker(source.line(1))) {
    report.add("E011", {source.position(first), 1, {}}, "this does not look like YAML", "it begins like XML or HTML");
    return true;
  }
  for (std::uint32_t n = 1; n <= source.line_count(); ++n) {
    if (!conflict_marker(source.line(n))) continue;
    report.add("E011", {{n, 1}, 7, {}}, "a merge conflict is left in the file", "resolve it and remove the markers");
    return true;
  }
  return false;
}

bool report_compose_file(const Value& root, Report& report) {
  const auto* services = root.find("services");
  if (services == nullptr || !services->is_map() || root.find("frameworks") != nullptr) return false;
  const auto name = std::ranges::find(root.keys, std::string_view("services"),
                                      [](const Value* key) { return std::string_view(key->text); });
  report.add("E012", (*name)->where(), "this is a Compose file, not a stack file",
             "services are frameworks here, run without images: image becomes command and uris, environment env, "
             "healthcheck readiness; `banyan explain E012` shows both side by side");
  return true;
}

}  // namespace banyan::specs
