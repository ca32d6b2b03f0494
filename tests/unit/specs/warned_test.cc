// Stack files that load with a warning, each with its exact words beside it. BANYAN_RECORD=1 writes them anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "tests/unit/specs/files.h"

namespace banyan::specs {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> warned_files() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(SOURCE_DIR "/warned"))
    if (entry.path().extension() == ".yaml") out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

class WarnedStackFile : public testing::TestWithParam<fs::path> {};

TEST_P(WarnedStackFile, LoadsWithTheseWords) {
  const auto loaded = load(source_of(GetParam()));
  EXPECT_TRUE(loaded.stack);
  const auto messages = render(loaded);
  const auto golden = fs::path(GetParam()).replace_extension(".txt");
  if (std::getenv("BANYAN_RECORD") != nullptr) std::ofstream(golden, std::ios::binary) << messages;
  EXPECT_EQ(messages, slurp(golden));
  for (const auto& d : loaded.diagnostics) EXPECT_EQ(d.severity, Severity::warning);
}

INSTANTIATE_TEST_SUITE_P(Every, WarnedStackFile, testing::ValuesIn(warned_files()),
                         [](const auto& test) { return test.param.stem().string(); });

TEST(Warnings, AreAllExplainedAndAllShown) {
  std::set<std::string> shown, explained;
  for (const auto& file : warned_files())
    for (const auto& d : load(source_of(file)).diagnostics) shown.insert(d.code);
  for (const auto& explanation : all_explanations())
    if (explanation.code.starts_with('W')) explained.emplace(explanation.code);
  EXPECT_EQ(shown, explained);
}

TEST(Warnings, GiveWayToErrors) {
  auto source = source_of(SOURCE_DIR "/warned/edges.yaml");
  source.text += "  broken: { command: [x], ports: [] }\n";
  const auto loaded = load(source);
  EXPECT_FALSE(loaded.stack);
  for (const auto& d : loaded.diagnostics) EXPECT_EQ(d.severity, Severity::error) << d.message;
}

TEST(Warnings, HaveTheirSeverityForPrograms) {
  const auto loaded = load(source_of(SOURCE_DIR "/warned/names_a_shell_drops.yaml"));
  const auto json = render_json(loaded.diagnostics);
  EXPECT_NE(json.find(R"("code":"W505","severity":"warning")"), std::string::npos) << json;
}

TEST(Warnings, FitALine) {
  const auto loaded = load(source_of(SOURCE_DIR "/warned/names_a_shell_drops.yaml"));
  ASSERT_FALSE(loaded.diagnostics.empty());
  const auto line = render_line(loaded.diagnostics[0]);
  EXPECT_TRUE(line.starts_with("warning[W505]: a shell may not pass ")) << line;
  EXPECT_NE(line.find(" at names_a_shell_drops.yaml:"), std::string::npos) << line;
  EXPECT_EQ(line.find('\n'), std::string::npos) << line;
}

TEST(Warnings, AreNotAboutEdgesThatAreUsed) {
  for (const std::string use : {"[a, \"${db.endpoints.sql}\"]", "'a --db $BANYAN_ENDPOINT_DB_SQL'"}) {
    const auto loaded = load_text(
        "name: s\nframeworks:\n"
        "  db: { command: [d], ports: { sql: auto }, endpoints: { sql: sql }, readiness: { tcp: sql } }\n"
        "  job: { command: [j], goal: completed }\n"
        "  a: { command: " +
        use + ", depends_on: { db: {}, job: { condition: completed } } }\n");
    ASSERT_TRUE(loaded.stack) << render(loaded);
    EXPECT_TRUE(loaded.diagnostics.empty()) << render(loaded);
  }
}

}  // namespace
}  // namespace banyan::specs
