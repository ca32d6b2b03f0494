// A child scheduler: the service scheduler's core, hosted by a framework executor.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "banyan/handover.pb.h"
#include "orchestrator/frameworks/service/core.h"
#include "runtime/driver/driver.h"
#include "tests/sim/scheduler_link.h"

namespace banyan::sim {

/// The executor's end, as the child sees it.
struct ChildHost {
  std::function<void(std::uint64_t after)> ask;  ///< answered by ChildProcess::handed()
  std::function<void(const ChildStatus&)> report;
  std::function<void(int code)> exited;
};

/// Disks of child schedulers by their folder: they outlive every process.
using Disks = std::map<std::string, Disk>;

/// What a scheduler finds around it.
struct Surroundings {
  Kernel& kernel;
  Servers& servers;
  Disks& disks;
  std::function<bool(Place from, const std::string& address)> answers;  ///< does a server answer there?
  /// Every status that a scheduler takes, for the checkers.
  std::function<void(const std::string& framework, const mesos::v1::TaskStatus& status)> heard;
};

class ChildProcess {
 public:
  ChildProcess(const Surroundings& around, Place here, const std::string& folder, ChildHost host);

  /// Answer to ask(): a newer handover, or nothing for now.
  void handed(const std::optional<Handover>& handover);
  [[nodiscard]] const service::Core* core() const { return driver_ ? &driver_->core() : nullptr; }

  // What Driver asks of a world.
  [[nodiscard]] Now now() const { return kernel_.now(); }
  void perform(service::Core::Effect effect) {
    std::visit([this](auto& e) { on(e); }, effect);
  }
  void commit(Changes changes, Store::Done done) { store_->commit(std::move(changes), std::move(done)); }
  void wake_at(std::optional<Instant> when) { waker_.at(when); }
  void fatal(const Error&) {
    planner_.soon([this] { host_.exited(1); });
  }

 private:
  void campaign();
  void deliver(const service::Core::Input& input) {
    driver_->deliver(input);
    driver_->core().check_invariants();
  }
  void subscribe(const Handover& handover);

  void on(const Persist&) {}  // the driver keeps those
  void on(const service::Note&) {}
  void on(service::Send& e);
  void on(service::Launch& e);
  void on(service::Report& e) { host_.report(e.status); }
  void on(service::SetMasters& e);
  void on(service::StartProbe& e);
  void on(service::Exit& e);

  const Surroundings& around_;
  Kernel& kernel_ = around_.kernel;
  Place here_;
  std::string disk_name_;
  Disk& disk_;
  ChildHost host_;
  Life life_ = std::make_shared<int>();
  Planner planner_{kernel_, life_};
  std::unique_ptr<FakeStore> store_;
  Waker waker_;
  std::unique_ptr<Driver<service::Core, ChildProcess>> driver_;
  std::unique_ptr<SchedulerLink> link_;
  std::uint64_t version_ = 0;  ///< of the newest handover
  bool ending_ = false;
  int exit_code_ = 0;
};

}  // namespace banyan::sim
