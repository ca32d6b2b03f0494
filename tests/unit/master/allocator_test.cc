// Who is offered what: shares, reservations, filters, and a stupid twin.
#include "runtime/core/allocator/allocator.h"

#include <gtest/gtest.h>

#include "runtime/base/rng.h"

namespace banyan::allocator {
namespace {

const Refused nobody_refuses = [](const auto&, const auto&, const auto&) { return false; };

Resources parse(const std::string& text) { return Resources::parse(text).value(); }

Resources reserved(const std::string& text, std::vector<std::string> roles) {
  Resources all;
  for (Resource r : parse(text).list()) {
    for (const auto& role : roles) r.identity.reservations.push_back({true, role, "", {}});
    all.add(r);
  }
  return all;
}

Machine machine(const std::string& id, Resources free) { return {AgentId(id), std::move(free), false}; }

Claimant claimant(const std::string& id, const std::string& role, const std::string& held = "") {
  Claimant c;
  c.framework = FrameworkId(id);
  c.role = role;
  add(c.held, parse(held));
  c.refined = true;
  return c;
}

Quantities total(const std::string& text) {
  Quantities all;
  add(all, parse(text));
  return all;
}

std::string shown(const std::vector<Grant>& grants) {
  std::string text;
  for (const auto& g : grants)
    text += g.agent.str() + " -> " + g.framework.str() + "/" + g.role + ": " + g.resources.str() + "\n";
  return text;
}

TEST(Allocation, GivesAMachineToTheRoleWithTheSmallestDominantShare) {
  // cpus: 3/10 against 1/10; but memory: 100/1000 against 500/1000 decides.
  EXPECT_EQ(shown(allocate({machine("a", parse("cpus:1;mem:50"))},
                           {claimant("web", "web", "cpus:3;mem:100"), claimant("db", "db", "cpus:1;mem:500")},
                           total("cpus:10;mem:1000"), nobody_refuses)),
            "a -> web/web: cpus:1; mem:50\n");
}

TEST(Allocation, SharesAreTheLargestOfWhatThereIs) {
  EXPECT_DOUBLE_EQ(dominant_share(total("cpus:4;mem:300"), total("cpus:10;mem:1000")), 0.4);
  EXPECT_DOUBLE_EQ(dominant_share(total("cpus:4;gpus:1"), {{"cpus", 10'000}, {"gpus", 0}}), 0.4);
  EXPECT_TRUE(worth_offering(parse("cpus:0.001;mem:32")));
}

TEST(Allocation, CountsAllFrameworksOfARole) {
  EXPECT_EQ(
      shown(allocate({machine("a", parse("cpus:1"))},
                     {claimant("one", "x", "cpus:3"), claimant("two", "x", "cpus:2"), claimant("db", "y", "cpus:4")},
                     total("cpus:10"), nobody_refuses)),
      "a -> db/y: cpus:1\n");
}

TEST(Allocation, WeighsRoles) {
  auto heavy = claimant("web", "web", "cpus:4");
  heavy.weight = 4;
  EXPECT_EQ(shown(allocate({machine("a", parse("cpus:1"))}, {heavy, claimant("db", "db", "cpus:2")}, total("cpus:10"),
                           nobody_refuses)),
            "a -> web/web: cpus:1\n");
}

TEST(Allocation, AlternatesBetweenEquals) {
  const auto grants =
      allocate({machine("a", parse("cpus:1")), machine("b", parse("cpus:1")), machine("c", parse("cpus:1"))},
               {claimant("one", "x"), claimant("two", "x")}, total("cpus:3"), nobody_refuses);
  EXPECT_EQ(shown(grants), "a -> one/x: cpus:1\nb -> two/x: cpus:1\nc -> one/x: cpus:1\n");
}

TEST(Allocation, LooksFirstAtThoseThatAsked) {
  auto asking = claimant("z", "z", "cpus:9");
  asking.asked = true;
  EXPECT_EQ(shown(allocate({machine("a", parse("cpus:1")), machine("b", parse("cpus:1"))},
                           {claimant("web", "web"), asking}, total("cpus:10"), nobody_refuses)),
            "a -> z/z: cpus:1\nb -> web/web: cpus:1\n");
}

TEST(Allocation, KeepsReservedResourcesForTheirRole) {
  const Resources free = parse("cpus:1") + reserved("cpus:2;disk:10", {"db"});
  EXPECT_EQ(shown(allocate({machine("a", free)}, {claimant("web", "web"), claimant("db", "db", "cpus:5")},
                           total("cpus:10"), nobody_refuses)),
            "a -> web/web: cpus:1\n"
            "a -> db/db: cpus(reservations: [(DYNAMIC,db)]):2; disk(reservations: [(DYNAMIC,db)]):10\n");
}

TEST(Allocation, HidesStackedReservationsFromThoseThatDoNotKnowThem) {
  auto simple = claimant("db", "eng/db");
  simple.refined = false;
  const Resources free = parse("cpus:1") + reserved("cpus:2", {"eng", "eng/db"});
  EXPECT_EQ(shown(allocate({machine("a", free)}, {simple}, total("cpus:10"), nobody_refuses)),
            "a -> db/eng/db: cpus:1\n");
}

TEST(Allocation, DoesNotOfferCrumbsNorGpusToTheUninterested) {
  EXPECT_EQ(shown(allocate({machine("a", parse("cpus:0.009;mem:31;disk:1000"))}, {claimant("web", "web")},
                           total("cpus:1"), nobody_refuses)),
            "");
  auto wants = claimant("ml", "ml", "cpus:9");
  wants.wants_gpus = true;
  Machine gpus = machine("g", parse("cpus:1;gpus:2"));
  gpus.has_gpus = true;
  EXPECT_EQ(shown(allocate({gpus}, {claimant("web", "web"), wants}, total("cpus:10"), nobody_refuses)),
            "g -> ml/ml: cpus:1; gpus:2\n");
}

TEST(Allocation, PassesWhatOneRefusesToTheNext) {
  const Refused web_refuses = [](const Claimant& c, const AgentId&, const Resources&) { return c.role == "web"; };
  EXPECT_EQ(shown(allocate({machine("a", parse("cpus:1"))}, {claimant("web", "web"), claimant("db", "db", "cpus:5")},
                           total("cpus:10"), web_refuses)),
            "a -> db/db: cpus:1\n");
}

// The stupid twin: no sorting, the whole line searched for the neediest each time.
TEST(Allocation, AgreesWithASearchForTheNeediest) {
  Rng rng(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<Machine> machines;
    std::vector<Claimant> claimants;
    for (std::uint64_t i = 0; i < 1 + rng.below(5); ++i)
      machines.push_back(machine("a" + std::to_string(i), parse("cpus:" + std::to_string(1 + rng.below(4)))));
    for (std::uint64_t i = 0; i < 1 + rng.below(4); ++i)
      claimants.push_back(
          claimant("f" + std::to_string(i), "r" + std::to_string(i), "cpus:" + std::to_string(rng.below(6))));
    std::map<std::string, std::int64_t> held;
    for (const auto& c : claimants) held[c.role] = c.held.count("cpus") ? c.held.at("cpus") : 0;
    std::string expected;
    for (const auto& m : machines) {
      auto neediest = held.begin();
      for (auto it = held.begin(); it != held.end(); ++it)
        if (it->second < neediest->second) neediest = it;
      neediest->second += m.free.scalar("cpus").milli;
      expected +=
          m.agent.str() + " -> f" + neediest->first.substr(1) + "/" + neediest->first + ": " + m.free.str() + "\n";
    }
    EXPECT_EQ(shown(allocate(machines, claimants, total("cpus:100"), nobody_refuses)), expected);
  }
}

}  // namespace
}  // namespace banyan::allocator
