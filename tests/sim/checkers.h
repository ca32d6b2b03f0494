// The laws, judged from outside: what the simulated world saw, not what any core believes (DESIGN.md, Invariants).
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

/// The graph under test.
struct Graph {
  struct Node {
    std::set<std::string> needs;
    unsigned servers = 1;
    bool job = false;   ///< its servers end well by themselves, and what needs it waits for that
    bool data = true;   ///< its servers have a volume, so they stay on their machine
    unsigned port = 0;  ///< a fixed one; 0: any
    Duration patience = std::chrono::hours(1);  ///< how long it waits for what it needs
  };
  std::map<std::string, Node> nodes;
};

class Checkers final : public Witness {
 public:
  /// What is durable now.
  struct Records {
    std::function<bool(const std::string& framework, const std::string& task)> intent;  ///< its scheduler's
    std::function<bool(int machine, const ContainerId& container)> run;                 ///< its agent's
  };

  Checkers(Kernel& kernel, std::string stack, Graph graph, Resources machine, Records records)
      : kernel_(kernel),
        stack_(std::move(stack)),
        graph_(std::move(graph)),
        machine_(std::move(machine)),
        records_(std::move(records)) {}

  void started(int machine, const Container& container) override;
  void ended(int machine, const Container& container) override;
  /// Every status a scheduler takes (I9, I11).
  void heard(const std::string& framework, const std::string& task, int state, const std::string& uuid);
  /// `down` was asked for: from now on the order of ends is judged (I23).
  void taking_down() { taking_down_ = true; }
  /// The master cannot know until then what runs on that machine.
  void troubled(int machine, Instant until) { troubled_[machine] = std::max(troubled_[machine], until); }
  /// The power failed everywhere: what served before does not count any more (I21).
  void forget_who_served() { last_whole_.clear(); }
  /// An end that its scheduler has never heard of (I10), once everything has settled; "" for none.
  [[nodiscard]] std::string unheard() const;

  [[nodiscard]] const std::vector<Broken>& broken() const { return broken_; }
  [[nodiscard]] std::size_t running() const { return running_.size(); }
  [[nodiscard]] std::size_t running_servers(const std::string& node) const;
  [[nodiscard]] std::string node_of_framework(const std::string& framework) const;
  [[nodiscard]] std::set<int> machines_of(const std::string& node) const;
  [[nodiscard]] bool completed(const std::string& node) const;
  /// Pairs of nodes that were coming up at the same time although neither needs the other.
  [[nodiscard]] bool overlapped() const { return overlapped_; }

 private:
  struct Running {
    int machine = 0;
    std::string framework;
    std::string task;
    std::string scheduler_of;  ///< a node; empty: it is a server
    Resources resources;
  };

  void fail(const std::string& law, const std::string& what) { broken_.push_back({law, what}); }
  void check_scheduler(const std::string& node);
  void check_alone(const Running& started, bool data);
  void check_first_server(const std::string& node);
  void note_whole(const std::string& node);
  [[nodiscard]] bool in_trouble(int machine) const;
  void check_teardown(const std::string& node);
  void check_capacity(int machine);
  [[nodiscard]] std::string node_of_executor(const Container& container) const;
  [[nodiscard]] bool needs(const std::string& node, const std::string& other) const;

  Kernel& kernel_;
  std::string stack_;
  Graph graph_;
  Resources machine_;
  Records records_;
  std::map<ContainerId, Running> running_;
  std::set<std::pair<std::string, std::string>> spawned_;        ///< (framework, task): each once, ever (I7)
  std::map<std::pair<std::string, std::string>, int> terminal_;  ///< its one terminal state (I9)
  std::set<std::pair<std::string, std::string>> must_be_heard_;  ///< (framework, task) that ended
  std::map<std::string, std::set<std::string>> done_;            ///< of jobs: node -> servers that ended well
  std::map<int, Instant> troubled_;
  std::set<std::string> was_whole_;            ///< nodes all of whose servers ran at one moment
  std::map<std::string, Instant> last_whole_;  ///< the last such moment, of those not whole now
  std::set<std::string> whole_;                ///< now
  std::set<std::string> coming_up_;            ///< child started, not whole yet
  bool overlapped_ = false;
  bool taking_down_ = false;
  std::vector<Broken> broken_;
};

}  // namespace banyan::sim
