// What a conversion (RESERVE, CREATE, GROW_VOLUME and their opposites) does to resources. Pure.
#pragma once

#include <string>

#include "runtime/base/resources.h"
#include "runtime/core/master/inputs.h"

namespace banyan::master {

/// Taking `consumed` away and putting `converted` in its place changes no sum.
struct Exchange {
  Resources consumed;
  Resources converted;
};

/// `role`: the role the resources are allocated to, "" for an operator's call. `total`: everything on the agent, where
/// a new volume's id must not exist yet. An error names the rule that is broken. Whether `consumed` is at hand is the
/// caller's question.
[[nodiscard]] Result<Exchange> exchange(const Conversion& conversion, const std::string& role, const Resources& total);

/// What an agent has in all: its declared resources with its checkpointed reservations and volumes cut out of them.
[[nodiscard]] Result<Resources> with_checkpointed(const Resources& declared, const Resources& checkpointed);

[[nodiscard]] bool is_checkpointed(const ResourceIdentity& identity);

}  // namespace banyan::master
