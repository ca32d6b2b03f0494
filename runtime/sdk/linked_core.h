// LinkedCore: an SDK core on a Loop, with its link to the server and its timer.
#pragma once

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "runtime/adapters/loop/alarm.h"
#include "runtime/driver/driver.h"
#include "runtime/sdk/v1_link.h"

namespace banyan::sdk {

/// The world of a SchedulerCore or an ExecutorCore: streams and calls go to the link, all other effects to `rest`.
/// THREADS: the loop's. LIFETIME: not to be destroyed from within `rest`.
template <class Core>
class LinkedCore {
 public:
  using Effect = typename Core::Effect;
  using Input = typename Core::Input;

  LinkedCore(Loop& loop, Core core, std::function<void(Effect)> rest)
      : rest_(std::move(rest)),
        alarm_(loop, [this] { deliver(Input(Tick{})); }),
        link_(loop, [this](auto report) { deliver(Input(std::move(report))); }),
        driver_(std::move(core), *this) {
    wake_at(driver_.core().next_deadline());
  }
  LinkedCore(const LinkedCore&) = delete;
  LinkedCore& operator=(const LinkedCore&) = delete;

  void deliver(const Input& input) { driver_.deliver(input); }
  [[nodiscard]] const Core& core() const { return driver_.core(); }

  // What Driver asks of a world.
  [[nodiscard]] Now now() const { return clock_now(); }
  void perform(Effect effect) {
    const bool linked = std::visit(
        [this](const auto& what) {
          if constexpr (std::is_invocable_v<V1Link&, decltype(what)>) {
            link_(what);
            return true;
          } else {
            return false;
          }
        },
        effect);
    if (!linked) rest_(std::move(effect));
  }
  void wake_at(std::optional<Instant> when) { alarm_.set(when); }

 private:
  std::function<void(Effect)> rest_;
  Alarm alarm_;
  V1Link link_;
  Driver<Core, LinkedCore> driver_;
};

}  // namespace banyan::sdk
