#include "runtime/adapters/codec/master_descriptions.h"

#include "runtime/adapters/codec/resources.h"

namespace banyan::codec {

using Capability = mesos::v1::FrameworkInfo::Capability;

master::FrameworkDescription describe(const mesos::v1::FrameworkInfo& info) {
  master::FrameworkDescription d;
  d.id = FrameworkId(info.id().value());
  d.name = info.name();
  d.user = info.user();
  d.principal = info.principal();
  if (info.has_role()) d.role = info.role();
  d.roles.assign(info.roles().begin(), info.roles().end());
  for (const auto& capability : info.capabilities()) {
    d.capabilities.partition_aware |= capability.type() == Capability::PARTITION_AWARE;
    d.capabilities.multi_role |= capability.type() == Capability::MULTI_ROLE;
    d.capabilities.reservation_refinement |= capability.type() == Capability::RESERVATION_REFINEMENT;
    d.capabilities.gpu_resources |= capability.type() == Capability::GPU_RESOURCES;
  }
  d.checkpoint = info.checkpoint();
  d.failover_timeout_seconds = info.failover_timeout();
  d.info = info.SerializePartialAsString();
  return d;
}

Result<master::ExecutorDescription> describe(const mesos::v1::ExecutorInfo& executor, const FrameworkId& framework) {
  auto resources = decode(executor.resources());
  if (!resources) return tl::unexpected(resources.error());
  master::ExecutorDescription d;
  d.id = ExecutorId(executor.executor_id().value());
  d.resources = std::move(*resources);
  d.has_command = executor.has_command();
  d.custom = !executor.has_type() || executor.type() == mesos::v1::ExecutorInfo::CUSTOM;
  // One form, however the framework or the agent wrote it: equal bytes are the same executor.
  mesos::v1::ExecutorInfo plain = executor;
  plain.mutable_framework_id()->set_value(framework.str());
  plain.clear_resources();
  encode(d.resources.without_allocation(), ResourceFormat::refined, plain.mutable_resources());
  d.info = plain.SerializePartialAsString();
  return d;
}

master::TaskDescription describe(const mesos::v1::TaskInfo& task, const FrameworkId& framework) {
  master::TaskDescription d;
  d.id = TaskId(task.task_id().value());
  d.agent = AgentId(task.agent_id().value());
  d.has_command = task.has_command();
  d.info = task.SerializePartialAsString();
  auto resources = decode(task.resources());
  if (resources) d.resources = std::move(*resources);
  else d.invalid = "Task uses an invalid " + resources.error().message;
  if (task.has_executor()) {
    const auto& own = task.executor();
    auto executor = describe(own, framework);
    d.executor = executor ? std::move(*executor) : master::ExecutorDescription{};
    if (!executor) d.invalid = "Executor uses an invalid " + executor.error().message;
    if (own.has_framework_id() && own.framework_id().value() != framework.str())
      d.invalid = "ExecutorInfo has an invalid FrameworkID '" + own.framework_id().value() + "'";
  }
  if (task.kill_policy().grace_period().nanoseconds() < 0) d.invalid = "Task's 'kill_policy.grace_period' is negative";
  return d;
}

Result<master::Conversion> decode_resize(master::Conversion::Kind kind, const mesos::v1::Resource& volume,
                                         const mesos::v1::Resource& piece) {
  const auto resized = decode(volume);
  if (!resized) return error(resized.error().message);
  const auto moved = decode(piece);
  if (!moved) return error(moved.error().message);
  return master::Conversion{kind, Resources{*resized}.without_allocation(), Resources{*moved}.without_allocation()};
}

mesos::v1::Resource plain_piece(mesos::v1::Resource volume, const mesos::v1::Value::Scalar& amount) {
  volume.clear_disk();
  *volume.mutable_scalar() = amount;
  return volume;
}

}  // namespace banyan::codec
