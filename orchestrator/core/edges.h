// An edge of a node, now. `edge` counts the edges in their order.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "orchestrator/core/node.h"

namespace banyan::root {

/// Its condition holds, and this root has heard so.
[[nodiscard]] bool holds(const Node& node, std::size_t edge);
/// What it needs has failed.
[[nodiscard]] bool broken(const Node& node, std::size_t edge);
/// When waiting for it ends; absent while the dependency itself still waits: its own clock runs then.
[[nodiscard]] std::optional<Instant> deadline_of(const Node& node, std::size_t edge);
/// "zk to be serving (it is starting)"
[[nodiscard]] std::string why(const Node& node, std::size_t edge);
/// All required ones hold.
[[nodiscard]] bool edges_hold(const Node& node);
/// A required one is broken.
[[nodiscard]] bool any_broken(const Node& node);
/// Whose failure is that node's: its own, or that of one it needs.
[[nodiscard]] std::string first_cause(const Node& node);

}  // namespace banyan::root
