// Mesos' resource algebra: what adds up, what is contained, what can be taken.
#include "runtime/base/resources.h"

#include <gtest/gtest.h>

#include "runtime/base/rng.h"

namespace banyan {
namespace {

Resources parse(std::string_view text) {
  auto parsed = Resources::parse(text);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed.value_or(Resources());
}

std::string error_of(std::string_view text) {
  const auto parsed = Resources::parse(text);
  return parsed ? "parsed as " + parsed->str() : parsed.error().message;
}

Resource reserved(std::string name, Amount amount, std::string role) {
  return {{std::move(name), {{true, std::move(role), "", {}}}, {}, ""}, std::move(amount)};
}

Resource volume(const std::string& id, std::int64_t mb, const std::string& role) {
  Resource r = reserved("disk", Scalar{mb * 1000}, role);
  r.identity.volume = Volume{id, "", "data", false};
  return r;
}

TEST(ResourcesText, ReadsEveryKindAndPrintsItSorted) {
  EXPECT_EQ(parse("mem:8192; cpus:4;ports:[31000-32000];bugs(debug):{b,a}").str(),
            "bugs(debug):{a, b}; cpus:4; mem:8192; ports:[31000-32000]");
}

TEST(ResourcesText, RoundTrips) {
  const auto all = parse("cpus:0.25;mem:64;ports:[1-3, 7-9];disk(kafka):100");
  EXPECT_EQ(parse(all.str()), all);
}

TEST(ResourcesText, AddsRepeatedNamesAndDropsZeros) { EXPECT_EQ(parse("cpus:1;cpus:2;mem:0").str(), "cpus:3"); }

TEST(ResourcesText, RoundsToThousandths) { EXPECT_EQ(parse("cpus:0.1234").str(), "cpus:0.123"); }

TEST(ResourcesText, TakesTheStarRoleAsUnreserved) { EXPECT_EQ(parse("cpus(*):1"), parse("cpus:1")); }

TEST(ResourcesText, MergesNeighbouringRangesUpToTheLastNumber) {
  EXPECT_EQ(parse("ports:[3-4,1-2]").str(), "ports:[1-4]");
  EXPECT_EQ(parse("ports:[18446744073709551615-18446744073709551615, 1-18446744073709551614]").str(),
            "ports:[1-18446744073709551615]");
}

TEST(ResourcesText, NamesTheMistake) {
  EXPECT_EQ(error_of("cpus"), "resource 'cpus': has no amount; write NAME:AMOUNT or NAME(ROLE):AMOUNT");
  EXPECT_EQ(error_of("cpus:"), "resource 'cpus:': has no amount; write NAME:AMOUNT");
  EXPECT_EQ(error_of(":4"), "resource ':4': has no name; write NAME:AMOUNT");
  EXPECT_EQ(error_of("cpus:x"), "resource 'cpus:x': the amount is a number, [ranges] or {a set}");
  EXPECT_EQ(error_of("cpus:-1"), "resource 'cpus:-1': must not be negative");
  EXPECT_EQ(error_of("cpus:nan"), "resource 'cpus:nan': not a number");
  EXPECT_EQ(error_of("mem:1e99"), "resource 'mem:1e99': is too large (at most 10000000000)");
  EXPECT_EQ(error_of("ports:[9-1]"), "resource 'ports:[9-1]': the range 9-1 ends before it begins");
  EXPECT_EQ(error_of("ports:[1-2"), "resource 'ports:[1-2': a list of ranges ends with ']'");
  EXPECT_EQ(error_of("ports:[a-b]"), "resource 'ports:[a-b]': a range is written [31000-32000, 33000-33000]");
  EXPECT_EQ(error_of("cpus(:4"), "resource 'cpus(:4': the role's ')' is missing");
  EXPECT_EQ(error_of("cpus():4"), "resource 'cpus():4': the role between '(' and ')' is empty");
  EXPECT_EQ(error_of("x:1;x:{a}"), "resource 'x:{a}': is named before as another kind of amount");
}

TEST(ResourcesAlgebra, TakingPortsOutOfTheMiddleLeavesTwoRanges) {
  EXPECT_EQ((parse("ports:[1-10]") - parse("ports:[4-5]")).str(), "ports:[1-3, 6-10]");
  EXPECT_EQ((parse("ports:[1-10]") - parse("ports:[1-10]")).str(), "");
  EXPECT_EQ((parse("ports:[1-10]") - parse("ports:[1-1,3-3,10-10]")).str(), "ports:[2-2, 4-9]");
}

TEST(ResourcesAlgebra, KeepsReservationsApart) {
  Resources both = parse("cpus:1");
  both.add(reserved("cpus", Scalar{2000}, "kafka"));
  EXPECT_EQ(both.str(), "cpus:1; cpus(reservations: [(DYNAMIC,kafka)]):2");
  EXPECT_FALSE(both.contains(parse("cpus:2")));
  EXPECT_EQ(both.reserved_to("kafka").scalar("cpus").milli, 2000);
  EXPECT_EQ(both.scalar("cpus").milli, 3000);
  EXPECT_EQ(both.unreserved(), parse("cpus:1"));
}

TEST(ResourcesAlgebra, TakesVolumesWholeOnly) {
  const Resources one{volume("v", 100, "kafka")};
  EXPECT_TRUE(one.contains(one));
  EXPECT_FALSE(one.contains(Resources{volume("v", 50, "kafka")}));
  EXPECT_FALSE(one.contains(Resources{volume("w", 100, "kafka")}));
}

TEST(ResourcesAlgebra, MarksAndUnmarksAnAllocation) {
  const auto all = parse("cpus:1;ports:[1-2]");
  EXPECT_EQ(all.with_allocation("a").str(), "cpus(allocated: a):1; ports(allocated: a):[1-2]");
  EXPECT_EQ(all.with_allocation("a").without_allocation(), all);
}

TEST(ResourcesAlgebra, RefusesASecondKindUnderOneName) {
  const auto cpus = parse("cpus:1");
  EXPECT_FALSE(cpus.accepts(reserved("cpus", Items{"a"}, "kafka")));
  EXPECT_TRUE(cpus.accepts(reserved("cpus", Scalar{1}, "kafka")));
  EXPECT_TRUE(cpus.accepts(reserved("bugs", Items{"a"}, "kafka")));
  EXPECT_FALSE(cpus.contains(Resources{{{"cpus", {}, {}, ""}, Items{"a"}}}));
}

TEST(ResourcesFind, TakesReservedOnesFirstAndThenTheRest) {
  Resources offer = parse("cpus:1;mem:100;ports:[1-5]");
  offer.add(reserved("cpus", Scalar{300}, "kafka"));
  const auto found = offer.find(parse("cpus:0.5;ports:[2-3]"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->str(), "cpus:0.2; cpus(reservations: [(DYNAMIC,kafka)]):0.3; ports:[2-3]");
  EXPECT_TRUE(offer.contains(*found));
}

TEST(ResourcesFind, GivesNothingWhenItDoesNotFitAndNeverTouchesVolumes) {
  Resources offer = parse("cpus:1");
  offer.add(volume("v", 100, "kafka"));
  EXPECT_FALSE(offer.find(parse("cpus:1.001")));
  EXPECT_FALSE(offer.find(parse("disk:10")));
  EXPECT_FALSE(offer.find(parse("gpus:1")));
}

// A stupid twin: bags of single ports as sets of numbers.
TEST(ResourcesAlgebra, AgreesWithSetsOfNumbers) {
  Rng rng(7);
  for (int round = 0; round < 500; ++round) {
    const auto draw = [&] {
      std::set<std::uint64_t> numbers;
      for (int i = 0; i < 8; ++i) numbers.insert(rng.below(16));
      return numbers;
    };
    const auto bag = [](const std::set<std::uint64_t>& numbers) {
      Resources all;
      for (const auto n : numbers) all.add({{"ports", {}, {}, ""}, Ranges{{n, n}}});
      return all;
    };
    const auto a = draw();
    const auto b = draw();
    auto both = a;
    both.insert(b.begin(), b.end());
    auto left = both;
    for (const auto n : b) left.erase(n);
    EXPECT_EQ(bag(a) + bag(b), bag(both));
    EXPECT_EQ(bag(both) - bag(b), bag(left));
    EXPECT_EQ(bag(a).contains(bag(b)), std::includes(a.begin(), a.end(), b.begin(), b.end()));
  }
}

}  // namespace
}  // namespace banyan
