// State that an earlier landed version wrote: stacks as their text, handovers inside their nodes' records.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/root/harness.h"

namespace banyan::root {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* text = R"(
name: s
frameworks:
  a: { command: [sleep, "1"], ports: { p: auto }, endpoints: { e: { port: p } } }
  b: { command: [sleep, "1"], depends_on: [a] }
)";

struct AnEarlierRoot : testing::Test, Harness {
  AnEarlierRoot() {
    connect();
    up(text);
    offer();
    serves("a");
    offer();
    serves("b");
  }

  /// Dies, and leaves what it would have written. `asked`: how its handovers were told apart from these.
  void dies(const std::function<void(Handover&)>& aged = [](Handover&) {}) {
    for (const char* name : {"a", "b"}) {
      NodeRecord record;
      ASSERT_TRUE(record.ParseFromString(stored.at(std::string("node/s.") + name)));
      *record.mutable_handover() = handover(name);
      aged(*record.mutable_handover());
      record.clear_handover_version();
      record.clear_handover_hash();
      record.clear_stop();
      stored[std::string("node/s.") + name] = record.SerializeAsString();
    }
    StackRecord stack, before;
    ASSERT_TRUE(before.ParseFromString(stored.at("stack/s")));
    stack.mutable_bundle()->set_file("stack.yaml");
    stack.mutable_bundle()->set_text(text);
    stack.set_down(before.down());
    stored["stack/s"] = stack.SerializeAsString();
    std::erase_if(stored, [](const auto& entry) { return entry.first.starts_with("config/"); });
    restart();
    connect();
  }
  [[nodiscard]] NodeRecord record(const std::string& name) const {
    NodeRecord record;
    EXPECT_TRUE(record.ParseFromString(stored.at("node/s." + name)));
    return record;
  }
};

TEST_F(AnEarlierRoot, LeavesHandoversThatAreKnownAgain) {
  const auto told = handover("b");
  dies();
  serves("a");
  serves("b");
  EXPECT_THAT(launched, SizeIs(2)) << "nothing is launched anew";
  EXPECT_EQ(node("b").state(), "serving");
  EXPECT_FALSE(record("b").has_handover()) << "converted";
  EXPECT_GE(record("b").handover_version(), told.version());
  EXPECT_TRUE(handover("b").may_start());
  const auto settled = record("b").handover_version();
  restart();
  connect();
  serves("a");
  serves("b");
  EXPECT_EQ(record("b").handover_version() % 2, settled % 2) << "the gate closes and opens, nothing else is new";
  EXPECT_EQ(handover("b").config(), told.config());
}

TEST_F(AnEarlierRoot, WhoseHandoversHadNeitherGateNorHashIsFollowedByANewVersion) {
  const auto before = handover("a").version();
  dies([](Handover& handover) {
    handover.clear_may_start();
    handover.clear_node_hash();
  });
  EXPECT_EQ(handover("a").version(), before + 1) << "a version is never told with two contents";
  EXPECT_FALSE(handover("a").node_hash().empty());
  serves("a");
  serves("b");
  EXPECT_EQ(core->summary(), "s: a=serving b=serving");
  EXPECT_THAT(launched, SizeIs(2));
}

TEST_F(AnEarlierRoot, ThatWasDrainingIsFollowedByOneThatDrains) {
  Harness::down("s");
  ASSERT_TRUE(handover("b").drain());
  dies();
  EXPECT_EQ(core->summary(), "s: a=serving b=stopping");
  advance(1s);
  EXPECT_THAT(teardowns, IsEmpty()) << "its servers would be killed without their grace";
  drains("b");
  ASSERT_THAT(teardowns, SizeIs(1));
  EXPECT_EQ(teardowns[0].framework_id, "s.b.1");
  torn_down();
  EXPECT_EQ(core->summary(), "s: a=stopping b=stopped");
}

TEST_F(AnEarlierRoot, ThatWasTearingDownIsFollowedByOneThatDoes) {
  Harness::down("s", false, true);
  ASSERT_FALSE(handover("b").drain());
  teardowns.clear();
  dies();
  ASSERT_THAT(teardowns, SizeIs(1)) << "asked again: nobody knows whether it was done";
  EXPECT_EQ(teardowns[0].framework_id, "s.b.1");
}

}  // namespace
}  // namespace banyan::root
