// The indexer's side of Elasticsearch's answers, played by a server that says what a test wants.
#include "examples/logging-stack/src/elasticsearch.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "runtime/adapters/http/server.h"
#include "runtime/adapters/loop/loop.h"

namespace example {
namespace {

using banyan::http::Request;
using banyan::http::Responder;
using banyan::http::Response;
using ::testing::HasSubstr;

/// Answers every request alike, on a thread of its own.
class FakeServer {
 public:
  explicit FakeServer(Response answer) : answer_(std::move(answer)) {
    const auto handler = [this](const Request& request, const std::shared_ptr<Responder>& responder) {
      last_body = request.body;
      ++requests;
      responder->reply(answer_);
    };
    server_ = std::move(*banyan::http::Server::listen(loop_, {"127.0.0.1:0"}, handler));
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~FakeServer() {
    loop_.stop();
    thread_.join();
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(server_->port()); }

  std::string last_body;  ///< read it after the call has returned
  std::atomic<int> requests = 0;

 private:
  Response answer_;
  banyan::Loop loop_;
  std::unique_ptr<banyan::http::Server> server_;
  std::thread thread_;
};

const std::vector<Document> two = {{"lines-2026.11.21", "a-1", R"({"n":1})"},
                                   {"lines-2026.11.21", "a-2", R"({"n":2})"}};

Response bulk_answer(int first_status, int second_status) {
  const bool errors = first_status >= 300 || second_status >= 300;
  return {200,
          {},
          "{\"errors\":" + std::string(errors ? "true" : "false") + ",\"items\":[{\"index\":{\"status\":" +
              std::to_string(first_status) + "}},{\"index\":{\"status\":" + std::to_string(second_status) + "}}]}"};
}

TEST(AnIndexerWritingABatch, NamesEachDocumentByItsLinesId) {
  FakeServer server(bulk_answer(201, 201));
  Elasticsearch elasticsearch({server.address()});
  ASSERT_TRUE(elasticsearch.index(two).has_value());
  EXPECT_EQ(server.last_body,
            "{\"index\":{\"_index\":\"lines-2026.11.21\",\"_id\":\"a-1\"}}\n{\"n\":1}\n"
            "{\"index\":{\"_index\":\"lines-2026.11.21\",\"_id\":\"a-2\"}}\n{\"n\":2}\n");
}

TEST(AnIndexerWritingABatch, GivesBackTheDocumentThatWasRefusedForGood) {
  FakeServer server(bulk_answer(201, 400));
  Elasticsearch elasticsearch({server.address()});
  const auto rejected = elasticsearch.index(two);
  ASSERT_TRUE(rejected.has_value());
  ASSERT_EQ(rejected->size(), 1u);
  EXPECT_EQ(rejected->front().position, 1u);
}

TEST(AnIndexerWritingABatch, FailsAsAWholeWhenADocumentMayBeTakenLater) {
  FakeServer server(bulk_answer(201, 429));
  Elasticsearch elasticsearch({server.address()});
  EXPECT_FALSE(elasticsearch.index(two).has_value());
}

TEST(AnIndexerWritingABatch, GoesToTheNextServerWhenOneIsOverloaded) {
  FakeServer overloaded({503, {}, "busy"});
  FakeServer healthy(bulk_answer(201, 201));
  Elasticsearch elasticsearch({overloaded.address(), healthy.address()});
  EXPECT_TRUE(elasticsearch.index(two).has_value());
  EXPECT_TRUE(elasticsearch.index(two).has_value());
  EXPECT_EQ(overloaded.requests, 1) << "the one that answered is asked first from then on";
}

TEST(AnIndexerWritingABatch, GoesToTheNextServerWhenOneIsGone) {
  FakeServer healthy(bulk_answer(201, 201));
  Elasticsearch elasticsearch({"127.0.0.1:1", healthy.address()});
  EXPECT_TRUE(elasticsearch.index(two).has_value());
}

TEST(AnIndexerWritingABatch, SaysWhatTheLastServerSaidWhenNoneTakesIt) {
  FakeServer overloaded({503, {}, "no master"});
  Elasticsearch elasticsearch({overloaded.address()});
  const auto refused = elasticsearch.index(two);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("503 no master"));
}

TEST(AnIndexerSearching, FindsALineThatASearchCounts) {
  FakeServer server({200, {}, R"({"hits":{"total":{"value":1}}})"});
  Elasticsearch elasticsearch({server.address()});
  EXPECT_EQ(elasticsearch.finds("a-1"), true);
}

}  // namespace
}  // namespace example
