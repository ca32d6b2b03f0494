// What a master's store must hold, as a function of what the master believes.
#pragma once

#include <map>
#include <string>

#include "runtime/core/master/state.h"
#include "runtime/core/registry/registry.h"

namespace banyan::scenario {

inline std::map<std::string, std::string> registry_of(const master::State& state) {
  std::map<std::string, std::string> records{{registry::epoch_key(), registry::write_epoch(state.epoch)}};
  for (const auto& [id, agent] : state.agents)
    records[registry::agent_key(id)] = registry::write(registry::AgentRecord{*agent.info, agent.unreachable_since});
  for (const auto& [id, framework] : state.completed)
    records[registry::completed_key(id)] = registry::write(registry::CompletedRecord{framework.order, *framework.info});
  return records;
}

}  // namespace banyan::scenario
