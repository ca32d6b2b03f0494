// What a child is told and how its task looks: pure functions of spec, record and what is known of its dependencies.
#pragma once

#include <string>
#include <vector>

#include "banyan/handover.pb.h"
#include "banyan/root_records.pb.h"
#include "mesos/v1/mesos.pb.h"
#include "orchestrator/core/core.h"
#include "specs/stack.h"

namespace banyan::root {

/// Everything but the version. `dependencies` holds one entry per edge, in the order of the edges.
[[nodiscard]] Handover build_handover(const Setup& setup, const std::string& stack, const specs::Node& node,
                                      const NodeRecord& record, std::vector<Dependency> dependencies);

/// Hash of what a node is to become: its configuration, and the restarts that were asked for.
[[nodiscard]] std::string target_of(const specs::Node& node, const NodeRecord& record);

/// Equal iff handovers are but for the version. The record keeps it instead of the handover, which is a function of the
/// stack and of records: it is made again after a restart, and is the same version if it says the same.
[[nodiscard]] std::string content_hash(const Handover& handover);

/// How the executor starts the child: Banyan's service scheduler, or the node's own command with ${NODE.endpoints.e}
/// of its dependencies filled in.
[[nodiscard]] ChildCommand child_command(const specs::Node& node, const Handover& handover);

/// The child scheduler's task for an offer of `agent_id`, executor and data too. REQUIRES: it has its handover and its
/// task's id.
[[nodiscard]] mesos::v1::TaskInfo child_task(const Setup& setup, const Node& launched, const std::string& agent_id);

/// What child_task() takes from an offer, executor included: thousandths of cpus, bytes of memory.
struct Need {
  std::int64_t cpus_milli = 0;
  std::int64_t mem_bytes = 0;
};
[[nodiscard]] Need child_need(const specs::Node& node);

/// "logging.kafka.scheduler.3": an id carries the attempt, so none starts twice.
[[nodiscard]] std::string child_task_id(const std::string& stack, const std::string& node, std::uint64_t attempt);

/// Merges what a child says it offers into what is known: a name it is silent about keeps its addresses.
/// True if anything changed.
bool merge_endpoints(const std::string& stack, const std::string& node,
                     const google::protobuf::RepeatedPtrField<banyan::Endpoint>& said, NodeRecord& record);

}  // namespace banyan::root
