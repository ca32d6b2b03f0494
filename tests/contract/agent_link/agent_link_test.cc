// Both ends of the agent's link on one loop, through real sockets.
#include "runtime/adapters/grpc/agent_link.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <optional>

#include "banyan/agent_link.pb.h"
#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/loop/socket.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using agent_link::FromAgent;
using agent_link::ToAgent;
using testing::ElementsAre;
using testing::IsEmpty;

FromAgent from_agent(const std::string& text) {
  FromAgent message;
  auto* sent = message.mutable_executor_message();
  sent->mutable_framework_id()->set_value("f");
  sent->mutable_executor_id()->set_value("e");
  sent->set_data(text);
  return message;
}
ToAgent to_agent(const std::string& text) {
  ToAgent message;
  message.mutable_refused()->set_reason(text);
  return message;
}

class AnAgentLink : public testing::Test {
 protected:
  void listen(const std::string& address) {
    auto listening = AgentLinkServer::listen(loop, address,
                                             {[this](auto link, const auto& m) { on_message(link, m); },
                                              [this](auto link) { closed_links.push_back(link); }});
    ASSERT_TRUE(listening) << listening.error().message;
    server = std::move(*listening);
    where = "127.0.0.1:" + std::to_string(server->port());
  }
  void on_message(AgentLinkServer::LinkId link, const FromAgent& message) {
    last_link = link;
    at_master.push_back(message.executor_message().data());
  }
  void connect() {
    client = AgentLinkClient::connect(
        loop, where,
        {[this] { ++opened; }, [this](const ToAgent& message) { at_agent.push_back(message.refused().reason()); },
         [this](std::string) { ++closed; }});
  }
  /// Runs the loop until that holds; a link that never gets there fails the test.
  void run_until(std::function<bool()> holds) {
    const auto limit = loop.after(20s, [this] {
      ADD_FAILURE() << "waited 20 s";
      loop.stop();
    });
    std::function<void()> look = [&] {
      if (holds()) return loop.stop();
      loop.after(1ms, look);
    };
    look();
    loop.run();
    loop.cancel(limit);
  }
  void open() {
    listen("127.0.0.1:0");
    connect();
    run_until([this] { return opened == 1; });
    client->send(from_agent("hello"));
    run_until([this] { return !at_master.empty(); });
  }

  Loop loop;
  std::unique_ptr<AgentLinkServer> server;
  std::string where;
  std::vector<std::string> at_master, at_agent;
  AgentLinkServer::LinkId last_link = 0;
  std::vector<AgentLinkServer::LinkId> closed_links;
  int opened = 0, closed = 0;
  std::unique_ptr<AgentLinkClient> client;
};

TEST_F(AnAgentLink, ThatIsRefusedAgainAndAgainComesBackLessAndLessOften) {
  std::size_t refused = 0;
  auto listening = AgentLinkServer::listen(loop, "127.0.0.1:0",
                                           {[&](auto link, const auto&) {
                                              server->send(link, to_agent("too small"));
                                              server->close(link);
                                              ++refused;
                                            },
                                            [](auto) {}});
  ASSERT_TRUE(listening) << listening.error().message;
  server = std::move(*listening);
  const auto begun = mono_now();
  client = AgentLinkClient::connect(
      loop, "127.0.0.1:" + std::to_string(server->port()),
      {[this] { client->send(from_agent("hello")); }, [](const ToAgent&) {}, [](std::string) {}});
  run_until([&] { return refused == 6; });
  EXPECT_GE(mono_now() - begun, 50ms + 100ms + 200ms + 400ms + 800ms) << "five waits lie between six tries";
}

TEST_F(AnAgentLink, CarriesMessagesBothWays) {
  open();
  server->send(last_link, to_agent("welcome"));
  run_until([this] { return !at_agent.empty(); });
  EXPECT_THAT(at_master, ElementsAre("hello"));
  EXPECT_THAT(at_agent, ElementsAre("welcome"));
}

TEST_F(AnAgentLink, KeepsTheOrderOfThousandsOfMessagesBothWays) {
  open();
  at_master.clear();
  std::vector<std::string> expected;
  for (int i = 0; i < 5000; ++i) {
    expected.push_back(std::to_string(i));
    client->send(from_agent(expected.back()));
    server->send(last_link, to_agent(expected.back()));
  }
  run_until([&] { return at_master.size() == 5000 && at_agent.size() == 5000; });
  EXPECT_EQ(at_master, expected);
  EXPECT_EQ(at_agent, expected);
}

TEST_F(AnAgentLink, CarriesAMessageOfTenMegabytes) {
  open();
  server->send(last_link, to_agent(std::string(10 << 20, 'x')));
  run_until([this] { return !at_agent.empty(); });
  EXPECT_EQ(at_agent.front().size(), std::size_t{10 << 20});
}

TEST_F(AnAgentLink, TellsTheMasterOnceThatTheAgentIsGone) {
  open();
  client.reset();
  run_until([this] { return !closed_links.empty(); });
  EXPECT_THAT(closed_links, ElementsAre(last_link));
  server->send(last_link, to_agent("to no one"));
}

TEST_F(AnAgentLink, SendsWhatWasSaidBeforeTheMasterClosedItAndThenComesBack) {
  open();
  server->send(last_link, to_agent("refused"));
  server->close(last_link);
  run_until([this] { return opened == 2; });
  EXPECT_THAT(at_agent, ElementsAre("refused"));
  EXPECT_EQ(closed, 1);
  EXPECT_THAT(closed_links, ElementsAre(last_link));
}

TEST_F(AnAgentLink, FindsARestartedMasterWithinASecondOrSo) {
  open();
  server.reset();
  run_until([this] { return closed == 1; });
  EXPECT_THAT(closed_links, IsEmpty()) << "a server that is destroyed calls no one";
  const auto from = mono_now();
  listen(where);
  run_until([this] { return opened == 2; });
  EXPECT_LT(mono_now() - from, 3s);
  client->send(from_agent("again"));
  run_until([this] { return at_master.size() == 2; });
}

TEST_F(AnAgentLink, WaitsForAMasterThatIsNotThereYet) {
  listen("127.0.0.1:0");
  server.reset();
  connect();
  run_until([attempts_until = mono_now() + 200ms] { return mono_now() > attempts_until; });
  EXPECT_EQ(opened + closed, 0);
  listen(where);
  run_until([this] { return opened == 1; });
}

TEST_F(AnAgentLink, ConnectsAnewWhenReset) {
  open();
  client->reset();
  run_until([this] { return opened == 2 && !closed_links.empty(); });
  EXPECT_EQ(closed, 1);
}

TEST_F(AnAgentLink, TakesNewAgentsAfterTheMasterRanOutOfDescriptors) {
  open();
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  std::vector<int> peers;
  rlimit low = before;
  low.rlim_cur = 128;
  setrlimit(RLIMIT_NOFILE, &low);
  // Fill the table, then free two: as many as a connection in this one process needs to be refused for want of one.
  while (true) {
    const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0) break;
    peers.push_back(fd);
  }
  ::close(peers.back());
  peers.pop_back();
  const int peer = *connect_to(resolve(where)->front());
  run_until([until = mono_now() + 150ms] { return mono_now() > until; });
  for (const int fd : peers) ::close(fd);
  ::close(peer);
  setrlimit(RLIMIT_NOFILE, &before);
  client->reset();
  run_until([this] { return opened == 2; });
}

}  // namespace
}  // namespace banyan
