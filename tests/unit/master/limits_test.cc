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

TEST_F(Bounded, TasksAreForgottenWithTheirAgentOrAfterThousandOthers) {
  step(Start{});
  Subscribe subscribe;
  subscribe.framework.id = FrameworkId("web");
  subscribe.framework.failover_timeout_seconds = 1e6;
  step(subscribe);
  const auto launch = [&](const std::string& id) {
    step(Tick{});
    ASSERT_EQ(core_.state().offers.size(), 1u);
    const Offer offer = core_.state().offers.begin()->second;
    TaskDescription task;
    task.id = TaskId(id);
    task.agent = offer.agent;
    task.has_command = true;
    task.resources = Resources::parse("cpus:1").value();
    const StreamId stream = core_.state().frameworks.at(FrameworkId("web")).stream;
    step(SchedulerCall{0, FrameworkId("web"), stream, calls::Accept{{offer.id}, {{{}, calls::Launch{{task}}}}, {}}});
  };
  const auto end = [&](const std::string& id) {
    const StreamId stream = core_.state().frameworks.at(FrameworkId("web")).stream;
    step(AgentUpdate{1, FrameworkId("web"), TaskId(id), TaskState::finished, TaskState::finished, "u", "s"});
    step(SchedulerCall{0, FrameworkId("web"), stream, calls::Acknowledge{AgentId("a0"), TaskId(id), "u"}});
  };
  register_agent("a0", 1);
  for (std::size_t i = 0; i < limits::completed_tasks_max + 2; ++i) {
    launch("t" + std::to_string(i));
    end("t" + std::to_string(i));
  }
  EXPECT_EQ(core_.state().completed_tasks.size(), limits::completed_tasks_max);
  EXPECT_EQ(core_.state().completed_tasks.front().task.id.str(), "t2");
  launch("last");
  step(AgentClosed{1});
  advance(std::chrono::seconds(11));
  for (int i = 1; i < 3; ++i) {
    register_agent("a" + std::to_string(i), static_cast<LinkId>(i + 1));
    step(AgentClosed{static_cast<LinkId>(i + 1)});
    now_.wall += std::chrono::seconds(1);
    advance(std::chrono::seconds(11));
  }
  EXPECT_TRUE(core_.state().frameworks.at(FrameworkId("web")).tasks.empty());
}

TEST_F(Bounded, FiltersOfOneAgentAreSixteenAtMostAndNoneThatHasEnded) {
  step(Start{});
  Subscribe subscribe;
  subscribe.framework.id = FrameworkId("web");
  step(subscribe);
  const auto filters = [&](std::size_t cpus, Duration time) {  // after declining an agent of that size
    AgentRegister agent;
    agent.link = cpus;
    agent.id = AgentId("a0");
    agent.declared = Resources::parse("cpus:" + std::to_string(cpus)).value();
    step(agent);
    step(Tick{});
    const Framework& web = core_.state().frameworks.at(FrameworkId("web"));
    if (core_.state().offers.size() != 1u) return std::size_t{0};
    step(SchedulerCall{0, web.id, web.stream, calls::Decline{{core_.state().offers.begin()->first}, time}});
    return web.filters.begin()->second.size();
  };
  for (std::size_t i = 1; i <= limits::filters_max; ++i) EXPECT_EQ(filters(i, std::chrono::hours(1)), i);
  EXPECT_EQ(filters(100, std::chrono::seconds(2)), limits::filters_max);
  EXPECT_EQ(filters(200, std::chrono::hours(1)), limits::filters_max);
  now_.mono += std::chrono::seconds(3);
  EXPECT_EQ(filters(300, std::chrono::hours(1)), limits::filters_max);
  EXPECT_EQ(core_.state().frameworks.at(FrameworkId("web")).filters.begin()->second.front().refused.str(), "cpus:3");
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
