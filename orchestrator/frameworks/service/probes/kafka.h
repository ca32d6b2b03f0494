// A Kafka cluster asked whether it works, by librdkafka.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/frameworks/service/probes/verdict.h"
#include "runtime/base/time.h"

namespace banyan {
class Loop;
}

namespace banyan::service {

/// Keeps its connections from one try to the next. librdkafka blocks, so tries run on a thread of its own, one by one.
/// THREADS: the loop's; `done` too. LIFETIME: destroying it waits for nothing and calls nothing back; a try under way
/// ends on its thread.
class KafkaClient {
 public:
  static std::unique_ptr<KafkaClient> create(Loop& loop, std::vector<std::string> addresses);
  virtual ~KafkaClient() = default;
  [[nodiscard]] virtual const std::vector<std::string>& addresses() const = 0;

  /// Metadata: all brokers, a controller, leaders for `topics`. `thorough` also creates missing topics (partitions and
  /// replication by the brokers' defaults), produces a record with acks=all and reads it back.
  virtual void probe(const std::vector<std::string>& topics, bool thorough, Duration timeout,
                     std::function<void(const Verdict&)> done) = 0;
};

/// Where probe records go: one partition, kept for a minute.
inline constexpr const char* kafka_probe_topic = "__banyan_probe";

}  // namespace banyan::service
