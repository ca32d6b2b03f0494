// A clock for cores: time passes only when a test says so.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/time.h"
#include "tests/support/pass_time.h"

namespace banyan {

/// Steps `core` at the present virtual time and collects effects.
template <class Core>
class Stage {
 public:
  explicit Stage(Core core) : core_(std::move(core)) {}

  template <class Input>
  std::vector<typename Core::Effect> give(const Input& input) {
    auto effects = core_.step(now(), typename Core::Input(input));
    if constexpr (requires { core_.check_invariants(); }) core_.check_invariants();
    if (heard) heard(effects);
    return effects;
  }
  /// Lets time pass, ticking at each deadline on the way; all effects of the way.
  template <class Tick>
  std::vector<typename Core::Effect> pass(Duration duration, const Tick& tick) {
    std::vector<typename Core::Effect> effects;
    pass_time(
        now_, duration, [this] { return core_.next_deadline(); },
        [&] {
          for (auto& effect : give(tick)) effects.push_back(std::move(effect));
        });
    return effects;
  }
  [[nodiscard]] Now now() const { return now_; }
  Core& core() { return core_; }
  std::function<void(const std::vector<typename Core::Effect>&)> heard;  ///< all effects of a step, as they come

 private:
  Core core_;
  Now now_{Instant(std::chrono::seconds(1000)), WallTime(std::chrono::seconds(1000))};
};

/// The effects of one kind, in order.
template <class T, class Effects>
std::vector<T> all(const Effects& effects) {
  std::vector<T> found;
  for (const auto& effect : effects)
    if (const auto* one = std::get_if<T>(&effect)) found.push_back(*one);
  return found;
}
template <class T, class Effects>
std::optional<T> first(const Effects& effects) {
  const auto found = all<T>(effects);
  return found.empty() ? std::nullopt : std::optional<T>(found.front());
}

}  // namespace banyan
