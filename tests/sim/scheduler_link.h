// A scheduler's SDK core on a simulated link: what SchedulerClient is in production.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/driver/driver.h"
#include "runtime/sdk/core/scheduler_core.h"
#include "tests/sim/api.h"

namespace banyan::sim {

class SchedulerLink {
 public:
  struct Callbacks {
    std::function<void(const mesos::v1::scheduler::Event&)> event;
    std::function<void(const std::string& reason, bool final)> disconnected;
    std::function<void(const std::string& call)> refused;
  };

  SchedulerLink(Planner planner, Place here, Servers& servers, std::vector<std::string> masters,
                mesos::v1::FrameworkInfo framework, Callbacks callbacks)
      : planner_(planner),
        callbacks_(std::move(callbacks)),
        link_(planner, here, servers,
              {.opened = [this](auto e) { driver_.deliver(std::move(e)); },
               .record = [this](auto e) { driver_.deliver(std::move(e)); },
               .closed = [this](auto e) { driver_.deliver(std::move(e)); },
               .answered = [this](auto e) { driver_.deliver(std::move(e)); }}),
        waker_(planner.kernel(), [this] { driver_.deliver(sdk::Tick{}); }),
        driver_(sdk::SchedulerCore(std::move(masters), std::move(framework), planner.kernel().fork()), *this) {
    driver_.deliver(sdk::Tick{});
  }

  void send(mesos::v1::scheduler::Call call) { driver_.deliver(std::move(call)); }
  void set_masters(std::vector<std::string> masters) { driver_.deliver(sdk::SetMasters{std::move(masters)}); }

  // What Driver asks of a world.
  [[nodiscard]] Now now() const { return planner_.kernel().now(); }
  void wake_at(std::optional<Instant> when) { waker_.at(when); }
  void perform(sdk::SchedulerCore::Effect effect) {
    std::visit([this](auto& e) { on(e); }, effect);
  }

 private:
  template <class Wish>
  void on(const Wish& wish) {
    link_.perform(wish);
  }
  // What the framework hears comes in a later turn: its core may be in the middle of a step.
  void on(const sdk::DeliverEvent& e) {
    planner_.soon([this, e] { callbacks_.event(e.event); });
  }
  void on(const sdk::Disconnected& e) {
    planner_.soon([this, e] { callbacks_.disconnected(e.reason, e.final); });
  }
  void on(const sdk::CallRefused& e) {
    planner_.soon([this, e] { callbacks_.refused(mesos::v1::scheduler::Call::Type_Name(e.type)); });
  }

  Planner planner_;
  Callbacks callbacks_;
  ApiLink link_;
  Waker waker_;
  Driver<sdk::SchedulerCore, SchedulerLink> driver_;
};

}  // namespace banyan::sim
