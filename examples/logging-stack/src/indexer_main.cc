// logging-indexer: Kafka -> Elasticsearch.
//
//   GET /ready    200 once a line written for this purpose was found by a search, else 503 and what it waits for
//   GET /count    {"indexed":N,"unreadable":M} since this process began

#include <curl/curl.h>
#include <fmt/core.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include "examples/logging-stack/src/elasticsearch.h"
#include "examples/logging-stack/src/indexer.h"
#include "examples/logging-stack/src/proof.h"
#include "runtime/adapters/http/server.h"
#include "runtime/adapters/loop/loop.h"

namespace example {
namespace {

using banyan::http::Request;
using banyan::http::Responder;
using banyan::http::Response;

Response answer(const Request& request, const Indexer& indexer, const Proof& proof) {
  const std::string what = request.method + " " + request.path;
  if (what == "GET /ready") return {proof.found() ? 200u : 503u, {}, proof.words() + "\n"};
  if (what == "GET /count")
    return {200,
            {{"content-type", "application/json"}},
            fmt::format("{{\"indexed\":{},\"unreadable\":{}}}\n", indexer.indexed(), indexer.unreadable())};
  return {404, {}, "there are: GET /ready, GET /count\n"};
}

int run(const std::string& listen, const std::vector<std::string>& generators, const IndexerOptions& options) {
  banyan::Loop loop;
  Indexer indexer(options);
  Proof proof(generators, options.elasticsearch);
  const auto handler = [&](const Request& request, const std::shared_ptr<Responder>& responder) {
    responder->reply(answer(request, indexer, proof));
  };
  auto server = banyan::http::Server::listen(loop, {listen}, handler);
  if (!server) {
    spdlog::error("{}", server.error().message);
    return 1;
  }
  loop.on_signals({SIGTERM, SIGINT}, [&](int) { loop.stop(); });
  indexer.start();
  proof.start();
  loop.run();
  return 0;
}

}  // namespace
}  // namespace example

int main(int argc, char** argv) {
  CLI::App app("Writes the lines of a Kafka topic to Elasticsearch, each once.");
  std::string listen = "127.0.0.1:8081";
  std::vector<std::string> generators;
  example::IndexerOptions options;
  app.add_option("--listen", listen, "host:port to be asked at")->capture_default_str();
  app.add_option("--kafka", options.brokers, "brokers, host:port,…")->required();
  app.add_option("--topic", options.topic, "topic to read")->required();
  app.add_option("--elasticsearch", options.elasticsearch, "servers, host:port,…")->required()->delimiter(',');
  app.add_option("--replicas", options.replicas, "copies of each shard beside the first")->capture_default_str();
  app.add_option("--generator", generators, "logging-generators that write the proving line, host:port,…")
      ->required()
      ->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  spdlog::set_default_logger(spdlog::stderr_logger_mt("indexer"));
  curl_global_init(CURL_GLOBAL_DEFAULT);
  return example::run(listen, generators, options);
}
