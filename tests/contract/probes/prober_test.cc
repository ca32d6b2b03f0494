// The probe adapters against servers that really listen.
#include "orchestrator/frameworks/service/probes/prober.h"

#include <gmock/gmock.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <boost/asio.hpp>

#include "orchestrator/frameworks/service/probes/kafka.h"
#include "runtime/adapters/http/server.h"
#include "runtime/adapters/loop/loop.h"

namespace banyan::service {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using testing::HasSubstr;

/// Says `answer` to whoever connects, and closes.
class Speaker {
 public:
  Speaker(Loop& loop, std::string answer)
      : acceptor_(loop.asio(), tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0)),
        answer_(std::move(answer)) {
    accept();
  }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

 private:
  void accept() {
    acceptor_.async_accept([this](boost::system::error_code failed, tcp::socket socket) {
      if (failed) return;
      auto peer = std::make_shared<tcp::socket>(std::move(socket));
      auto question = std::make_shared<std::array<char, 4>>();
      boost::asio::async_read(*peer, boost::asio::buffer(*question), [this, peer, question](auto e, std::size_t) {
        if (!e) boost::asio::write(*peer, boost::asio::buffer(answer_), e);
      });
      accept();
    });
  }
  tcp::acceptor acceptor_;
  std::string answer_;
};

/// An address nobody listens on (it was free a moment ago).
std::string refused(Loop& loop) {
  tcp::acceptor acceptor(loop.asio(), tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0));
  return "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
}

class ProberOnALoop : public testing::Test {
 protected:
  ProbeResult run(specs::Probe probe, std::vector<std::string> addresses, Duration timeout = 20s) {
    StartProbe one;
    one.id = ++id_;
    one.key = "test";
    one.probe = std::move(probe);
    one.addresses = std::move(addresses);
    one.timeout = timeout;
    std::optional<ProbeResult> result;
    bool inside = true;
    prober_->start(one, [&](ProbeResult r) {
      EXPECT_FALSE(inside) << "answered from within start()";
      result = std::move(r);
      loop_.stop();
    });
    inside = false;
    loop_.run();
    EXPECT_TRUE(result.has_value());
    EXPECT_EQ(result->id, one.id);
    return *result;
  }

  Loop loop_;
  std::unique_ptr<Prober> prober_ = make_prober(loop_);
  std::uint64_t id_ = 0;
};

TEST_F(ProberOnALoop, ConnectsForTcp) {
  const Speaker server(loop_, "");
  EXPECT_TRUE(run(specs::TcpProbe{"p"}, {server.address()}).ready);
  EXPECT_THAT(run(specs::TcpProbe{"p"}, {refused(loop_)}).message, HasSubstr("cannot connect"));
  EXPECT_THAT(run(specs::TcpProbe{"p"}, {"nonsense"}).message, HasSubstr("no host:port"));
  EXPECT_THAT(run(specs::TcpProbe{"p"}, {}).message, HasSubstr("no address"));
}

TEST_F(ProberOnALoop, AsksEveryZookeeperServer) {
  const Speaker leader(loop_, "zk_server_state\tleader\nzk_synced_followers\t1\n");
  const Speaker follower(loop_, "zk_server_state\tfollower\n");
  EXPECT_TRUE(run(specs::ZookeeperProbe{"p"}, {leader.address(), follower.address()}).ready);
  EXPECT_FALSE(run(specs::ZookeeperProbe{"p"}, {leader.address(), refused(loop_)}).ready);
}

TEST_F(ProberOnALoop, GivesUpOnASilentServerAfterItsTimeout) {
  tcp::acceptor silent(loop_.asio(), tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0));
  const auto address = "127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  EXPECT_THAT(run(specs::ZookeeperProbe{"p"}, {address}, 50ms).message, HasSubstr("no answer in time"));
}

TEST_F(ProberOnALoop, GetsPagesForHttpAndElasticsearch) {
  const auto server = http::Server::listen(loop_, {"127.0.0.1:0"}, [](http::Request request, auto responder) {
    http::Response response;
    response.status = request.path == "/down" ? 503 : 200;
    response.body = request.path == "/_cluster/health" ? R"({"status":"green","number_of_nodes":1})" : "ok";
    responder->reply(std::move(response));
  });
  ASSERT_TRUE(server.has_value());
  const auto address = "127.0.0.1:" + std::to_string((*server)->port());
  EXPECT_TRUE(run(specs::HttpProbe{"p", "/up"}, {address}).ready);
  EXPECT_EQ(run(specs::HttpProbe{"p", "/down"}, {address}).message, "GET /down answered 503");
  EXPECT_TRUE(run(specs::ElasticsearchProbe{"p", "green"}, {address}).ready);
  EXPECT_THAT(run(specs::ElasticsearchProbe{"p", "green"}, {address, address}).message, HasSubstr("1 of 2 nodes"));
}

// ThreadSanitizer does not see librdkafka's threads start and crashes in them.
#ifdef __SANITIZE_THREAD__
#define SKIP_UNDER_TSAN() GTEST_SKIP() << "librdkafka is not instrumented: ThreadSanitizer crashes in its threads"
#else
#define SKIP_UNDER_TSAN() static_cast<void>(0)
#endif

/// Three brokers inside this process, by librdkafka.
class MockKafka {
 public:
  MockKafka() {
    std::array<char, 256> why{};
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why.data(), why.size());
    cluster_ = rd_kafka_mock_cluster_new(handle_, 3);
  }
  ~MockKafka() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(handle_);
  }
  MockKafka(const MockKafka&) = delete;
  MockKafka& operator=(const MockKafka&) = delete;

  void topic(const char* name) { rd_kafka_mock_topic_create(cluster_, name, 1, 3); }
  [[nodiscard]] std::vector<std::string> addresses() const {
    std::vector<std::string> list;
    std::string all = rd_kafka_mock_cluster_bootstraps(cluster_);
    for (std::size_t begin = 0; begin < all.size();) {
      const auto end = std::min(all.find(',', begin), all.size());
      list.push_back(all.substr(begin, end - begin));
      begin = end + 1;
    }
    return list;
  }

 private:
  rd_kafka_t* handle_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

TEST_F(ProberOnALoop, SendsARecordThereAndBackForKafka) {
  SKIP_UNDER_TSAN();
  MockKafka kafka;
  kafka.topic("lines");
  kafka.topic(kafka_probe_topic);
  const auto result = run(specs::KafkaProbe{"p", {"lines"}}, kafka.addresses());
  EXPECT_TRUE(result.ready) << result.message;
}

TEST_F(ProberOnALoop, MissesAKafkaBrokerThatIsDeclaredButNotRegistered) {
  SKIP_UNDER_TSAN();
  MockKafka kafka;
  const Speaker impostor(loop_, "");  // takes connections, is no broker
  auto addresses = kafka.addresses();
  addresses.push_back(impostor.address());
  EXPECT_EQ(run(specs::KafkaProbe{"p", {}}, addresses).message, "3 of 4 brokers registered");
}

TEST_F(ProberOnALoop, IsToldAtOnceThatABrokerRefusesConnections) {
  SKIP_UNDER_TSAN();
  EXPECT_THAT(run(specs::KafkaProbe{"p", {}}, {refused(loop_)}).message, HasSubstr("cannot connect"));
}

}  // namespace
}  // namespace banyan::service
