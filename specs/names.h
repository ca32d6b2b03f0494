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

}  // namespace banyan::specs
