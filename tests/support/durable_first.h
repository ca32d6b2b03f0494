// Durable before visible, looked at in a core's own words: the driver can only hold back what follows a Persist.
#pragma once

#include <gtest/gtest.h>

#include <variant>
#include <vector>

#include "runtime/base/change.h"

namespace banyan {

/// Fails the test when one step says something to a peer before it persists. `tells`: is this effect seen outside?
template <class Effect, class Tells>
void expect_durable_first(const std::vector<Effect>& effects, Tells tells) {
  bool told = false;
  for (const auto& effect : effects) {
    if (std::holds_alternative<Persist>(effect))
      EXPECT_FALSE(told) << "a peer is told before the write that it rests on";
    else told = told || tells(effect);
  }
}

}  // namespace banyan
