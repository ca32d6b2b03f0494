// One life of a cluster as data, and how it went: a stack comes up, is shot at all the time, heals, and goes down.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/sim/fault.h"

namespace banyan::sim {

/// The seed draws the graph and every latency; the faults are drawn from it too, but may be taken out one by one.
struct Story {
  std::uint64_t seed = 0;
  std::vector<Fault> faults;
  bool plain = false;  ///< random_graph's
};
/// Every fault, in every phase, on every kind of node.
[[nodiscard]] Story story_of(std::uint64_t seed);
/// Kills in steady state of a plain graph: what `tests/sim/run` lives without being asked for more.
[[nodiscard]] Story usual_story(std::uint64_t seed);

struct Outcome {
  enum class Verdict : std::uint8_t { good, unsafe, stuck };  ///< a law was broken; it did not heal or end in its time
  Verdict verdict = Verdict::good;
  std::string law;   ///< "I21", or what it was stuck in
  std::string text;  ///< what broke, the last rows, what each core says of itself
  std::uint64_t hash = 0;
  Duration lived{};
};
[[nodiscard]] Outcome live(const Story& story);

/// Drops whatever faults are not needed for `fails` to stay true.
[[nodiscard]] Story shrink(Story story, const std::function<bool(const Story&)>& fails);

/// A file: "seed N", perhaps "plain", then a fault a line; lines that begin with # are remarks.
[[nodiscard]] std::string text(const Story& story);
[[nodiscard]] Result<Story> parse_story(const std::string& text);

}  // namespace banyan::sim
