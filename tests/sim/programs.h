// What runs in the simulated containers: servers, and framework executors with their child schedulers.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "executors/framework/core/supervisor.h"
#include "runtime/driver/driver.h"
#include "runtime/sdk/core/executor_core.h"
#include "tests/sim/child_process.h"
#include "tests/sim/machine.h"

namespace banyan::sim {

/// A server: runs until it is told to end, or a job that ends well by itself. Obeys SIGTERM after a moment.
class ServerProgram final : public Program {
 public:
  ServerProgram(Kernel& kernel, Machine& machine, ContainerId id, std::optional<Duration> job = {})
      : kernel_(kernel), machine_(machine), id_(std::move(id)) {
    if (job) planner_.after(*job, [this] { machine_.exit(id_, 0); });
  }
  void terminate() override;

 private:
  Kernel& kernel_;
  Machine& machine_;
  ContainerId id_;
  Life life_ = std::make_shared<int>();
  Planner planner_{kernel_, life_};
};

/// banyan-framework-executor: the supervisor and the executor's SDK core, and the child it hosts.
class ExecutorProgram final : public Program {
 public:
  ExecutorProgram(const Surroundings& around, Machine& machine, const Container& container);
  ~ExecutorProgram() override;

  void terminate() override;
  /// kill -9 of the child scheduler alone. False: there is none just now.
  bool kill_child();
  [[nodiscard]] const service::Core* child() const { return child_ ? child_->core() : nullptr; }
  /// The handover version the child scheduler's framework executor has on disk.
  [[nodiscard]] std::uint64_t handover_version() const { return handover_.has_version() ? handover_.version() : 0; }

  // What both drivers ask of a world.
  [[nodiscard]] Now now() const { return kernel_.now(); }
  void perform(framework_executor::Supervisor::Effect effect) {
    std::visit([this](auto& e) { on(e); }, effect);
  }

 private:
  /// The executor core's own world: its link and its timer.
  struct ClientWorld {
    ExecutorProgram& program;
    [[nodiscard]] Now now() const { return program.kernel_.now(); }
    void wake_at(std::optional<Instant> when) const { program.client_waker_.at(when); }
    void perform(sdk::ExecutorCore::Effect effect) const {
      std::visit([this](auto& e) { program.client_does(e); }, effect);
    }
  };
  struct SupervisorWorld {
    ExecutorProgram& program;
    [[nodiscard]] Now now() const { return program.kernel_.now(); }
    void wake_at(std::optional<Instant> when) const { program.supervisor_waker_.at(when); }
    void perform(framework_executor::Supervisor::Effect effect) const { program.perform(std::move(effect)); }
  };

  void supervise(const framework_executor::Supervisor::Input& input) {
    supervisor_.deliver(input);
    supervisor_.core().check_invariants();
  }
  void take(const mesos::v1::executor::Event& event);
  void child_ended(std::uint64_t run, int wait_status);

  template <class Wish>
  void client_does(const Wish& wish) {
    link_.perform(wish);
  }
  void client_does(const sdk::DeliverExecutorEvent& e) {
    planner_.soon([this, e] { take(e.event); });
  }
  void client_does(const sdk::ShutDown& e) {
    planner_.soon([this, e] { supervise(framework_executor::ShutDownAsked{e.reason, true}); });
  }
  void client_does(const sdk::AgentGone&) {}
  void client_does(const sdk::UpdateRefused&) {}

  void on(framework_executor::WriteHandover& e);
  void on(framework_executor::StartChild& e);
  void on(framework_executor::SignalChild& e);
  void on(framework_executor::Probe& e);
  void on(framework_executor::DropProbe&) {}
  void on(framework_executor::AnswerPoll& e);
  void on(framework_executor::SendUpdate& e);
  void on(framework_executor::Exit&);

  const Surroundings& around_;
  Kernel& kernel_ = around_.kernel;
  Machine& machine_;
  ContainerId id_;
  Life life_ = std::make_shared<int>();
  Planner planner_{kernel_, life_};
  Handover handover_;
  Waker client_waker_;
  Waker supervisor_waker_;
  ApiLink link_;
  ClientWorld client_world_{*this};
  SupervisorWorld supervisor_world_{*this};
  Driver<sdk::ExecutorCore, ClientWorld> client_;
  Driver<framework_executor::Supervisor, SupervisorWorld> supervisor_;
  std::shared_ptr<ChildProcess> child_;
  std::uint64_t child_run_ = 0;
  std::uint64_t next_poll_ = 0;
};

}  // namespace banyan::sim
