#include "tests/sim/story.h"

#include <sstream>

#include "tests/sim/cluster.h"

namespace banyan::sim {

using namespace std::chrono_literals;

namespace {

constexpr Duration healing_max = 15min;

/// Runs the phases of one story on its cluster.
class Teller {
 public:
  explicit Teller(const Story& story) : story_(story), shape_(story.seed * 7919 + 1), cluster_(story.seed, graph()) {}

  Outcome tell() {
    go();
    outcome_.hash = cluster_.kernel().hash();
    outcome_.lived = cluster_.kernel().now().mono.time_since_epoch();
    if (const auto& broken = cluster_.checkers().broken(); !broken.empty()) {
      outcome_.verdict = Outcome::Verdict::unsafe;
      outcome_.law = broken.front().law;
    }
    if (outcome_.verdict != Outcome::Verdict::good) outcome_.text = report();
    return outcome_;
  }

 private:
  Graph graph() { return random_graph(shape_, 3 + static_cast<unsigned>(shape_.below(4)), story_.plain); }

  void go() {
    cluster_.up();
    cluster_.run_until([] { return false; }, 300ms);  // the acceptance is durable
    shoot(Phase::up);
    if (!serves()) return stuck("did not come up");
    shoot(Phase::steady);
    if (!serves()) return stuck("did not heal");
    cluster_.run_until([&] { return cluster_.unsettled().empty(); }, 3min);
    if (const auto what = cluster_.unsettled(); !what.empty()) return stuck("did not settle: " + what);
    cluster_.down();
    shoot(Phase::down);
    if (!cluster_.run_until([&] { return over() && cluster_.all_down(); }, healing_max)) stuck("did not go down");
  }

  void shoot(Phase phase) {
    for (const auto& fault : story_.faults) {
      if (fault.phase != phase) continue;
      cluster_.kernel().after(fault.at, [this, fault] { cluster_.strike(fault); });
      const Duration lasts = fault.kind == Fault::Kind::clock_jump ? 0s : fault.lasts;  // a jump's size, not its length
      calm_ = std::max(calm_, cluster_.kernel().now().mono + fault.at + lasts);
    }
  }
  bool over() { return cluster_.kernel().now().mono > calm_; }
  /// A wait that has passed its deadline is a failure, and `up` tries again: once the faults are over.
  bool serves() {
    cluster_.run_until([&] { return over(); }, calm_ - cluster_.kernel().now().mono + 1s);
    for (Duration patience = healing_max / 3, spent{}; spent < healing_max; spent += patience) {
      if (cluster_.run_until([&] { return cluster_.all_serving(); }, patience)) return true;
      if (!cluster_.checkers().broken().empty()) return false;
      cluster_.up();
    }
    return false;
  }
  void stuck(const std::string& where) {
    outcome_.verdict = Outcome::Verdict::stuck;
    outcome_.law = where;
  }
  std::string report() {
    std::string all;
    for (const auto& [number, row] : cluster_.kernel().rows()) all += std::to_string(number) + "  " + row + "\n";
    for (const auto& broken : cluster_.checkers().broken()) all += "BROKEN " + broken.law + ": " + broken.what + "\n";
    return all + cluster_.summary() + outcome_.law + "\n";
  }

  const Story& story_;
  Rng shape_;
  Cluster cluster_;
  Outcome outcome_;
  Instant calm_{};
};

}  // namespace

namespace {
Rng faults_of(std::uint64_t seed) { return Rng(seed * 6364136223846793005ULL + 1442695040888963407ULL); }
}  // namespace

Story story_of(std::uint64_t seed) {
  Rng rng = faults_of(seed);
  return {seed, random_faults(rng), false};
}

Story usual_story(std::uint64_t seed) {
  Rng rng = faults_of(seed);
  return {seed, random_kills(rng), true};
}

Outcome live(const Story& story) { return Teller(story).tell(); }

Story shrink(Story story, const std::function<bool(const Story&)>& fails) {
  for (std::size_t i = story.faults.size(); i-- > 0;) {
    Story less = story;
    less.faults.erase(less.faults.begin() + static_cast<std::ptrdiff_t>(i));
    if (fails(less)) story = std::move(less);
  }
  return story;
}

std::string text(const Story& story) {
  std::string all = "seed " + std::to_string(story.seed) + "\n";
  if (story.plain) all += "plain\n";
  for (const auto& fault : story.faults) all += text(fault) + "\n";
  return all;
}

Result<Story> parse_story(const std::string& text) {
  Story story;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line.starts_with("seed ")) {
      story.seed = std::strtoull(line.c_str() + 5, nullptr, 10);
      continue;
    }
    if (line == "plain") {
      story.plain = true;
      continue;
    }
    auto fault = parse_fault(line);
    if (!fault) return tl::unexpected(fault.error());
    story.faults.push_back(*fault);
  }
  return story;
}

}  // namespace banyan::sim
