// The order of things: what starts when and why. Pure; over Boost.Graph.
#pragma once

#include <string>
#include <vector>

#include "specs/stack.h"

namespace banyan::specs {

struct Step {
  std::string node;
  std::uint32_t level = 0;         ///< 0: depends on nothing; for display only, the root has no level barrier
  std::vector<std::string> after;  ///< nodes it waits for, with conditions: "zookeeper (serving)"
  std::string cause;               ///< why this step is there: "depends_on at stack.yaml:12:7"
  std::uint32_t servers = 0;
};

/// Launch order; teardown is the reverse.
[[nodiscard]] std::vector<Step> plan(const Stack& stack);

/// Nodes that cannot run without `node`, directly or not, nearest first.
[[nodiscard]] std::vector<std::string> dependants(const Stack& stack, const std::string& node);

enum class GraphForm { text, dot, mermaid, json };
[[nodiscard]] std::string draw(const Stack& stack, GraphForm form);

}  // namespace banyan::specs
