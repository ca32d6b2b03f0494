#include "specs/names.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "specs/scalars.h"

namespace banyan::specs {
namespace {

/// Every label of up to three characters over a small alphabet: where hyphens and digits meet, names could run
/// together.
std::vector<std::string> labels() {
  std::vector<std::string> out;
  const std::string alphabet = "ab-1";
  for (const char a : alphabet) {
    out.emplace_back(1, a);
    for (const char b : alphabet) {
      out.push_back({a, b});
      for (const char c : alphabet) out.push_back({a, b, c});
    }
  }
  std::erase_if(out, [](const std::string& label) { return !is_label(label); });
  return out;
}

TEST(Names, LookLikeThis) {
  EXPECT_EQ(service_name("logging", "kafka", "broker"), "broker.kafka.logging.banyan");
  EXPECT_EQ(instance_name("kafka", 0), "kafka-0");
  EXPECT_EQ(role("logging", "kafka"), "logging.kafka");
  EXPECT_EQ(framework_id("logging", "kafka", 3), "logging.kafka.3");
  EXPECT_EQ(endpoint_variable("my-kafka", "broker"), "BANYAN_ENDPOINT_MY_KAFKA_BROKER");
}

TEST(Names, OfDifferentThingsDiffer) {
  const auto all = labels();
  std::set<std::string> services, roles, frameworks, instances;
  std::size_t pairs = 0, triples = 0;
  for (const auto& a : all)
    for (const auto& b : all) {
      ++pairs;
      roles.insert(role(a, b));
      frameworks.insert(framework_id(a, b, 1));
      frameworks.insert(framework_id(a, b, 11));
      for (const auto& c : all) {
        ++triples;
        services.insert(service_name(a, b, c));
      }
    }
  for (const auto& a : all)
    for (std::uint32_t i = 0; i < 120; ++i) instances.insert(instance_name(a, i));
  EXPECT_EQ(roles.size(), pairs);
  EXPECT_EQ(frameworks.size(), 2 * pairs);
  EXPECT_EQ(services.size(), triples);
  EXPECT_EQ(instances.size(), 120 * all.size());
}

TEST(Names, FitIntoDns) {
  const std::string longest(40, 'x');
  ASSERT_TRUE(is_label(longest));
  EXPECT_FALSE(is_label(longest + "x"));
  EXPECT_LE(instance_name(longest, 999).size(), 63u);
  EXPECT_LE(service_name(longest, longest, longest).size(), 253u);
}

}  // namespace
}  // namespace banyan::specs
