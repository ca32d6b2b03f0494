// Stack files that must be refused, each with its exact messages beside it. BANYAN_RECORD=1 writes them anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "specs/report.h"
#include "tests/unit/specs/files.h"

namespace banyan::specs {
namespace {

namespace fs = std::filesystem;

/// A first line such as `# --profile small --var x=1` gives the command line's part.
Source with_flags(Source source) {
  if (!source.text.starts_with("# --")) return source;
  std::istringstream words(source.text.substr(2, source.text.find('\n') - 2));
  for (std::string flag, value; words >> flag >> value;) {
    if (flag == "--profile") source.profile = value;
    if (flag == "--var") source.vars[value.substr(0, value.find('='))] = value.substr(value.find('=') + 1);
  }
  return source;
}

std::vector<fs::path> bad_files() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(SOURCE_DIR "/bad"))
    if (entry.path().extension() == ".yaml") out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

class BadStackFile : public testing::TestWithParam<fs::path> {};

TEST_P(BadStackFile, IsRefusedInTheseWords) {
  const auto loaded = load(with_flags(source_of(GetParam())));
  EXPECT_FALSE(loaded.stack);
  const auto messages = render(loaded);
  const auto golden = fs::path(GetParam()).replace_extension(".txt");
  if (std::getenv("BANYAN_RECORD") != nullptr) std::ofstream(golden, std::ios::binary) << messages;
  EXPECT_EQ(messages, slurp(golden));
}

TEST_P(BadStackFile, IsRefusedInSortedOrderWithEachErrorOnce) {
  const auto loaded = load(with_flags(source_of(GetParam())));
  std::set<std::tuple<std::string, Position, std::string, std::string>> seen;
  const Diagnostic* before = nullptr;
  for (const auto& d : loaded.diagnostics) {
    EXPECT_TRUE(seen.emplace(d.file, d.at, d.code, d.message).second) << d.message;
    if (before != nullptr && before->file == d.file) {
      EXPECT_LE(before->at, d.at);
    }
    before = &d;
  }
}

INSTANTIATE_TEST_SUITE_P(Every, BadStackFile, testing::ValuesIn(bad_files()),
                         [](const auto& test) { return test.param.stem().string(); });

TEST(BadStackFiles, AreSixtyAtLeast) { EXPECT_GE(bad_files().size(), 60u); }

TEST(BadStackFiles, ShowEveryCodeThatIsExplained) {
  std::set<std::string> shown = {"E000", "E001", "E107", "E501"};  // limits_test.cc, unit_root's bundle_test.cc
  for (const auto& file : bad_files())
    for (const auto& d : load(with_flags(source_of(file))).diagnostics) shown.insert(d.code);
  for (const auto& explanation : all_explanations()) {
    if (explanation.code.starts_with('W')) continue;  // warned_test.cc
    EXPECT_TRUE(shown.contains(std::string(explanation.code))) << explanation.code;
    shown.erase(std::string(explanation.code));
  }
  EXPECT_TRUE(shown.empty()) << "not explained: " << *shown.begin();
}

}  // namespace
}  // namespace banyan::specs
