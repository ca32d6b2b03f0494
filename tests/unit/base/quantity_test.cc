// Durations as Go and as Mesos write them. Sizes, cpus and the rest of a stack file: tests/unit/specs/scalars_test.cc.
#include "runtime/base/quantity.h"

#include <gmock/gmock.h>

namespace banyan {
namespace {

using namespace std::chrono_literals;

TEST(ADuration, IsReadExactly) {
  EXPECT_EQ(parse_duration("500ms").value(), 500ms);
  EXPECT_EQ(parse_duration("1m30s").value(), 90s);
  EXPECT_EQ(parse_duration("1.5h").value(), 90min);
  EXPECT_EQ(parse_duration(".5s").value(), 500ms);
  EXPECT_EQ(parse_duration("0.1us").value(), 100ns);
}

TEST(ADuration, IsRefusedWithoutAUnitOrWhenItWouldBeRounded) {
  for (const char* text : {"", "2", "s", "1.s", ".", "-3s", "3 s", "5x", "1m30", "0.1ns", "3000000h", "15mins"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(ADuration, OfMesosHasMesosUnits) {
  EXPECT_EQ(parse_duration("15mins", mesos_duration_units).value(), 15min);
  EXPECT_EQ(parse_duration("500ms", mesos_duration_units).value(), 500ms);
  EXPECT_EQ(parse_duration("2.5secs", mesos_duration_units).value(), 2500ms);
  EXPECT_EQ(parse_duration("1weeks", mesos_duration_units).value(), 168h);
  for (const char* text : {"", "2", "2s", "soon"}) EXPECT_FALSE(parse_duration(text, mesos_duration_units)) << text;
}

}  // namespace
}  // namespace banyan
