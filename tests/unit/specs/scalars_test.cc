#include "specs/scalars.h"

#include <gtest/gtest.h>

namespace banyan::specs {
namespace {

using namespace std::chrono_literals;

TEST(Durations, AreGos) {
  EXPECT_EQ(parse_duration("500ms").value(), 500ms);
  EXPECT_EQ(parse_duration("1m30s").value(), 90s);
  EXPECT_EQ(parse_duration("1.5s").value(), 1500ms);
  EXPECT_EQ(parse_duration("1.5h").value(), 90min);
  EXPECT_EQ(parse_duration(".5s").value(), 500ms);
  EXPECT_EQ(parse_duration("7ns").value(), 7ns);
  EXPECT_EQ(parse_duration("0s").value(), 0s);
  for (const auto* bad : {"", "5", "s", "5 s", "1d", "-1s", "1s2", "1..5s", "9999999999h", "0.0000000001s", "1e3s"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Durations, AreWrittenAsTheyAreRead) {
  for (const auto d : {Duration(0), Duration(1), Duration(1500ms), Duration(90s), Duration(25h + 1ns)})
    EXPECT_EQ(parse_duration(to_text(d)).value(), d) << to_text(d);
  EXPECT_EQ(to_text(90s), "1m30s");
}

TEST(Sizes, ArePowersOf1024) {
  EXPECT_EQ(parse_size("1KiB").value(), 1024);
  EXPECT_EQ(parse_size("512MiB").value(), 512 << 20);
  EXPECT_EQ(parse_size("8388607TiB").value(), 8388607LL << 40);
  EXPECT_EQ(parse_size("9223372036854775807B").value(), INT64_MAX);
  for (const auto* bad : {"", "1", "1MB", "1 MiB", "1.5GiB", "-1B", "8388608TiB", "MiB"})
    EXPECT_FALSE(parse_size(bad)) << bad;
  EXPECT_EQ(size_text(64 << 20), "64MiB");
  EXPECT_EQ(size_text(1025), "1025B");
  EXPECT_EQ(size_text(0), "0B");
}

TEST(Cpus, AreExactThousandths) {
  EXPECT_EQ(parse_cpus("1").value(), 1000);
  EXPECT_EQ(parse_cpus("0.1").value(), 100);
  EXPECT_EQ(parse_cpus("0.125").value(), 125);
  EXPECT_EQ(parse_cpus("2.50").value(), 2500);
  EXPECT_EQ(parse_cpus("0.1000").value(), 100);
  for (const auto* bad : {"", "0.0001", "-1", "1.", ".5", "1e3", "two"}) EXPECT_FALSE(parse_cpus(bad)) << bad;
}

TEST(Integers, AreDecimal) {
  EXPECT_EQ(parse_integer("0").value(), 0);
  EXPECT_EQ(parse_integer("-17").value(), -17);
  EXPECT_EQ(parse_integer("9223372036854775807").value(), INT64_MAX);
  for (const auto* bad : {"", "-", "010", "0x1", "1_000", "1.0", "+1", " 1", "9223372036854775808"})
    EXPECT_FALSE(parse_integer(bad)) << bad;
}

TEST(Modes, AreOctal) {
  EXPECT_EQ(parse_mode("0644").value(), 0644u);
  EXPECT_EQ(parse_mode("755").value(), 0755u);
  for (const auto* bad : {"", "7", "0o644", "999", "01777", "rwx"}) EXPECT_FALSE(parse_mode(bad)) << bad;
}

TEST(Paths, StayInsideTheSandbox) {
  for (const auto* good : {"a", "conf/zoo.cfg", ".hidden", "a..b/c"}) EXPECT_TRUE(is_inside_path(good)) << good;
  for (const auto* bad : {"", "/a", "a/", "a//b", "../a", "a/..", "./a", "a/./b"})
    EXPECT_FALSE(is_inside_path(bad)) << bad;
}

}  // namespace
}  // namespace banyan::specs
