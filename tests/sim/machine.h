// One host: its containers and their processes. They survive the agent.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mesos/v1/mesos.pb.h"
#include "runtime/base/ids.h"
#include "runtime/core/agent/effect.h"
#include "tests/sim/process.h"

namespace banyan::sim {

/// What runs in a container.
class Program {
 public:
  virtual ~Program() = default;  ///< SIGKILL to the whole tree
  virtual void terminate() = 0;  ///< SIGTERM
};

struct Container {
  agent::LaunchContainer launch;
  mesos::v1::TaskInfo task;  ///< of a command task, or the first of an executor
  bool custom = false;
  std::int64_t pid = 0;
  bool running = false;
  bool shot = false;    ///< a fault ended it, nobody's decision
  int wait_status = 0;  ///< valid once it has run and does not any more
  Instant started_at{};
  std::unique_ptr<Program> program;
};

/// Who watches what happens on machines: the invariants.
class Witness {
 public:
  virtual ~Witness() = default;
  virtual void started(int machine, const Container& container) = 0;
  virtual void ended(int machine, const Container& container) = 0;
};

class Machine {
 public:
  using MakeProgram = std::function<std::unique_ptr<Program>(Machine&, Container&)>;

  Machine(Kernel& kernel, int number, Witness& witness, MakeProgram make)
      : kernel_(kernel), number_(number), witness_(witness), make_(std::move(make)) {}

  /// The agent's shim is asked for; its first process runs a little later, unless it is destroyed before.
  void launch(const agent::LaunchContainer& launch);
  void terminate(const ContainerId& id);
  void destroy(const ContainerId& id);
  /// A process ends by itself (exit status or signal as wait status).
  void exit(const ContainerId& id, int wait_status);
  /// A fault ends it: SIGKILL to all of it.
  void shoot(const ContainerId& id);
  /// The power fails: nothing runs any more, and no agent hears of it.
  void lose_power();

  [[nodiscard]] const std::map<ContainerId, Container>& containers() const { return containers_; }
  [[nodiscard]] int number() const { return number_; }

  /// The agent's ears; both empty while it is dead.
  std::function<void(const ContainerId&, std::int64_t pid)> on_started;
  std::function<void(const ContainerId&, int wait_status)> on_ended;

 private:
  void begin(const ContainerId& id);

  Kernel& kernel_;
  int number_;
  Witness& witness_;
  MakeProgram make_;
  std::map<ContainerId, Container> containers_;
  std::vector<std::unique_ptr<Program>> dead_;  ///< ended in this very step
  std::int64_t next_pid_ = 1000;
};

}  // namespace banyan::sim
