// The root scheduler: its core and its SDK core on a simulated link; operator calls go to the master directly.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "orchestrator/core/core.h"
#include "runtime/driver/driver.h"
#include "tests/sim/child_process.h"
#include "tests/sim/master_process.h"
#include "tests/sim/scheduler_link.h"

namespace banyan::sim {

class RootProcess {
 public:
  /// `master`: the one that runs now; nullptr while none does.
  /// `died`: as MasterProcess'.
  RootProcess(const Surroundings& around, Disk& disk, std::function<MasterProcess*()> master,
              std::function<void()> died);

  void up(const std::string& stack_text);
  void down(const std::string& stack);
  [[nodiscard]] const root::Core& core() const { return driver_->core(); }
  /// Errors of the last `up`; empty: accepted.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

  // What Driver asks of a world.
  [[nodiscard]] Now now() const { return kernel_.now(); }
  void perform(root::Core::Effect effect) {
    std::visit([this](auto& e) { on(e); }, effect);
  }
  void commit(Changes changes, Store::Done done) { store_->commit(std::move(changes), std::move(done)); }
  void wake_at(std::optional<Instant> when) { waker_.at(when); }
  void fatal(const Error&) { planner_.soon(died_); }

 private:
  void deliver(const root::Core::Input& input);

  template <class Effect>
  void on(const Effect&) {}  // folders, followers: nothing here depends on them
  void on(root::SendCall& e) { link_->send(std::move(e.call)); }
  void on(root::Answer& e);
  void on(root::TearDown& e);
  void on(root::ReleaseRole& e);

  Kernel& kernel_;
  std::function<MasterProcess*()> master_;
  std::function<void()> died_;
  Life life_ = std::make_shared<int>();
  Planner planner_{kernel_, life_};
  std::unique_ptr<FakeStore> store_;
  Waker waker_;
  std::unique_ptr<Driver<root::Core, RootProcess>> driver_;
  std::unique_ptr<SchedulerLink> link_;
  std::string refusal_;
};

}  // namespace banyan::sim
