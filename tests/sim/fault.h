// What is done to a cluster, as data: a seed draws a swarm of faults, a file holds those that are left after shrinking.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/rng.h"
#include "runtime/base/time.h"

namespace banyan::sim {

/// When, counted from the moment the phase begins.
enum class Phase : std::uint8_t { up, steady, down };

struct Fault {
  enum class Kind : std::uint8_t {
    kill_master,
    kill_agent,
    kill_root,
    kill_child,
    kill_executor,
    kill_server,
    power_cut,  ///< everything at once; what was not synced is lost
    reboot,     ///< one machine with all that runs on it
    isolate,    ///< one machine from everybody; what runs there goes on
    cut,        ///< one link, both ways
    deaf,       ///< one link, one way
    slow_disk,
    full_disk,     ///< a commit fails, so its process ends; it comes back until it can write
    clock_jump,    ///< of the wall clock
    double_words,  ///< what may be sent again arrives twice
  };
  Phase phase = Phase::steady;
  Duration at{};
  Kind kind = Kind::kill_master;
  std::uint64_t pick = 0;  ///< whom: modulo the number of those it could hit
  Duration lasts{};

  bool operator==(const Fault&) const = default;
};

struct FaultRow {
  Fault::Kind kind;
  std::string_view name;
  unsigned weight;  ///< how often it is drawn, against the others
  Duration min;     ///< how long it lasts
  Duration max;
};
[[nodiscard]] const std::vector<FaultRow>& fault_rows();
[[nodiscard]] const FaultRow& row(Fault::Kind kind);
[[nodiscard]] std::string_view name(Phase phase);

/// A swarm: a seed uses some kinds and leaves others out, so that no fault always hides behind another.
[[nodiscard]] std::vector<Fault> random_faults(Rng& rng);

/// One line, "steady 1204ms kill_root 17 for 0ms", and back.
[[nodiscard]] std::string text(const Fault& fault);
[[nodiscard]] Result<Fault> parse_fault(const std::string& line);

}  // namespace banyan::sim
