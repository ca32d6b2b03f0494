#include "tests/stories.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace banyan::stories {

namespace {

std::string read(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string retold(const std::string& story, const Teller& teller) {
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
      for (auto& answer : teller(line)) answers.push_back(std::move(answer));
    }
  }
  finish();
  return told;
}

}  // namespace

std::vector<std::string> in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(folder)) names.push_back(file.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

void expect_told(const std::string& folder, const std::string& name, const Teller& teller) {
  const auto path = std::filesystem::path(folder) / (name + ".txt");
  const std::string recorded = read(path);
  const std::string told = retold(recorded, teller);
  if (std::getenv("BANYAN_RECORD") != nullptr) std::ofstream(path) << told;
  else EXPECT_EQ(told, recorded);
}

}  // namespace banyan::stories
