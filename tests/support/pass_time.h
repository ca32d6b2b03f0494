// Virtual time for one core, as honest as the driver: a Tick when next_deadline() has come, and never otherwise.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "runtime/base/time.h"

namespace banyan {

/// Lets `by` pass. `deadline` gives the core's next_deadline(), `tick` steps it at `now`. What a core never arms never
/// happens, as in production; a deadline that stays due after its Tick would spin there, so it fails the test.
template <class Deadline, class Tick>
void pass_time(Now& now, Duration by, Deadline deadline, Tick tick) {
  constexpr int idle_max = 100;  // one Tick may leave another that is due at once
  const Instant until = now.mono + by;
  int idle = 0;
  for (std::optional<Instant> next = deadline(); next && *next <= until; next = deadline()) {
    const Duration step = std::max(*next - now.mono, Duration(0));
    idle = step > Duration(0) ? 0 : idle + 1;
    if (idle > idle_max) {
      ADD_FAILURE() << "the deadline stays due after its Tick: the driver would spin";
      break;
    }
    now.mono += step;
    now.wall += step;
    tick();
  }
  now.wall += until - now.mono;
  now.mono = until;
}

}  // namespace banyan
