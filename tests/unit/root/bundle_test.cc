// What the root makes of a bundle: whom it starts, which files it serves, what it warns of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/root/harness.h"

namespace banyan::root {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST(Root, StartsTheSchedulerOfAFrameworkAsItsUser) {
  Harness h;
  h.connect();
  h.up("name: s\nframeworks:\n  a: { command: [x], user: \"1000:1000\" }\n  b: { command: [x] }\n");
  h.offer();
  ASSERT_THAT(h.launched, SizeIs(2));
  EXPECT_EQ(h.launched[0].executor().command().user(), "1000:1000");
  EXPECT_EQ(h.launched[1].executor().command().user(), "nobody");
}

TEST(Root, ServesLocalFilesByTheirContent) {
  Harness h;
  h.connect();
  UpRequest request;
  request.mutable_bundle()->set_file("stack.yaml");
  request.mutable_bundle()->set_text(
      "name: s\nframeworks:\n  a: { command: [./tool], uris: [bin/tool, file:/opt/x] }\n"
      "  b: { scheduler: { command: [./theirs], uris: [{ uri: bin/theirs, executable: true }, /opt/y] } }\n");
  (*request.mutable_bundle()->mutable_local_files())["bin/tool"] = "aa";
  (*request.mutable_bundle()->mutable_local_files())["bin/theirs"] = "bb";
  h.step(UpAsked{1, request});
  ASSERT_THAT(std::get<UpReply>(h.answers.back()).errors(), IsEmpty());
  h.offer();
  ASSERT_THAT(h.launched, SizeIs(2));
  ToExecutor words;
  ASSERT_TRUE(words.ParseFromString(h.launched[0].data()));
  ASSERT_EQ(words.handover().artifacts_size(), 1);
  EXPECT_EQ(words.handover().artifacts(0).name(), "bin/tool");
  EXPECT_EQ(words.handover().artifacts(0).url(), "http://h/artifacts/aa");
  const auto& executor = h.launched[1].executor();
  EXPECT_EQ(executor.command().uris(1).value(), "http://h/artifacts/bb");
  EXPECT_EQ(executor.command().uris(1).output_file(), "theirs");
  EXPECT_EQ(executor.command().uris(2).value(), "/opt/y");
  EXPECT_FALSE(executor.command().uris(2).cache());
  EXPECT_EQ(executor.labels().labels(1).key(), "sha256:theirs");
}

TEST(Root, RefusesAFixedPortThatNoAgentOffers) {
  Harness h;
  h.connect();
  UpRequest request;
  request.mutable_bundle()->set_file("stack.yaml");
  request.mutable_bundle()->set_text(
      "name: s\nframeworks:\n  a: { command: [x], ports: { ssh: 22, p: 1024, q: 65535 } }\n");
  AgentTotal agent{"a1", 1000, 1 << 30, 1 << 30, {{1024, 32767}, {61000, 65535}}};
  const std::vector<AgentTotal> offered = {agent, agent};
  for (const bool dry_run : {true, false}) {
    request.set_dry_run(dry_run);
    h.step(UpAsked{1, request, offered});
    const auto& reply = std::get<UpReply>(h.answers.back());
    ASSERT_THAT(reply.errors(), SizeIs(1));
    EXPECT_THAT(reply.errors(0),
                testing::StartsWith("error[E501]: port 22 is offered by no agent\n --> stack.yaml:3:"));
    EXPECT_THAT(reply.errors(0), testing::HasSubstr("a port of 1024-32767, 61000-65535;"));
    EXPECT_EQ(h.core->summary(), "");
  }
  h.step(UpAsked{1, request, {}});
  EXPECT_THAT(std::get<UpReply>(h.answers.back()).errors(), IsEmpty()) << "no agent is known yet";
}

TEST(Root, TellsWarningsAndDoesWhatIsAsked) {
  Harness h;
  h.connect();
  const auto reply = h.up("name: s\nframeworks:\n  a: { command: [x], instances: 2, ports: { p: 80 } }\n");
  EXPECT_THAT(reply.errors(), IsEmpty());
  ASSERT_THAT(reply.warnings(), SizeIs(1));
  EXPECT_THAT(reply.warnings(0), testing::StartsWith("warning[W503]: port 80 is fixed"));
  EXPECT_EQ(h.core->summary(), "s: a=launching");
}

}  // namespace
}  // namespace banyan::root
