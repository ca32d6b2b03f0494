// What the operator API shows of a master that knows less than it would like to.
#include "runtime/adapters/codec/master_state.h"

#include <gtest/gtest.h>

#include <memory>

namespace banyan::codec {
namespace {

TEST(AMasterThatWasRestarted, ShowsEndedFrameworksWithoutTimesItNoLongerKnows) {
  master::State state;
  mesos::v1::FrameworkInfo info;
  info.set_user("nobody");
  info.set_name("web");
  const auto bytes = std::make_shared<const std::string>(info.SerializeAsString());
  state.completed.emplace(FrameworkId("web"), master::CompletedFramework{FrameworkId("web"), 1, bytes, {}, {}});
  const auto shown = show_frameworks(state);
  ASSERT_EQ(shown.completed_frameworks_size(), 1);
  EXPECT_FALSE(shown.completed_frameworks(0).has_registered_time());
  EXPECT_FALSE(shown.completed_frameworks(0).has_unregistered_time());
}

}  // namespace
}  // namespace banyan::codec
