// A clock for cores: time passes only when a test says so.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/time.h"

namespace banyan {

/// Steps `core` at the present virtual time and collects effects.
template <class Core>
class Stage {
 public:
  explicit Stage(Core core) : core_(std::move(core)) {}

  template <class Input>
  std::vector<typename Core::Effect> give(const Input& input) {
    return core_.step(now(), typename Core::Input(input));
  }
  /// Lets time pass, ticking at each deadline on the way; all effects of the way.
  template <class Tick>
  std::vector<typename Core::Effect> pass(Duration duration, const Tick& tick) {
    std::vector<typename Core::Effect> effects;
    const Instant end = at_ + duration;
    for (int guard = 0; guard < 10'000; ++guard) {
      const auto deadline = core_.next_deadline();
      if (!deadline || *deadline > end) break;
      at_ = std::max(at_, *deadline);
      for (auto& effect : give(tick)) effects.push_back(std::move(effect));
      if (core_.next_deadline() == deadline) break;  // it does not want to go on
    }
    at_ = end;
    return effects;
  }
  [[nodiscard]] Now now() const { return {at_, WallTime(at_.time_since_epoch())}; }
  Core& core() { return core_; }

 private:
  Core core_;
  Instant at_{std::chrono::seconds(1000)};
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
