// Nothing a stack file holds may hang the loader, fill the memory or end the stack.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/specs/files.h"

namespace banyan::specs {
namespace {

using testing::HasSubstr;

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string first_error(const Loaded& loaded) {
  return loaded.diagnostics.empty() ? "none" : loaded.diagnostics[0].code + " " + loaded.diagnostics[0].message;
}

TEST(Limits, RefuseMoreThan16MiBUnread) {
  EXPECT_EQ(first_error(load_text(std::string((16u << 20) + 1, '#'))), "E001 the file has 16777217 bytes");
}

TEST(Limits, RefuseDeepNestingAtTheLevelThatIsTooDeep) {
  const auto loaded = load_text(repeated("[", 200'000));
  EXPECT_EQ(first_error(loaded), "E001 nested deeper than 100");
  EXPECT_LE(loaded.diagnostics[0].at, (Position{1, 101}));
  for (const auto* opening : {"- ", "? ", "{a: "})
    EXPECT_EQ(first_error(load_text(repeated(opening, 50'000))), "E001 nested deeper than 100") << opening;
}

TEST(Limits, RefuseAnAliasBombBeforeItGoesOff) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 20; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + repeated(before + ",", 9) + before + "]\n";
  }
  EXPECT_THAT(first_error(load_text(bomb)), HasSubstr("aliases expanded"));
}

TEST(Limits, RefuseTooManyAliases) {
  EXPECT_EQ(first_error(load_text("x: &x y\nl: [" + repeated("*x,", 1001) + "]\n")), "E006 more than 1000 aliases");
}

TEST(Limits, ShowAHundredErrorsAndCountTheRest) {
  std::string text = "name: s\nframeworks:\n  a:\n    command: [x]\n";
  for (int i = 0; i < 5000; ++i) text += "    typo" + std::to_string(i) + ": 1\n";
  const auto loaded = load_text(text);
  ASSERT_EQ(loaded.diagnostics.size(), 101u);
  EXPECT_EQ(loaded.diagnostics.back().code, "E000");
  EXPECT_EQ(loaded.diagnostics.back().message, "and 4900 more errors");
  EXPECT_EQ(loaded.diagnostics[99].at.line, 104u);
}

TEST(Limits, TakeAHundredThousandFrameworksInAChain) {
  std::string text = "name: s\nframeworks:\n";
  for (int i = 0; i < 100'000; ++i)
    text += "  n" + std::to_string(i) + ": { command: [x]" +
            (i > 0 ? ", depends_on: [n" + std::to_string(i - 1) + "]" : "") + " }\n";
  const auto loaded = load_text(text);
  ASSERT_TRUE(loaded.stack) << first_error(loaded);
  EXPECT_EQ(loaded.stack->nodes.back().name, "n99999");
}

TEST(Limits, RefuseMoreThanAHundredThousandFrameworks) {
  std::string text = "name: s\nframeworks:\n";
  for (int i = 0; i <= 100'000; ++i) text += "  n" + std::to_string(i) + ": 0\n";
  EXPECT_EQ(first_error(load_text(text)), "E107 more than 100000 frameworks");
}

TEST(Limits, FindAShortCycleInALargeKnot) {
  std::string text = "name: s\nframeworks:\n";
  for (int i = 0; i < 3000; ++i) {
    const auto next = [&](int step) { return "n" + std::to_string((i + step) % 3000); };
    text += "  n" + std::to_string(i) + ": { command: [x], depends_on: [" + next(1) + ", " + next(2) + ", " + next(7) +
            "] }\n";
  }
  EXPECT_EQ(first_error(load_text(text)), "E104 dependency cycle");
}

TEST(Limits, RefuseHugeKeysTextsAndEnvironments) {
  EXPECT_THAT(first_error(load_text(std::string(300, 'k') + ": 1\n")), HasSubstr("a key of 300 bytes is too long"));
  EXPECT_THAT(
      first_error(load_text("x-a: " + std::string(2 << 20, 'x') + "\nname: s\nframeworks: { a: { command: [x] } }\n")),
      HasSubstr("is too long"));
  EXPECT_THAT(first_error(load_text(
                  "name: s\nframeworks:\n  a: { command: [x], env: { A: " + std::string(200'000, 'x') + " } }\n")),
              HasSubstr("environment is too large"));
}

TEST(Limits, StopSuggestingBeforeItTakesLong) {
  std::string text = "name: s\nframeworks:\n";
  for (int i = 0; i < 20'000; ++i)
    text += "  node-" + std::to_string(i) + ": { command: [x], depends_on: [noda-" + std::to_string(i) + "] }\n";
  EXPECT_EQ(load_text(text).diagnostics.size(), 101u);
}

}  // namespace
}  // namespace banyan::specs
