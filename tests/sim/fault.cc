#include "tests/sim/fault.h"

#include <algorithm>
#include <sstream>

namespace banyan::sim {

using namespace std::chrono_literals;

namespace {

constexpr std::array<std::string_view, 3> phases{"up", "steady", "down"};
constexpr std::array<Duration, 3> phase_lengths{4s, 20s, 4s};
constexpr std::uint64_t faults_a_phase_max = 8;

std::int64_t in_ms(Duration d) { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); }

}  // namespace

const std::vector<FaultRow>& fault_rows() {
  using Kind = Fault::Kind;
  static const std::vector<FaultRow> rows{
      {Kind::kill_master, "kill_master", 4, 0s, 0s},
      {Kind::kill_agent, "kill_agent", 4, 0s, 0s},
      {Kind::kill_root, "kill_root", 4, 0s, 0s},
      {Kind::kill_child, "kill_child", 4, 0s, 0s},
      {Kind::kill_executor, "kill_executor", 4, 0s, 0s},
      {Kind::kill_server, "kill_server", 4, 0s, 0s},
      {Kind::power_cut, "power_cut", 1, 0s, 0s},
      {Kind::reboot, "reboot", 1, 1s, 40s},
      {Kind::isolate, "isolate", 2, 100ms, 40s},
      {Kind::cut, "cut", 3, 50ms, 30s},
      {Kind::deaf, "deaf", 3, 50ms, 30s},
      {Kind::slow_disk, "slow_disk", 3, 500ms, 10s},
      {Kind::full_disk, "full_disk", 2, 100ms, 5s},
      {Kind::clock_jump, "clock_jump", 1, 1h, 8760h},
      {Kind::double_words, "double_words", 3, 1s, 20s},
  };
  return rows;
}

const FaultRow& row(Fault::Kind kind) { return fault_rows()[static_cast<std::size_t>(kind)]; }
std::string_view name(Phase phase) { return phases[static_cast<std::size_t>(phase)]; }

std::vector<Fault> random_faults(Rng& rng) {
  std::vector<const FaultRow*> swarm;
  for (const auto& one : fault_rows())
    if (rng.chance(1, 2)) swarm.insert(swarm.end(), one.weight, &one);
  std::vector<Fault> faults;
  if (swarm.empty()) return faults;
  for (std::size_t phase = 0; phase < phases.size(); ++phase)
    for (auto left = rng.below(faults_a_phase_max + 1); left > 0; --left) {
      const FaultRow& drawn = *swarm[rng.below(swarm.size())];
      Fault fault;
      fault.phase = static_cast<Phase>(phase);
      fault.kind = drawn.kind;
      fault.at = std::chrono::milliseconds(rng.below(static_cast<std::uint64_t>(in_ms(phase_lengths[phase]))));
      fault.pick = rng.below(1000);
      fault.lasts = drawn.min +
                    std::chrono::milliseconds(rng.below(static_cast<std::uint64_t>(in_ms(drawn.max - drawn.min)) + 1));
      faults.push_back(fault);
    }
  return faults;
}

std::string text(const Fault& fault) {
  std::ostringstream out;
  out << name(fault.phase) << ' ' << in_ms(fault.at) << "ms " << row(fault.kind).name << ' ' << fault.pick << " for "
      << in_ms(fault.lasts) << "ms";
  return out.str();
}

Result<Fault> parse_fault(const std::string& line) {
  std::istringstream in(line);
  std::string phase, at, kind, filler, lasts;
  Fault fault;
  in >> phase >> at >> kind >> fault.pick >> filler >> lasts;
  const auto which = std::find(phases.begin(), phases.end(), phase);
  const auto what =
      std::find_if(fault_rows().begin(), fault_rows().end(), [&](const auto& r) { return r.name == kind; });
  if (!in || which == phases.end() || what == fault_rows().end()) return error("no fault: " + line);
  fault.phase = static_cast<Phase>(which - phases.begin());
  fault.kind = what->kind;
  fault.at = std::chrono::milliseconds(std::atoll(at.c_str()));
  fault.lasts = std::chrono::milliseconds(std::atoll(lasts.c_str()));
  return fault;
}

}  // namespace banyan::sim
