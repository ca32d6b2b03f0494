#include "runtime/adapters/codec/master_agent_link.h"

#include "runtime/adapters/codec/master_descriptions.h"
#include "runtime/adapters/codec/resources.h"

namespace banyan::codec {
namespace {

using agent_link::FromAgent;
using agent_link::ToAgent;
namespace orders = master::orders;

FrameworkId id_of(const mesos::v1::FrameworkID& id) { return FrameworkId(id.value()); }
ExecutorId id_of(const mesos::v1::ExecutorID& id) { return ExecutorId(id.value()); }
TaskState state_of(mesos::v1::TaskState state) { return static_cast<TaskState>(state); }

Result<master::KnownTask> decode_task(const agent_link::KnownTask& known) {
  master::KnownTask task;
  task.framework = id_of(known.framework_id());
  task.task = describe(known.task(), task.framework);
  if (!task.task.invalid.empty()) return error("task " + task.task.id.str() + ": " + task.task.invalid);
  task.latest = state_of(known.state());
  if (known.has_status_update_state()) task.unacknowledged = state_of(known.status_update_state());
  task.unacknowledged_uuid = known.status_update_uuid();
  if (known.has_last_status()) task.last_status = known.last_status().SerializePartialAsString();
  return task;
}

Result<master::Input> decode_register(const FromAgent::Register& message, master::LinkId link) {
  const auto& info = message.agent_info();
  master::AgentRegister known;
  known.link = link;
  known.id = AgentId(info.id().value());
  known.hostname = info.hostname();
  known.port = info.port();
  known.version = message.version();
  known.epoch_seen = message.epoch_seen();
  known.info = info.SerializePartialAsString();
  auto declared = decode(info.resources());
  if (!declared) return error("declared " + declared.error().message);
  known.declared = std::move(*declared);
  auto checkpointed = decode(message.checkpointed_resources());
  if (!checkpointed) return error("checkpointed " + checkpointed.error().message);
  known.checkpointed = checkpointed->without_allocation();
  for (const auto& framework : message.frameworks()) known.frameworks.push_back(describe(framework));
  for (const auto& task : message.tasks()) {
    auto decoded = decode_task(task);
    if (!decoded) return tl::unexpected(decoded.error());
    known.tasks.push_back(std::move(*decoded));
  }
  for (const auto& executor : message.executors()) {
    const FrameworkId framework = id_of(executor.framework_id());
    auto decoded = describe(executor.executor(), framework);
    if (!decoded)
      return error("executor " + executor.executor().executor_id().value() + ": " + decoded.error().message);
    known.executors.push_back({framework, std::move(*decoded)});
  }
  return known;
}

/// The resource in the form agents keep: refined, allocated to `role`. Fields nobody knows stay.
void settle(mesos::v1::Resource* resource, const std::string& role) {
  if (resource->has_role() && resource->role() != "*" && resource->reservations_size() == 0) {
    auto* refined = resource->add_reservations();
    if (resource->has_reservation()) *refined = resource->reservation();
    refined->set_type(resource->has_reservation() ? mesos::v1::Resource::ReservationInfo::DYNAMIC
                                                  : mesos::v1::Resource::ReservationInfo::STATIC);
    refined->set_role(resource->role());
  }
  resource->clear_role();
  resource->clear_reservation();
  resource->mutable_allocation_info()->set_role(role);
}

class Writer {
 public:
  explicit Writer(const std::string& master_id) : master_id_(master_id) {}

