// The laws, judged from outside: what the simulated world saw, not what any core believes (reliability.md B3).
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/resources.h"
#include "tests/sim/machine.h"

namespace banyan::sim {

/// A law was broken. The test prints the seed, this, and the last rows.
struct Broken {
  std::string law;
  std::string what;
};

/// The graph under test: node -> nodes it depends on, and how many servers it has.
struct Graph {
  struct Node {
    std::set<std::string> needs;
    unsigned servers = 1;
  };
  std::map<std::string, Node> nodes;
};

class Checkers final : public Witness {
 public:
  /// `intent`: is this task id in its scheduler's durable records?
  using Intent = std::function<bool(const std::string& framework, const std::string& task)>;

  Checkers(Kernel& kernel, std::string stack, Graph graph, Resources machine, Intent intent)
      : kernel_(kernel),
        stack_(std::move(stack)),
        graph_(std::move(graph)),
        machine_(std::move(machine)),
        intent_(std::move(intent)) {}

  void started(int machine, const Container& container) override;
  void ended(int machine, const Container& container) override;
  /// Every status a scheduler takes (I9, I11).
  void heard(const std::string& framework, const std::string& task, int state, const std::string& uuid);
  /// `down` was asked for, and no more faults come: from now on the order of ends is judged (I23).
  void taking_down() { taking_down_ = true; }

  [[nodiscard]] const std::vector<Broken>& broken() const { return broken_; }
  [[nodiscard]] std::size_t running() const { return running_.size(); }
  [[nodiscard]] std::size_t running_servers(const std::string& node) const;
  /// Pairs of nodes that were coming up at the same time although neither needs the other.
  [[nodiscard]] bool overlapped() const { return overlapped_; }

 private:
  struct Running {
    int machine = 0;
    std::string framework;
    std::string task;
    Resources resources;
  };

  void fail(const std::string& law, const std::string& what) { broken_.push_back({law, what}); }
  void check_dependencies(const std::string& node);
  void check_teardown(const std::string& node);
  void check_capacity(int machine);
  [[nodiscard]] std::string node_of_framework(const std::string& framework) const;
  [[nodiscard]] std::string node_of_executor(const Container& container) const;
  [[nodiscard]] bool needs(const std::string& node, const std::string& other) const;

  Kernel& kernel_;
  std::string stack_;
  Graph graph_;
  Resources machine_;
  Intent intent_;
  std::map<ContainerId, Running> running_;
  std::set<std::pair<std::string, std::string>> spawned_;        ///< (framework, task): each once, ever (I7)
  std::map<std::pair<std::string, std::string>, int> terminal_;  ///< its one terminal state (I9)
  std::set<std::string> was_whole_;                              ///< nodes all of whose servers ran at one moment
  std::set<std::string> coming_up_;                              ///< child started, not whole yet
  bool overlapped_ = false;
  bool taking_down_ = false;
  std::vector<Broken> broken_;
};

}  // namespace banyan::sim
