// What can never be placed, told before anything is launched.
#include "orchestrator/core/placement.h"

#include "tests/unit/root/harness.h"

namespace banyan::root {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

UpReply up(Harness& h, const std::string& text, const std::vector<AgentTotal>& agents) {
  UpAsked asked;
  asked.request.mutable_bundle()->set_file("stack.yaml");
  asked.request.mutable_bundle()->set_text(text);
  asked.agents = agents;
  h.step(asked);
  return std::get<UpReply>(h.answers.back());
}

const AgentTotal small{"a1", 2000, 4LL << 30, 10LL << 30}, big{"a2", 8000, 1LL << 30, 10LL << 30};

TEST(Placement, WarnsOfWhatNoAgentHasWithNeedConsumerAndTheBiggest) {
  Harness h;
  h.connect();
  const std::string text =
      "name: s\nframeworks:\n  a: { command: [x], resources: { cpus: 12.5, mem: 32MiB } }\n"
      "  b: { command: [x], resources: { cpus: 8, mem: 2GiB }, volumes: { v: { size: 20GiB, path: v } } }\n";
  const auto reply = up(h, text, {small, big});
  EXPECT_EQ(reply.conflict(), "");
  EXPECT_THAT(reply.warnings(),
              ElementsAre(HasSubstr("a needs 12.5 cpus, and no agent has as much: the biggest, a2, has 8 cpus in all"),
                          HasSubstr("b needs 20480 MiB of disk")));
  Harness other;
  other.connect();
  EXPECT_THAT(up(other, text, {}).warnings(), IsEmpty()) << "nothing is known of the agents";
}

TEST(Placement, RefusesAFixedPortOfAnotherStackByName) {
  Harness h;
  h.connect();
  const auto with = [](const std::string& stack, const std::string& port) {
    return "name: " + stack + "\nframeworks:\n  web: { command: [x], ports: { p: " + port + " } }\n";
  };
  EXPECT_EQ(up(h, with("one", "18080"), {small}).conflict(), "");
  EXPECT_EQ(up(h, with("two", "18080"), {small}).conflict(),
            "port 18080 of web is taken by web of stack one; choose another number, or auto");
  EXPECT_EQ(up(h, with("two", "18081"), {small}).conflict(), "");
  EXPECT_EQ(up(h, with("one", "18080"), {small}).conflict(), "") << "its own";
  const auto reply = up(h, with("three", "18080"), {small, big});
  EXPECT_EQ(reply.conflict(), "");
  EXPECT_THAT(reply.warnings(), ElementsAre(HasSubstr("unless they are to run on different hosts")));
}

}  // namespace
}  // namespace banyan::root