  void operator()(const orders::Registered& o) {
    auto* m = message.mutable_registered();
    m->mutable_agent_id()->set_value(o.agent.str());
    m->set_epoch(o.epoch);
    m->set_master_id(master_id_);
    for (const auto& id : o.gone_frameworks) m->add_gone_frameworks()->set_value(id.str());
  }
  void operator()(const orders::Refused& o) { message.mutable_refused()->set_reason(o.reason); }
  void operator()(const orders::RunTask& o) {
    auto* m = message.mutable_run_task();
    fill(m->mutable_framework(), o.framework, *o.framework_info);
    auto* task = m->mutable_task();
    task->ParsePartialFromString(o.task_info);
    for (auto& resource : *task->mutable_resources()) settle(&resource, o.role);
    if (!task->has_executor()) return;
    task->mutable_executor()->mutable_framework_id()->set_value(o.framework.str());
    for (auto& resource : *task->mutable_executor()->mutable_resources()) settle(&resource, o.role);
  }
  void operator()(const orders::KillTask& o) {
    auto* m = message.mutable_kill_task();
    m->mutable_framework_id()->set_value(o.framework.str());
    m->mutable_task_id()->set_value(o.task.str());
    if (!o.policy.empty()) m->mutable_kill_policy()->ParsePartialFromString(o.policy);
  }
  void operator()(const orders::Acknowledge& o) {
    auto* m = message.mutable_acknowledge();
    m->mutable_framework_id()->set_value(o.framework.str());
    m->mutable_task_id()->set_value(o.task.str());
    m->set_uuid(o.uuid);
  }
  void operator()(const orders::SchedulerMessage& o) {
    auto* m = message.mutable_scheduler_message();
    m->mutable_framework_id()->set_value(o.framework.str());
    m->mutable_executor_id()->set_value(o.executor.str());
    m->set_data(o.data);
  }
  void operator()(const orders::ShutdownExecutor& o) {
    auto* m = message.mutable_shutdown_executor();
    m->mutable_framework_id()->set_value(o.framework.str());
    m->mutable_executor_id()->set_value(o.executor.str());
  }
  void operator()(const orders::ShutdownFramework& o) {
    message.mutable_shutdown_framework()->mutable_framework_id()->set_value(o.framework.str());
  }
  void operator()(const orders::UpdateFramework& o) {
    fill(message.mutable_update_framework()->mutable_framework(), o.framework, *o.info);
  }
  void operator()(const orders::Apply& o) {
    auto* m = message.mutable_apply();
    m->set_operation_uuid(o.operation_uuid);
    encode(o.checkpointed, ResourceFormat::refined, m->mutable_checkpointed_resources());
  }
  void operator()(const orders::Ping&) { message.mutable_ping(); }

  ToAgent message;

 private:
  static void fill(mesos::v1::FrameworkInfo* info, const FrameworkId& id, const std::string& bytes) {
    info->ParsePartialFromString(bytes);
    info->mutable_id()->set_value(id.str());
  }
  const std::string& master_id_;
};

}  // namespace

Result<master::Input> decode(const FromAgent& message, master::LinkId link) {
  switch (message.message_case()) {
    case FromAgent::kRegister: return decode_register(message.register_(), link);
    case FromAgent::kUpdate: {
      const auto& update = message.update();
      return master::AgentUpdate{link,
                                 id_of(update.framework_id()),
                                 TaskId(update.status().task_id().value()),
                                 state_of(update.status().state()),
                                 state_of(update.latest_state()),
                                 update.status().uuid(),
                                 update.status().SerializePartialAsString()};
    }
    case FromAgent::kExecutorMessage: {
      const auto& m = message.executor_message();
      return master::AgentExecutorMessage{link, id_of(m.framework_id()), id_of(m.executor_id()), m.data()};
    }
    case FromAgent::kExecutorExited: {
      const auto& m = message.executor_exited();
      return master::AgentExecutorExited{link, id_of(m.framework_id()), id_of(m.executor_id()), m.wait_status()};
    }
    case FromAgent::kApplied: {
      master::AgentApplied applied{link, message.applied().operation_uuid(), {}};
      if (message.applied().has_error()) applied.error = message.applied().error();
      return applied;
    }
    case FromAgent::kPong: return master::AgentPonged{link};
    default: return error("a message of an unknown kind: the agent is newer than this master");
  }
}

ToAgent encode(const orders::Any& order, const std::string& master_id) {
  Writer writer(master_id);
  std::visit(writer, order);
  return std::move(writer.message);
}

}  // namespace banyan::codec
