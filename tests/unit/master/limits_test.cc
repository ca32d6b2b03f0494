// Nothing the master keeps grows without end.
#include <gtest/gtest.h>

#include "runtime/core/master/core.h"

namespace banyan::master {
namespace {

class Bounded : public testing::Test {
 protected:
  std::vector<Effect> step(const Input& input) {
    auto effects = core_.step(now_, input);
    core_.check_invariants();
    return effects;
  }
  void advance(Duration time) {
    const Instant end = now_.mono + time;
    while (core_.next_deadline() && *core_.next_deadline() <= end) {
      now_.mono = std::max(now_.mono, *core_.next_deadline());
      step(Tick{});
    }
    now_.mono = end;
  }
  void register_agent(const std::string& id, LinkId link) {
    AgentRegister agent;
    agent.link = link;
    agent.id = AgentId(id);
    agent.declared = Resources::parse("cpus:1;mem:64").value();
    agent.info = id;
    step(agent);
  }
  Options options() {
    Options o;
    o.unreachable_agents_max = 2;
    return o;
  }

  Core core_{options(), {}, 1};
  Now now_{Instant(std::chrono::hours(1)), WallTime(std::chrono::hours(1))};
};

TEST_F(Bounded, UnreachableAgentsAreForgottenOldestFirst) {
  step(Start{});
  for (int i = 0; i < 4; ++i) {
    register_agent("a" + std::to_string(i), static_cast<LinkId>(i + 1));
    step(AgentClosed{static_cast<LinkId>(i + 1)});
    now_.wall += std::chrono::seconds(1);
    advance(std::chrono::seconds(11));
  }
  EXPECT_EQ(core_.summary(),
            "epoch 1  agents: a2=unreachable a3=unreachable  frameworks: none  offers: 0  tasks: none");
}

TEST_F(Bounded, CompletedFrameworksAreForgottenOldestFirst) {
  step(Start{});
  std::size_t forgotten = 0;
  for (std::size_t i = 0; i < limits::completed_frameworks_max + 3; ++i) {
    Subscribe subscribe;
    subscribe.call = i;
    subscribe.framework.id = FrameworkId("f" + std::to_string(i));
    step(subscribe);
    for (const auto& effect : step(OperatorTeardown{0, subscribe.framework.id}))
      if (const auto* persist = std::get_if<Persist>(&effect))
        for (const auto& change : persist->changes) forgotten += change.value ? 0 : 1;
  }
  EXPECT_EQ(core_.state().completed.size(), limits::completed_frameworks_max);
  EXPECT_EQ(forgotten, 3u);
  EXPECT_FALSE(core_.state().completed.count(FrameworkId("f2")));
  EXPECT_TRUE(core_.state().completed.count(FrameworkId("f3")));
}

TEST_F(Bounded, AMasterThatWasItselfStoppedGivesItsAgentsAnotherChance) {
  step(Start{});
  register_agent("a0", 1);
  now_.mono += std::chrono::seconds(60);  // no tick came meanwhile
  step(Tick{});
  EXPECT_EQ(core_.summary(), "epoch 1  agents: a0=registered  frameworks: none  offers: 0  tasks: none");
  advance(std::chrono::seconds(11));
  EXPECT_EQ(core_.summary(), "epoch 1  agents: a0=unreachable  frameworks: none  offers: 0  tasks: none");
}

}  // namespace
}  // namespace banyan::master
