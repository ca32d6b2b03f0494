#include "runtime/adapters/loop/alarm.h"

#include <utility>

namespace banyan {

void Alarm::set(std::optional<Instant> when) {
  if (when == when_) return;
  if (timer_) loop_.cancel(*std::exchange(timer_, std::nullopt));
  when_ = when;
  if (!when) return;
  if (*when > mono_now()) {
    timer_ = loop_.at(*when, [this] { ring(); });
  } else {
    loop_.at_end_of_turn(this, [this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired() && when_ && !timer_) ring();
    });
  }
}

void Alarm::ring() {
  timer_.reset();
  when_.reset();
  const auto ring = ring_;  // outlives this alarm, should it be destroyed meanwhile
  ring();
}

}  // namespace banyan
