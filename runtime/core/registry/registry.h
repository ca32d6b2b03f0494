// The master's durable records and how they are written: which agents it has admitted, which frameworks are gone for
// good, and its epoch. Tasks and frameworks are never here: agents and schedulers bring them (as in Mesos' registry).
// Pure. THREADS: any.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/ids.h"
#include "runtime/base/result.h"
#include "runtime/base/time.h"

namespace banyan::registry {

struct AgentRecord {
  std::string info;  ///< mesos.v1.AgentInfo as it came
  std::optional<WallTime> unreachable_since;
  bool operator==(const AgentRecord&) const = default;
};

struct CompletedRecord {
  std::uint64_t order = 0;  ///< rises with each one, so that the oldest can be forgotten first
  std::string info;         ///< mesos.v1.FrameworkInfo as it came
  bool operator==(const CompletedRecord&) const = default;
};

struct Registry {
  std::uint64_t epoch = 0;  ///< raised at each start of a master
  std::map<AgentId, AgentRecord> agents;
  std::map<FrameworkId, CompletedRecord> completed;
};

/// From Store::load(). An unknown key or a damaged value is an error that names it.
[[nodiscard]] Result<Registry> read(const std::map<std::string, std::string>& stored);

/// Key and value of one record, for a Change.
[[nodiscard]] std::string agent_key(const AgentId& id);
[[nodiscard]] std::string completed_key(const FrameworkId& id);
[[nodiscard]] std::string epoch_key();
[[nodiscard]] std::string write(const AgentRecord& record);
[[nodiscard]] std::string write(const CompletedRecord& record);
[[nodiscard]] std::string write_epoch(std::uint64_t epoch);

}  // namespace banyan::registry
