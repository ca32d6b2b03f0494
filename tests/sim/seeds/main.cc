// Lives many stories: `sim_seeds usual|all FIRST LAST FOLDER` or `sim_seeds --replay FILE`. Each life is a process of
// its own, so that a core which ends itself is a verdict too. Exit: 0 all good, 1 a law was broken, 2 some did not
// heal.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "tests/sim/story.h"

namespace banyan::sim {
namespace {

using Verdict = Outcome::Verdict;

/// live() in a child of ours: a core that ends itself must not end the search.
Outcome live_apart(const Story& story) {
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  std::cout.flush();
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);  // what it says when a check fails
    const Outcome outcome = live(story);
    std::ostringstream out;
    out << "\x01" << static_cast<int>(outcome.verdict) << ' ' << outcome.hash << ' ' << outcome.lived.count() << ' '
        << outcome.law << '\n'
        << outcome.text;
    const std::string bytes = out.str();
    for (std::size_t sent = 0; sent < bytes.size();) {
      const auto n = ::write(ends[1], bytes.data() + sent, bytes.size() - sent);
      if (n <= 0) std::_Exit(3);
      sent += static_cast<std::size_t>(n);
    }
    std::_Exit(0);
  }
  ::close(ends[1]);
  std::string said;
  char buffer[65536];
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) said.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  Outcome outcome;
  const auto begin = said.find('\x01');
  if (status != 0 || begin == std::string::npos) {
    outcome.verdict = Verdict::unsafe;
    outcome.law = "a core ended itself";
    outcome.text = said;
    return outcome;
  }
  std::istringstream in(said.substr(begin + 1));
  int verdict = 0;
  Duration::rep lived = 0;
  in >> verdict >> outcome.hash >> lived;
  outcome.verdict = static_cast<Verdict>(verdict);
  outcome.lived = Duration(lived);
  std::getline(in >> std::ws, outcome.law);
  outcome.text = said.substr(std::min(said.size(), said.find('\n', begin) + 1));
  return outcome;
}

std::string shown(const Outcome& outcome) {
  if (outcome.verdict == Verdict::good) return "good";
  return (outcome.verdict == Verdict::unsafe ? "UNSAFE " : "STUCK ") + outcome.law;
}

int exit_code(std::map<Verdict, unsigned> verdicts) {
  return verdicts[Verdict::unsafe] > 0 ? 1 : verdicts[Verdict::stuck] > 0 ? 2 : 0;
}

void keep(const Story& story, const Outcome& outcome, const std::string& folder) {
  const std::string file = folder + "/seed-" + std::to_string(story.seed) + ".story";
  const auto write = [&](const Story& what) { std::ofstream(file) << "# " << shown(outcome) << "\n" << text(what); };
  write(story);  // shrinking takes its time, and may be stopped
  const Story small = shrink(story, [&outcome](const Story& less) {
    const Outcome other = live_apart(less);
    return other.verdict == outcome.verdict && other.law == outcome.law;
  });
  write(small);
  std::cout << live_apart(small).text << "shrunk to " << small.faults.size()
            << " faults; replay with: tests/sim/run --replay " << file << "\n";
}

int search(Story (*drawn)(std::uint64_t), std::uint64_t first, std::uint64_t last, const std::string& folder) {
  std::map<Verdict, unsigned> verdicts;
  std::map<std::string, unsigned> kinds;
  Duration lived{};
  std::uint64_t hash = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const Story story = drawn(seed);
    const Outcome outcome = live_apart(story);
    ++verdicts[outcome.verdict];
    for (const auto& fault : story.faults) ++kinds[std::string(row(fault.kind).name)];
    lived += outcome.lived;
    hash = hash * 0x100000001b3ULL ^ outcome.hash;
    std::printf("seed %llu %s, %zu faults, %.0f s, hash %016llx\n", static_cast<unsigned long long>(seed),
                shown(outcome).c_str(), story.faults.size(), seconds(outcome.lived),
                static_cast<unsigned long long>(outcome.hash));
    if (outcome.verdict != Verdict::good) keep(story, outcome, folder);
  }
  std::printf(
      "%llu seeds, %.1f virtual hours, hash %016llx, faults:", static_cast<unsigned long long>(last - first + 1),
      seconds(lived) / 3600, static_cast<unsigned long long>(hash));
  for (const auto& [kind, count] : kinds) std::printf(" %s %u", kind.c_str(), count);
  std::printf("\n%u good, %u unsafe, %u stuck\n", verdicts[Verdict::good], verdicts[Verdict::unsafe],
              verdicts[Verdict::stuck]);
  return exit_code(verdicts);
}

int replay(const std::string& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  const auto story = in ? parse_story(text.str()) : Result<Story>(error(file + ": cannot be read"));
  if (!story) {
    std::cerr << story.error().message << "\n";
    return 64;
  }
  const Outcome outcome = live_apart(*story);
  std::cout << outcome.text << shown(outcome) << "\n";
  return exit_code({{outcome.verdict, 1}});
}

}  // namespace
}  // namespace banyan::sim

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // whoever waits for thousands of seeds wants to see them pass
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "--replay") return banyan::sim::replay(words[1]);
  if (words.size() != 4) {
    std::cerr << "sim_seeds usual|all FIRST LAST FOLDER | sim_seeds --replay FILE\n";
    return 64;
  }
  return banyan::sim::search(words[0] == "usual" ? banyan::sim::usual_story : banyan::sim::story_of,
                             std::strtoull(words[1].c_str(), nullptr, 10), std::strtoull(words[2].c_str(), nullptr, 10),
                             words[3]);
}
