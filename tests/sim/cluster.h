// A whole cluster in one thread: master, agents, root, executors, child schedulers, servers — and what kills them.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/agent_process.h"
#include "tests/sim/checkers.h"
#include "tests/sim/fault.h"
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
  /// Does it now, to whom its pick says; whoever it ends is started again a moment later, as `banyan dev` does. A fault
  /// that finds nobody does nothing.
  void strike(const Fault& fault);
  /// The machine of that number is never seen again, nor what ran there.
  void lose(int machine);

  [[nodiscard]] bool all_serving() const;
  [[nodiscard]] bool all_down() const;
  /// No update is unacknowledged, nothing runs that nobody wants (I10, I12 at quiescence).
  [[nodiscard]] std::string unsettled() const;
  [[nodiscard]] Kernel& kernel() { return kernel_; }
  [[nodiscard]] const Checkers& checkers() const { return checkers_; }
  /// The machines on which a node's servers run.
  [[nodiscard]] std::set<int> machines_of(const std::string& node) const { return checkers_.machines_of(node); }
  /// What each core says of itself, one a line: what a failing seed shows.
  [[nodiscard]] std::string summary() const;

 private:
  void start_master();
  void start_agent(int machine);
  void start_root();
  void restart_soon(std::function<void()> start);
  void insist();
  // cluster_faults.cc
  void kill_master();
  void kill_agent(std::size_t machine);
  void kill_root();
  void kill_child(std::uint64_t pick);
  void kill_container(std::uint64_t pick, bool custom);
  void cut_power();
  void reboot(std::size_t machine, Duration lasts);
  void isolate(std::size_t machine, Duration lasts);
  void cut(std::uint64_t pick, Duration lasts, bool both_ways);
  void trouble_disk(std::uint64_t pick, Duration lasts, bool full);
  [[nodiscard]] bool has_intent(const std::string& framework, const std::string& task) const;
  [[nodiscard]] bool answers(Place from, const std::string& address) const;
  std::unique_ptr<Program> make_program(Machine& machine, Container& container);
  [[nodiscard]] std::string stack_text() const;

  Kernel kernel_;
  Graph graph_;
  Checkers checkers_;
  Servers servers_;
  MasterDoor door_;
  Disk master_disk_;
  Disk root_disk_;
  std::array<Disk, machines> agent_disks_;
  Disks child_disks_;
  Surroundings around_;
  std::vector<std::unique_ptr<Machine>> hosts_;
  std::unique_ptr<MasterProcess> master_;
  std::array<std::unique_ptr<AgentProcess>, machines> agents_;
  std::unique_ptr<RootProcess> root_;
  std::array<Instant, machines> off_until_{};  ///< a machine without power
  enum class Wish { nothing, up, down } wish_ = Wish::nothing;
};

/// A random acyclic graph of `nodes` nodes: each needs some of those before it; some are jobs, some keep data, some
/// have a fixed port. `plain`: none of that, every node serves and keeps data.
[[nodiscard]] Graph random_graph(Rng& rng, unsigned nodes, bool plain);

}  // namespace banyan::sim
