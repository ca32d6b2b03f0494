// Back-off by number and by the last wait.
#include "runtime/base/backoff.h"

#include <gmock/gmock.h>

#include <set>

namespace banyan {
namespace {

using namespace std::chrono_literals;

constexpr Backoff backoff{100ms, 1s};

TEST(ABackoff, DoublesUpToItsMaximum) {
  Duration last{};
  for (const Duration expected : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    last = backoff.next(last);
    EXPECT_EQ(last, expected);
  }
  EXPECT_EQ(backoff.wait(0), 100ms);
  EXPECT_EQ(backoff.wait(3), 800ms);
  EXPECT_EQ(backoff.wait(4), 1s);
  EXPECT_EQ(backoff.wait(4'000'000'000), 1s);
}

TEST(ABackoff, NeverExceedsAMaximumBelowItsMinimum) {
  EXPECT_EQ((Backoff{2s, 1s}.wait(0)), 1s);
  EXPECT_EQ((Backoff{2s, 1s}.next(0s)), 1s);
}

TEST(ABackoff, WithoutAMinimumDoesNotWait) { EXPECT_EQ((Backoff{0s, 1s}.wait(4'000'000'000)), 0s); }

TEST(ABackoff, DrawsFromTheUpperHalf) {
  Rng rng(7);
  std::set<Duration> waits;
  for (int i = 0; i < 100; ++i) waits.insert(backoff.wait(1, rng));
  EXPECT_GE(*waits.begin(), 100ms);
  EXPECT_LE(*waits.rbegin(), 200ms);
  EXPECT_GT(waits.size(), 90u);
}

}  // namespace
}  // namespace banyan
