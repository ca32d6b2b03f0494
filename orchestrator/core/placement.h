// Whether a stack can be placed on the cluster at all, before anything is launched. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "specs/diagnostic.h"
#include "specs/stack.h"

namespace banyan::root {

struct PortRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  ///< included
};

/// All that an agent has, used or not.
struct AgentTotal {
  std::string host;
  std::int64_t cpus_milli = 0;
  std::int64_t mem_bytes = 0;
  std::int64_t disk_bytes = 0;
  std::vector<PortRange> ports = {};
};

/// What stands in the way. Errors and refusals can never come right by waiting; of a warning somebody may know better.
struct Placement {
  std::vector<specs::Diagnostic> errors;  ///< E501: a fixed port that no agent offers
  std::vector<std::string> refusals, warnings;
};

/// `file`: the stack's, for places. `others`: the stacks that run beside it. No `agents`: nothing is known of them, and
/// nothing said about them. A fixed port of another stack is refused where there is a single agent; more of them may
/// hold it once each.
[[nodiscard]] Placement judge_placement(const specs::Stack& wanted, const std::string& file,
                                        const std::vector<const specs::Stack*>& others,
                                        const std::vector<AgentTotal>& agents);

}  // namespace banyan::root
