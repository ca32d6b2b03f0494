// Runs every story in tests/scenarios/master; BANYAN_RECORD=1 writes what came of it instead of comparing.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/scenarios/master_script.h"

namespace banyan::scenario {
namespace {

std::string read(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// The story as it is when told again: comments and commands kept, answers made anew.
std::string replay(const std::string& story) {
  MasterScript script;
  std::stringstream in(story);
  std::string told;
  std::vector<std::string> answers;
  bool answering = false;
  const auto finish = [&] {
    if (!answering) return;
    for (const auto& answer : answers) told += answer + "\n";
    answers.clear();
    answering = false;
  };
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) {
      finish();
      told += "\n";
    } else if (line == "----") {
      answering = true;
      told += line + "\n";
    } else if (!answering) {
      told += line + "\n";
      if (line[0] == '#') continue;
      for (auto& answer : script.run(line)) answers.push_back(std::move(answer));
    }
  }
  finish();
  return told;
}

class MasterStories : public testing::TestWithParam<std::string> {};

TEST_P(MasterStories, AreToldAsRecorded) {
  const std::filesystem::path path = std::filesystem::path(SOURCE_DIR) / "master" / (GetParam() + ".txt");
  const std::string recorded = read(path);
  const std::string told = replay(recorded);
  if (std::getenv("BANYAN_RECORD")) std::ofstream(path) << told;
  else EXPECT_EQ(told, recorded);
}

std::vector<std::string> stories() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(SOURCE_DIR) / "master"))
    names.push_back(file.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Story, MasterStories, testing::ValuesIn(stories()),
                         [](const auto& story) { return story.param; });

}  // namespace
}  // namespace banyan::scenario
