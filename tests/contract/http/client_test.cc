// The client's calls and streams against our own server, and against a peer that misbehaves on purpose.
#include "runtime/adapters/http/client.h"

#include <gmock/gmock.h>

#include "runtime/adapters/http/server.h"
#include "runtime/adapters/loop/acceptor.h"
#include "runtime/adapters/loop/loop.h"
#include "runtime/base/limits.h"
#include "tests/contract/http/raw_peer.h"

namespace banyan::http {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// Answers each connection with fixed bytes as soon as it has heard something, then does as told.
class ScriptedPeer {
 public:
  enum class Then { close, stay };
  ScriptedPeer(Loop& loop, std::string bytes, Then then)
      : loop_(loop), bytes_(std::move(bytes)), then_(then), acceptor_(loop, *listen_on("127.0.0.1:0"), [this](int fd) {
          ++connections;
          fds_.push_back(fd);
          loop_.when_readable(fd, [this, fd] { answer(fd); });
        }) {}
  ~ScriptedPeer() {
    for (const int fd : fds_) {
      loop_.forget(fd);
      ::close(fd);
    }
  }
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;
  [[nodiscard]] Address address() const { return {"127.0.0.1:" + std::to_string(acceptor_.port())}; }

  int connections = 0;
  std::string heard;

 private:
  void answer(int fd) {
    char bytes[65536];
    const auto n = ::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n > 0) heard.append(bytes, static_cast<std::size_t>(n));
    ::send(fd, bytes_.data(), bytes_.size(), MSG_NOSIGNAL);
    if (then_ == Then::close) ::shutdown(fd, SHUT_RDWR);
  }

  Loop& loop_;
  const std::string bytes_;
  const Then then_;
  std::vector<int> fds_;
  Acceptor acceptor_;
};
using Then = ScriptedPeer::Then;

class AClient : public testing::Test {
 protected:
  Client::Done collect(std::size_t count) {
    return [this, count](Result<Response> answer) {
      answers.push_back(answer ? std::to_string(answer->status) + " " + answer->body : answer.error().message);
      if (answers.size() == count) loop.stop();
    };
  }
  static Request post(std::string body) { return {"POST", "/api", "", {}, std::move(body)}; }

  Loop loop;
  std::vector<std::string> answers;
};

TEST_F(AClient, TellsThatNobodyListens) {
  const auto client = Client::create(loop, {"127.0.0.1:1"});
  client->call(post(""), 5s, collect(1));
  EXPECT_THAT(answers, IsEmpty()) << "never from within the call";
  loop.run();
  EXPECT_THAT(answers, ElementsAre("POST /api: cannot connect to 127.0.0.1:1: Connection refused"));
}

TEST_F(AClient, TellsThatAnAddressIsNone) {
  for (const char* bad : {"nowhere", "127.0.0.1:", "unix:", "127.0.0.1:http:x"}) {
    answers.clear();
    const auto client = Client::create(loop, {bad});
    client->call(post(""), 5s, collect(1));
    loop.run();
    EXPECT_THAT(answers, ElementsAre(StartsWith("POST /api: "))) << bad;
  }
}

