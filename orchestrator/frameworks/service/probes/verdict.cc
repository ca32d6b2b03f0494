#include "orchestrator/frameworks/service/probes/verdict.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

namespace banyan::service {

namespace {

Verdict not_ready(std::string message) { return {false, std::move(message)}; }

/// Worst first.
int rank(std::string_view health) {
  static constexpr std::array<std::string_view, 3> order = {"red", "yellow", "green"};
  return static_cast<int>(std::find(order.begin(), order.end(), health) - order.begin()) % 3;
}

std::string of(std::size_t n, std::size_t all) { return std::to_string(n) + " of " + std::to_string(all); }

}  // namespace

std::map<std::string, std::string> parse_mntr(std::string_view text) {
  std::map<std::string, std::string> values;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos || tab == 0) continue;
    values[std::string(line.substr(0, tab))] = std::string(line.substr(tab + 1));
  }
  return values;
}

Verdict judge_zookeeper(const std::vector<Answer>& mntr) {
  std::size_t leaders = 0;
  std::size_t followers = 0;
  std::string synced;
  for (const auto& [address, answer] : mntr) {
    if (!answer) return not_ready(address + ": " + answer.error().message);
    auto values = parse_mntr(*answer);
    const auto& role = values["zk_server_state"];
    if (role == "standalone" && mntr.size() == 1) return {true, ""};
    if (role == "leader") {
      ++leaders;
      synced = values["zk_synced_followers"];
    } else if (role == "follower") {
      ++followers;
    } else {
      return not_ready(address + " has not joined a quorum" + (role.empty() ? "" : " (it is " + role + ")"));
    }
  }
  if (leaders != 1) return not_ready(leaders == 0 ? "no server leads" : "more than one server leads");
  if (followers != mntr.size() - 1) return not_ready(of(followers, mntr.size() - 1) + " followers");
  if (synced != std::to_string(followers))
    return not_ready((synced.empty() ? "0" : synced) + " of " + std::to_string(followers) + " followers in sync");
  return {true, ""};
}

Verdict judge_elasticsearch(const std::vector<Answer>& bodies, const std::string& wanted) {
  for (const auto& [address, body] : bodies) {
    if (!body) return not_ready(address + ": " + body.error().message);
    boost::system::error_code failed;
    const auto value = boost::json::parse(*body, failed);
    const auto* health = failed ? nullptr : value.if_object();
    const auto* nodes = health == nullptr ? nullptr : health->if_contains("number_of_nodes");
    const auto* status = health == nullptr ? nullptr : health->if_contains("status");
    if (nodes == nullptr || !nodes->is_int64() || status == nullptr || !status->is_string())
      return not_ready(address + " gave no cluster health");
    const auto seen = nodes->get_int64();
    if (seen != static_cast<std::int64_t>(bodies.size()))
      return not_ready(address + " sees " + std::to_string(seen) + " of " + std::to_string(bodies.size()) + " nodes");
    const std::string colour(status->get_string());
    if (rank(colour) < rank(wanted)) return not_ready("cluster health is " + colour + ", not yet " + wanted);
  }
  return {true, ""};
}

Verdict judge_http(const specs::HttpProbe& probe, unsigned status) {
  if (status >= probe.status_min && status <= probe.status_max) return {true, ""};
  return not_ready("GET " + probe.path + " answered " + std::to_string(status));
}

Verdict judge_kafka(const KafkaMetadata& metadata, std::size_t brokers_wanted) {
  if (metadata.brokers < brokers_wanted) return not_ready(of(metadata.brokers, brokers_wanted) + " brokers registered");
  if (metadata.controller < 0) return not_ready("no controller is elected");
  if (!metadata.leaderless.empty()) return not_ready("topic " + metadata.leaderless.front() + " has no leader yet");
  return {true, ""};
}

}  // namespace banyan::service
