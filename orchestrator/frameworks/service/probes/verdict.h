// What answers of servers mean for readiness. Pure: text in, verdict out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "specs/stack.h"

namespace banyan::service {

struct Verdict {
  bool ready = false;
  std::string message;  ///< what is missing, for people; empty when ready
};

/// A server's address and what it answered.
using Answer = std::pair<std::string, Result<std::string>>;

/// ZooKeeper's four-letter word mntr: "key<TAB>value" a line. Lines of another shape are skipped.
[[nodiscard]] std::map<std::string, std::string> parse_mntr(std::string_view text);
/// Ready: exactly one leader, whose synced followers are all the others; a lone server may also be standalone.
[[nodiscard]] Verdict judge_zookeeper(const std::vector<Answer>& mntr);

/// `bodies` are those of GET /_cluster/health, one per server. Ready: each sees all servers and a status at least
/// `wanted` (green, or yellow).
[[nodiscard]] Verdict judge_elasticsearch(const std::vector<Answer>& bodies, const std::string& wanted);

[[nodiscard]] Verdict judge_http(const specs::HttpProbe& probe, unsigned status);

struct KafkaMetadata {
  std::size_t brokers = 0;
  std::int32_t controller = -1;         ///< -1: none
  std::vector<std::string> leaderless;  ///< declared topics with a partition nobody leads, or missing
};
[[nodiscard]] Verdict judge_kafka(const KafkaMetadata& metadata, std::size_t brokers_wanted);

}  // namespace banyan::service
