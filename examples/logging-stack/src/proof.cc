#include "examples/logging-stack/src/proof.h"

#include <spdlog/spdlog.h>

#include <boost/json.hpp>
#include <chrono>
#include <utility>

#include "examples/logging-stack/src/elasticsearch.h"
#include "examples/logging-stack/src/http_peers.h"

namespace example {

using namespace std::chrono_literals;

namespace {

constexpr int searches_max = 100;  ///< for one line, before another is written
constexpr auto between_searches = 100ms;

/// The id of a line that one of the generators has just written.
banyan::Result<std::string> write_line(HttpPeers& generators) {
  const auto text = generators.call("POST", "/lines?count=1&message=proof", "");
  if (!text) return tl::unexpected(text.error());
  boost::system::error_code failed;
  const auto answer = boost::json::parse(*text, failed);
  if (failed) return banyan::error("the generator's answer is not JSON: " + *text);
  return std::string(answer.at("last_id").as_string());
}

}  // namespace

Proof::Proof(std::vector<std::string> generators, std::vector<std::string> elasticsearch)
    : generators_(std::move(generators)), elasticsearch_(std::move(elasticsearch)) {}

void Proof::start() {
  thread_ = std::thread([this] { run(); });
}

void Proof::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Proof::found() const {
  const std::lock_guard lock(mutex_);
  return found_;
}

std::string Proof::words() const {
  const std::lock_guard lock(mutex_);
  return words_;
}

void Proof::say(std::string words, bool found) {
  spdlog::info("{}", words);
  const std::lock_guard lock(mutex_);
  words_ = std::move(words);
  found_ = found;
}

bool Proof::pause(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, duration, [this] { return stopping_; });
}

bool Proof::search(const std::string& id) {
  Elasticsearch elasticsearch(elasticsearch_);
  for (int tried = 0; tried < searches_max && pause(between_searches); ++tried) {
    const auto found = elasticsearch.finds(id);
    if (!found && tried % 10 == 0) say("looking for line " + id + ": " + found.error().message);
    if (found && *found) return true;
  }
  return false;
}

void Proof::run() {
  HttpPeers generators(generators_);
  do {
    const auto id = write_line(generators);
    if (!id) {
      say("no line could be written: " + id.error().message);
      continue;
    }
    say("looking for line " + *id);
    if (search(*id)) return say("found line " + *id, true);
  } while (pause(between_searches));
}

}  // namespace example
