// LANGUAGE.md says what holds: each of its examples loads, in the place where it belongs.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "tests/unit/specs/files.h"

namespace banyan::specs {
namespace {

/// One example; where a key comes twice, as in two ways to write one field, an example each.
struct Snippet {
  std::string heading;
  std::string text;
};

std::vector<Snippet> snippets() {
  std::vector<Snippet> out;
  std::istringstream lines(slurp(SOURCE_DIR "/../../../specs/LANGUAGE.md"));
  std::string heading;
  bool inside = false;
  std::set<std::string> keys;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#") && !inside) heading = line.substr(line.find(' ') + 1);
    if (line.starts_with("```")) {
      inside = line == "```yaml";
      keys.clear();
      if (inside) out.push_back({heading, {}});
      continue;
    }
    if (!inside) continue;
    const bool key = !line.empty() && line[0] != ' ' && line[0] != '#';
    if (key && !keys.insert(line.substr(0, line.find(':'))).second) out.push_back({heading, {}});
    out.back().text += line + "\n";
  }
  return out;
}

std::string indented(const std::string& text) {
  std::string out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out += "    " + line + "\n";
  return out;
}

bool has_key(const std::string& text, const std::string& key) {
  return ("\n" + text).find("\n" + key + ":") != text.npos;
}

/// The frameworks and ports that the examples speak of.
constexpr const char* surroundings =
    "  zookeeper: { command: [z] }\n"
    "  kafka: { command: [k], ports: { b: auto }, endpoints: { broker: b } }\n"
    "  db: { command: [d], ports: { s: auto }, endpoints: { sql: s } }\n"
    "  cache: { command: [c] }\n"
    "  migrate: { command: [m], goal: completed }\n";

std::string stack_of(const Snippet& snippet) {
  if (has_key(snippet.text, "frameworks")) return snippet.text;
  std::string out = "name: shop\n";
  const bool top = has_key(snippet.text, "vars") || has_key(snippet.text, "profiles");
  if (top) out += snippet.text;
  if (has_key(snippet.text, "profiles")) out += "vars: { brokers: 3 }\n";
  out += std::string("frameworks:\n") + surroundings + "  app:\n";
  if (top) return out + "    command: [a]\n";
  if (!has_key(snippet.text, "scheduler") || snippet.text.find("command:") == std::string::npos) {
    out += "    command: [a]\n";
    if (!has_key(snippet.text, "ports")) out += "    ports: { client: auto, http: auto, broker: auto, admin: auto }\n";
  }
  auto text = snippet.text;
  if (const auto server = text.find("server: indexer"); server != std::string::npos)
    text.replace(server, 15, "server: app");
  return out + indented(text);
}

TEST(LanguageReference, HasExamplesThatAllLoad) {
  const auto all = snippets();
  EXPECT_GE(all.size(), 15u);
  for (const auto& snippet : all) {
    Source source;
    source.file = snippet.heading;
    source.text = stack_of(snippet);
    source.vars = {{"home", "/opt"}};
    if (!has_key(snippet.text, "vars")) source.vars.clear();
    source.read_file = [](const std::string&) -> Result<std::string> { return "a template"; };
    const auto loaded = load(source);
    EXPECT_TRUE(loaded.stack) << render(loaded) << source.text;
  }
}

/// Rows such as "| `user` | the framework's | `user: nobody` |".
TEST(LanguageReference, HasATableThatNamesEveryFieldOfAServer) {
  const auto text = slurp(SOURCE_DIR "/../../../specs/LANGUAGE.md");
  for (const std::string field : {"command", "instances", "resources", "uris", "files", "env", "ports", "volumes",
                                  "user", "readiness", "restart", "stop"})
    EXPECT_NE(text.find("\n| `" + field + "` |"), std::string::npos) << field;
}

TEST(LanguageReference, ListsWhatIsPlannedAndRefusesIt) {
  const auto text = slurp(SOURCE_DIR "/../../../specs/LANGUAGE.md");
  for (const std::string word : {"image", "liveness", "disconnect", "update", "constraints", "env_file", "healthcheck",
                                 "labels", "working_dir", "extends", "secrets"}) {
    EXPECT_NE(text.find("`" + word + "`"), std::string::npos) << word;
    const auto loaded = load_text("name: s\nframeworks:\n  a: { command: [x], " + word + ": y }\n");
    ASSERT_EQ(loaded.diagnostics.size(), 1u) << word;
    EXPECT_EQ(loaded.diagnostics[0].code, "E208") << word;
  }
}

TEST(LanguageReference, ExplainsTheCodesItNames) {
  const auto text = slurp(SOURCE_DIR "/../../../specs/LANGUAGE.md");
  for (std::size_t i = 0; i + 4 <= text.size(); ++i) {
    const auto code = text.substr(i, 4);
    if ((code[0] == 'E' || code[0] == 'W') && code.find_first_not_of("0123456789", 1) == std::string::npos) {
      EXPECT_NE(explain(code), nullptr) << code;
    }
  }
}

}  // namespace
}  // namespace banyan::specs
