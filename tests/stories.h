// Whole conversations with a core as golden text: one file, one story.
//
// Lines above `----` are what happens; lines below, up to the next empty line, are everything the core wants done
// because of it. With BANYAN_RECORD=1 a story is written as it is told now instead of compared.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace banyan::stories {

/// Carries out one line; gives what came of it, one line each.
using Teller = std::function<std::vector<std::string>(const std::string& line)>;

/// The names of FOLDER/*.txt, sorted.
[[nodiscard]] std::vector<std::string> in(const std::string& folder);

/// Fails the test unless FOLDER/NAME.txt is told as recorded: comments and commands kept, answers made anew.
void expect_told(const std::string& folder, const std::string& name, const Teller& teller);

}  // namespace banyan::stories
