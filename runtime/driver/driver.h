// The loop around a core: input -> step -> effects -> next deadline. The same code in production and simulation.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/change.h"
#include "runtime/base/check.h"
#include "runtime/base/time.h"
#include "runtime/ports/store.h"

namespace banyan {

namespace detail {
template <class Variant, class T>
inline constexpr bool holds = false;
template <class T, class... Ts>
inline constexpr bool holds<std::variant<Ts...>, T> = (std::is_same_v<T, Ts> || ...);
}  // namespace detail

/// Runs one core. A core has
///
///     using Input  = std::variant<…>;                    // what can happen to it; Input holds a Tick
///     using Effect = std::variant<Persist, …>;           // what it wants done
///     std::vector<Effect> step(Now, const Input&);       // the only way its state changes
///     std::optional<Instant> next_deadline() const;      // when it wants the next Tick
///
/// **Durable before visible, in one place.** Effects leave in the order they were decided. Those behind a Persist wait
/// until the store reports that write durable; so a core simply says Persist first and the announcement after it.
/// Writes themselves never wait for each other: the store groups them.
///
/// A core without durable state has no Persist among its effects; its world needs neither commit() nor fatal().
///
/// `World` gives: `Now now()`, `void perform(Effect)` (should not re-enter deliver(); if it does, what that decides
/// leaves after the effects already decided), `void commit(Changes, Done)`, `void wake_at(std::optional<Instant>)`
/// (deliver a Tick then; a late one is as good), `void fatal(Error)`.
/// THREADS: one. LIFETIME: the world outlives the driver.
template <class Core, class World>
class Driver {
 public:
  using Input = typename Core::Input;
  using Effect = typename Core::Effect;

  Driver(Core core, World& world) : core_(std::move(core)), world_(world) {}
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  void deliver(const Input& input) {
    for (auto& effect : core_.step(world_.now(), input)) enqueue(std::move(effect));
    flush();
    world_.wake_at(core_.next_deadline());
  }

  [[nodiscard]] const Core& core() const { return core_; }

 private:
  struct Held {
    std::uint64_t after;  // the write that must be durable first; 0: none
    Effect effect;
  };

  void enqueue(Effect effect) {
    if constexpr (detail::holds<Effect, Persist>) {
      if (auto* persist = std::get_if<Persist>(&effect)) {
        const std::uint64_t write = ++written_;
        world_.commit(std::move(persist->changes), [this, write](const Result<void>& done) {
          if (!done) return world_.fatal(done.error());
          durable_ = write;  // commits complete in order
          flush();
        });
        return;
      }
    }
    held_.push_back({written_, std::move(effect)});
  }

  void flush() {
    if (flushing_) return;
    flushing_ = true;
    while (!held_.empty() && held_.front().after <= durable_) {
      Effect effect = std::move(held_.front().effect);
      held_.pop_front();
      world_.perform(std::move(effect));
    }
    flushing_ = false;
  }

  Core core_;
  World& world_;
  std::deque<Held> held_;
  std::uint64_t written_ = 0;
  std::uint64_t durable_ = 0;
  bool flushing_ = false;
};

}  // namespace banyan
