// A whole cluster in one thread: master, agents, root, executors, child schedulers, servers — and what kills them.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/agent_process.h"
#include "tests/sim/checkers.h"
#include "tests/sim/master_process.h"
#include "tests/sim/programs.h"
#include "tests/sim/root_process.h"

namespace banyan::sim {

class Cluster {
 public:
  static constexpr int machines = 2;

  Cluster(std::uint64_t seed, const Graph& graph);

  void up();
  void down();
  /// Until `done` holds or `limit` has passed. After every step the laws are looked at; false when one is broken or
  /// time is up.
  bool run_until(const std::function<bool()>& done, Duration limit);
  /// Draws somebody and kills them (kill -9); daemons are started again a moment later, as `banyan dev` does.
  void kill_somebody();

  [[nodiscard]] bool all_serving() const;
  [[nodiscard]] bool all_down() const;
  /// No update is unacknowledged, nothing runs that nobody wants (I10, I12 at quiescence).
  [[nodiscard]] std::string unsettled() const;
  [[nodiscard]] Kernel& kernel() { return kernel_; }
  [[nodiscard]] const Checkers& checkers() const { return checkers_; }
  /// What each core says of itself, one a line: what a failing seed shows.
  [[nodiscard]] std::string summary() const;

 private:
  void start_master();
  void start_agent(int machine);
  void start_root();
  void restart_soon(std::function<void()> start);
  bool kill_child();
  bool kill_container(bool custom);
  [[nodiscard]] bool has_intent(const std::string& framework, const std::string& task) const;
  [[nodiscard]] bool answers(const std::string& address) const;
  std::unique_ptr<Program> make_program(Machine& machine, Container& container);
  [[nodiscard]] std::string stack_text() const;

  Kernel kernel_;
  Graph graph_;
  Checkers checkers_;
  Servers servers_;
  MasterDoor door_;
  FakeDisk master_disk_;
  FakeDisk root_disk_;
  std::array<FakeDisk, machines> agent_disks_;
  Disks child_disks_;
  Surroundings around_;
  std::vector<std::unique_ptr<Machine>> hosts_;
  std::unique_ptr<MasterProcess> master_;
  std::array<std::unique_ptr<AgentProcess>, machines> agents_;
  std::unique_ptr<RootProcess> root_;
};

/// A random acyclic graph of `nodes` nodes: each needs some of those before it.
[[nodiscard]] Graph random_graph(Rng& rng, unsigned nodes);

}  // namespace banyan::sim
