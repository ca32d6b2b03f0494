// Kafka -> Elasticsearch, every line exactly once in the end: at least once by committing late, at most once by its id.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/result.h"

namespace example {

struct IndexerOptions {
  std::string brokers;  ///< comma list of host:port
  std::string topic;
  std::string group = "logging-indexer";
  std::vector<std::string> elasticsearch;  ///< host:port
  int replicas = 1;                        ///< of each index
};

/// A thread that reads the topic in batches, writes each batch with one _bulk, and commits its offsets afterwards.
/// What Elasticsearch refuses for good goes to the index `unreadable`, so that one bad line holds nothing up.
/// THREADS: start and stop from one; the counters from any.
class Indexer {
 public:
  explicit Indexer(IndexerOptions options) : options_(std::move(options)) {}
  ~Indexer() { stop(); }
  Indexer(const Indexer&) = delete;
  Indexer& operator=(const Indexer&) = delete;

  void start();
  void stop();

  [[nodiscard]] std::uint64_t indexed() const { return indexed_; }
  [[nodiscard]] std::uint64_t unreadable() const { return unreadable_; }

 private:
  void run();

  IndexerOptions options_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> indexed_ = 0;
  std::atomic<std::uint64_t> unreadable_ = 0;
};

}  // namespace example
