// Generated names: functions of stack, node and server, injective, valid DNS labels.
#pragma once

#include <cstdint>
#include <string>

namespace banyan::specs {

/// "broker.kafka.logging.banyan"
[[nodiscard]] std::string service_name(const std::string& stack, const std::string& node, const std::string& endpoint);
/// "kafka-0"
[[nodiscard]] std::string instance_name(const std::string& server, std::uint32_t index);
/// "logging.kafka" — the Mesos role of a node
[[nodiscard]] std::string role(const std::string& stack, const std::string& node);
/// "logging.kafka.1"
[[nodiscard]] std::string framework_id(const std::string& stack, const std::string& node, std::uint64_t incarnation);
/// "BANYAN_ENDPOINT_KAFKA_BROKER" — how a child's environment names it. Two endpoints that one node depends on never
/// share a variable: load() refuses such names.
[[nodiscard]] std::string endpoint_variable(const std::string& node, const std::string& endpoint);

}  // namespace banyan::specs
