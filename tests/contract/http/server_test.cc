// The server against our own client and against raw bytes, on real sockets.
#include "runtime/adapters/http/server.h"

#include <gmock/gmock.h>

#include "runtime/adapters/http/client.h"
#include "runtime/adapters/http/recordio.h"
#include "runtime/adapters/loop/loop.h"
#include "tests/contract/http/raw_peer.h"

namespace banyan::http {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class AServer : public testing::Test {
 protected:
  void listen(Server::Handler handler) {
    auto listening = Server::listen(loop, {"127.0.0.1:0"}, std::move(handler));
    ASSERT_TRUE(listening) << listening.error().message;
    server = std::move(*listening);
    address = {"127.0.0.1:" + std::to_string(server->port())};
  }
  static void echo(Request request, std::shared_ptr<Responder> responder) {
    responder->reply({200, {{"content-type", "text/x"}}, request.path + "|" + request.query + "|" + request.body});
  }
  /// Runs the loop until `answers` has `count` entries.
  Client::Done collect(std::size_t count) {
    return [this, count](Result<Response> answer) {
      answers.push_back(answer ? std::to_string(answer->status) + " " + answer->body : answer.error().message);
      if (answers.size() == count) loop.stop();
    };
  }

  Loop loop;
  std::unique_ptr<Server> server;
  Address address;
  std::vector<std::string> answers;
};

TEST_F(AServer, AnswersOneCall) {
  listen(echo);
  const auto client = Client::create(loop, address);
  client->call({"POST", "/api/v1", "x=1", {}, "hello"}, 5s, collect(1));
  loop.run();
  EXPECT_THAT(answers, ElementsAre("200 /api/v1|x=1|hello"));
}

TEST_F(AServer, AnswersPipelinedCallsInOrderEvenWhenDecidedBackwards) {
  std::vector<std::shared_ptr<Responder>> waiting;
  listen([&](const Request& request, std::shared_ptr<Responder> responder) {
    waiting.push_back(std::move(responder));
    if (request.body != "2") return;
    for (std::size_t i = waiting.size(); i-- > 0;) waiting[i]->reply({200, {}, std::to_string(i)});
  });
  const auto client = Client::create(loop, address);
  for (const char* body : {"0", "1", "2"}) client->call({"POST", "/", "", {}, body}, 5s, collect(3));
  loop.run();
  EXPECT_THAT(answers, ElementsAre("200 0", "200 1", "200 2"));
}

TEST_F(AServer, SendsContentLengthWithAnEmpty202AndHeadersAsTheyAre) {
  listen([](const Request& request, std::shared_ptr<Responder> responder) {
    Response accepted{202, {}, ""};
    if (request.path == "/typed") accepted.headers["content-type"] = "application/x-protobuf";
    responder->reply(accepted);
  });
  RawPeer peer(loop, address);
  EXPECT_EQ(peer.talk("POST /a HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "\r\n\r\n"),
            "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(peer.talk("POST /typed HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "\r\n\r\n"),
            "HTTP/1.1 202 Accepted\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(AServer, TakesChunkedBodiesAndBytesOneByOne) {
  listen(echo);
  RawPeer peer(loop, address);
  const std::string request =
      "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
  EXPECT_THAT(peer.talk(request, "/c||abcde"), EndsWith("/c||abcde"));
  for (std::size_t i = 0; i + 1 < request.size(); ++i) peer.say(request.substr(i, 1));
  EXPECT_THAT(peer.talk(request.substr(request.size() - 1), "/c||abcde"), EndsWith("/c||abcde"));
}

TEST_F(AServer, GivesHeaderNamesInLowerCase) {
  listen([](const Request& request, std::shared_ptr<Responder> responder) {
    responder->reply({200, {}, header(request.headers, "mesos-stream-id") + "."});
  });
  RawPeer peer(loop, address);
  EXPECT_THAT(peer.talk("GET / HTTP/1.1\r\nMesos-Stream-ID: Ab\r\n\r\n", "Ab."), EndsWith("Ab."));
}

TEST_F(AServer, RefusesWhatIsNotHttpAndHangsUp) {
  listen(echo);
  RawPeer peer(loop, address);
  EXPECT_THAT(peer.talk("\x16\x03\x01 hello\r\n\r\n", "\r\n\r\n"), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
}

TEST_F(AServer, RefusesABodyOverTheLimitBeforeReadingIt) {
  listen(echo);
  RawPeer peer(loop, address);
  EXPECT_THAT(peer.talk("POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", "\r\n\r\n"),
              StartsWith("HTTP/1.1 413 Payload Too Large\r\n"));
}

TEST_F(AServer, RefusesHeadersOverTheLimit) {
  listen(echo);
  RawPeer peer(loop, address);
  EXPECT_THAT(peer.talk("GET / HTTP/1.1\r\nX: " + std::string(70'000, 'x'), "\r\n\r\n"), HasSubstr("HTTP/1.1 431 "));
}

TEST_F(AServer, ClosesAfterAnswerWhenTheRequestAsksForIt) {
  listen(echo);
  RawPeer peer(loop, address);
  EXPECT_THAT(peer.talk_until_closed("GET /last HTTP/1.1\r\nConnection: close\r\n\r\n"), EndsWith("/last||"));
}

TEST_F(AServer, Answers100ToAClientThatWaitsForIt) {
  listen(echo);
  RawPeer peer(loop, address);
  EXPECT_THAT(peer.talk("POST /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", "\r\n\r\n"),
              StartsWith("HTTP/1.1 100 Continue\r\n"));
  EXPECT_THAT(peer.talk("ok", "/e||ok"), EndsWith("/e||ok"));
}

TEST_F(AServer, TellsTheLengthButSendsNoBodyToHead) {
  listen([](const Request&, std::shared_ptr<Responder> responder) { responder->reply({200, {}, "body"}); });
  RawPeer peer(loop, address);
  EXPECT_EQ(peer.talk("HEAD / HTTP/1.1\r\n\r\n", "\r\n\r\n"), "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
}

TEST_F(AServer, Answers500WhenAHandlerForgetsTo) {
  listen([](const Request&, const std::shared_ptr<Responder>&) {});
  const auto client = Client::create(loop, address);
  client->call({"POST", "/", "", {}, ""}, 5s, collect(1));
  loop.run();
  EXPECT_THAT(answers, ElementsAre("500 No answer was given.\n"));
}

TEST_F(AServer, AnswersMoreRequestsThanItHoldsUnanswered) {
  std::vector<std::shared_ptr<Responder>> waiting;
  listen([&](const Request&, std::shared_ptr<Responder> responder) {
    waiting.push_back(std::move(responder));
    if (waiting.size() == 1)
      loop.after(1ms, [&] {
        for (const auto& each : std::vector(waiting)) each->reply({202, {}, ""});
        waiting.clear();
      });
  });
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n";
  RawPeer peer(loop, address);
  const std::string answer = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(peer.talk_bytes(requests, 1000 * answer.size()).size(), 1000 * answer.size());
}

TEST_F(AServer, CannotListenWhereAnotherDoes) {
  listen(echo);
  const auto second = Server::listen(loop, address, echo);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("Address already in use"));
}

TEST_F(AServer, ReplacesAUnixSocketThatAKilledServerLeftButNotALiveOne) {
  const Address path{"unix:" + testing::TempDir() + "banyan-http-" + std::to_string(getpid()) + ".sock"};
  leave_stale_socket(path);
  auto first = Server::listen(loop, path, echo);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_FALSE(Server::listen(loop, path, echo));
  const auto client = Client::create(loop, path);
  client->call({"POST", "/unix", "", {}, ""}, 5s, collect(1));
  loop.run();
  EXPECT_THAT(answers, ElementsAre("200 /unix||"));
}

}  // namespace
}  // namespace banyan::http