TEST_F(AClient, FailsUnansweredCallsWhenTheConnectionDiesAndNeverSendsThemAgain) {
  ScriptedPeer peer(loop, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", Then::close);
  const auto client = Client::create(loop, peer.address());
  for (const char* body : {"one", "two"}) client->call(post(body), 5s, collect(2));
  loop.run();
  EXPECT_THAT(answers, ElementsAre("202 ", AllOf(StartsWith("POST /api: 127.0.0.1:"), HasSubstr("closed"))));
  EXPECT_EQ(peer.connections, 1);
  client->call(post("three"), 5s, collect(3));
  loop.run();
  EXPECT_EQ(answers[2], "202 ");
  EXPECT_EQ(peer.connections, 2) << "the next call connects anew";
  EXPECT_EQ(peer.heard.find("two"), peer.heard.rfind("two"));
}

TEST_F(AClient, ReadsAnAnswerWithoutLengthUntilThePeerCloses) {
  ScriptedPeer peer(loop, "HTTP/1.1 200 OK\r\n\r\nall of it", Then::close);
  const auto client = Client::create(loop, peer.address());
  client->call(post(""), 5s, collect(1));
  loop.run();
  EXPECT_THAT(answers, ElementsAre("200 all of it"));
}

TEST_F(AClient, ReadsAChunkedAnswer) {
  ScriptedPeer peer(loop, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Then::stay);
  const auto client = Client::create(loop, peer.address());
  client->call(post(""), 5s, collect(1));
  loop.run();
  EXPECT_THAT(answers, ElementsAre("200 abc"));
}

TEST_F(AClient, RefusesAnAnswerThatIsNotHttp) {
  ScriptedPeer peer(loop, "SSH-2.0-OpenSSH\r\n", Then::stay);
  const auto client = Client::create(loop, peer.address());
  client->call(post(""), 5s, collect(1));
  loop.run();
  EXPECT_THAT(answers, ElementsAre(HasSubstr("not an HTTP answer")));
}

TEST_F(AClient, GivesUpACallAtItsTimeoutAndThoseBehindIt) {
  ScriptedPeer peer(loop, "", Then::stay);
  const auto client = Client::create(loop, peer.address());
  client->call(post("slow"), 20ms, collect(2));
  client->call(post("behind"), 5s, collect(2));
  loop.run();
  EXPECT_THAT(answers, ElementsAre(HasSubstr("no answer in time"), HasSubstr("no answer in time")));
}

TEST_F(AClient, KeepsSixteenCallsInFlightAndAnswersAll) {
  std::vector<std::shared_ptr<Responder>> waiting;
  std::size_t most = 0;
  auto server = Server::listen(loop, {"127.0.0.1:0"}, [&](const Request&, std::shared_ptr<Responder> responder) {
    waiting.push_back(std::move(responder));
    most = std::max(most, waiting.size());
    loop.at_end_of_turn(&waiting, [&] {
      for (const auto& each : std::exchange(waiting, {})) each->reply({202, {}, ""});
    });
  });
  const auto client = Client::create(loop, {"127.0.0.1:" + std::to_string((*server)->port())});
  for (int i = 0; i < 200; ++i) client->call(post("x"), 5s, collect(200));
  loop.run();
  EXPECT_EQ(answers, std::vector<std::string>(200, "202 "));
  EXPECT_LE(most, 16u);
  EXPECT_GT(most, 1u);
}

TEST_F(AClient, MayBeDestroyedByTheAnswerToItsCall) {
  ScriptedPeer peer(loop, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", Then::stay);
  auto client = Client::create(loop, peer.address());
  int answered = 0;
  for (int i = 0; i < 2; ++i)
    client->call(post(""), 5s, [&](const Result<Response>&) {
      ++answered;
      client.reset();
      loop.post([&] { loop.stop(); });
    });
  loop.run();
  EXPECT_EQ(answered, 1) << "the second is dropped without a word";
}

class AStream : public testing::Test {
 protected:
  /// A server that keeps the streams it opens.
  void listen() {
    auto listening = Server::listen(loop, {"127.0.0.1:0"}, [this](const Request& request, auto responder) {
      if (request.path == "/refuse") return responder->reply({403, {}, "not subscribed"});
      if (request.path == "/plain") return responder->reply({200, {}, "no stream"});
      streams.push_back(responder->stream({{"content-type", "application/x-protobuf"}, {"mesos-stream-id", "id"}}));
      streams.back()->on_closed([this] {
        ++peers_gone;
        loop.stop();
      });
    });
    server = std::move(*listening);
    address = {"127.0.0.1:" + std::to_string(server->port())};
  }
  std::unique_ptr<StreamCall> open(const std::string& path, const Address& where) {
    return StreamCall::open(
        loop, where, {"POST", path, "", {}, "subscribe"},
        {[this](const Response& head) {
           heard.push_back(std::to_string(head.status) + " " + header(head.headers, "mesos-stream-id") + head.body);
           loop.stop();
         },
         [this](const std::string& record) {
           heard.push_back(record);
           loop.stop();
         },
         [this](const std::string& reason) {
           heard.push_back("closed: " + reason);
           loop.stop();
         }});
  }
  void run_until_heard(std::size_t count) {
    while (heard.size() < count) loop.run();
  }

  Loop loop;
  std::unique_ptr<Server> server;
  Address address;
  std::vector<std::shared_ptr<EventStream>> streams;
  std::vector<std::string> heard;
  int peers_gone = 0;
};

TEST_F(AStream, GivesHeadersAtOnceThenRecordsThenItsEnd) {
  listen();
  const auto call = open("/", address);
  run_until_heard(1);
  streams[0]->send_record("first");
  streams[0]->send_record("second\n");
  run_until_heard(3);
  streams[0]->close();
  run_until_heard(4);
  EXPECT_THAT(heard, ElementsAre("200 id", "first", "second\n", "closed: the peer ended the stream"));
  EXPECT_EQ(peers_gone, 0);
}

TEST_F(AStream, EndsWhenTheServersLastPointerGoes) {
  listen();
  const auto call = open("/", address);
  run_until_heard(1);
  streams.clear();
  run_until_heard(2);
  EXPECT_EQ(heard.back(), "closed: the peer ended the stream");
}

TEST_F(AStream, TellsTheServerWhenItIsClosedByTheClient) {
  listen();
  auto call = open("/", address);
  run_until_heard(1);
  call.reset();
  while (peers_gone == 0) loop.run();
  streams[0]->send_record("to no one");
  EXPECT_THAT(heard, ElementsAre("200 id"));
}

TEST_F(AStream, TellsTheClientWhenTheServerIsGone) {
  listen();
  const auto call = open("/", address);
  run_until_heard(1);
  server.reset();
  run_until_heard(2);
  EXPECT_THAT(heard.back(), HasSubstr("the peer closed the connection"));
  EXPECT_EQ(peers_gone, 0) << "a server that is destroyed calls no one";
}

TEST_F(AStream, GivesARefusalWithItsBody) {
  listen();
  const auto call = open("/refuse", address);
  run_until_heard(2);
  EXPECT_THAT(heard, ElementsAre("403 not subscribed", "closed: refused with status 403"));
}

TEST_F(AStream, WaitsForTheAnswerBehind100Continue) {
  ScriptedPeer peer(loop, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nmore", Then::stay);
  const auto call = open("/", peer.address());
  run_until_heard(2);
  EXPECT_THAT(heard, ElementsAre("204 ", "closed: refused with status 204"));
}

TEST_F(AStream, IsNotOpenedByAnAnswerThatIsNone) {
  listen();
  const auto call = open("/plain", address);
  run_until_heard(1);
  EXPECT_THAT(heard, ElementsAre("closed: the answer is not a chunked stream"));
}

TEST_F(AStream, IsClosedByARecordOverTheLimit) {
  ScriptedPeer huge(loop, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n9999999\n\r\n", Then::stay);
  const auto call = open("/", huge.address());
  run_until_heard(2);
  EXPECT_THAT(heard, ElementsAre("200 ", HasSubstr("closed: RecordIO: a record of 9999999 bytes is over the limit")));
}

TEST_F(AStream, IsCutOffWhenItsReaderDoesNotKeepUp) {
  listen();
  RawPeer deaf(loop, address);
  deaf.say("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
  while (streams.empty()) deaf.say("");
  const std::string record(1 << 20, 'x');
  std::size_t sent = 0;
  while (peers_gone == 0 && sent < 3 * limits::stream_backlog_bytes_max) {
    streams[0]->send_record(record);
    sent += record.size();
    deaf.say("");
  }
  EXPECT_EQ(peers_gone, 1);
  EXPECT_GT(sent, limits::stream_backlog_bytes_max);
}

TEST_F(AStream, MayBeDestroyedByItsOwnRecord) {
  listen();
  std::unique_ptr<StreamCall> call;
  call = StreamCall::open(loop, address, {"POST", "/", "", {}, ""},
                          {[&](const Response&) {
                             for (const char* record : {"1", "2"}) streams[0]->send_record(record);
                           },
                           [&](const std::string& record) {
                             heard.push_back(record);
                             call.reset();
                           },
                           [&](const std::string&) { FAIL() << "closed without being asked"; }});
  while (peers_gone == 0) loop.run();
  EXPECT_THAT(heard, ElementsAre("1"));
}

}  // namespace
}  // namespace banyan::http
