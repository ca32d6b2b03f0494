#include "runtime/adapters/codec/agent_link.h"

#include "runtime/adapters/codec/agent_words.h"

namespace banyan::codec {
namespace {

using agent_link::FromAgent;
using agent_link::ToAgent;

agent::Input decode(const ToAgent::Registered& m) {
  agent::Registered r{AgentId(m.agent_id().value()), m.epoch(), {}};
  for (const auto& id : m.gone_frameworks()) r.gone.emplace_back(id.value());
  return r;
}

agent::Input decode(const ToAgent::KillTask& m) {
  agent::KillTask k{FrameworkId(m.framework_id().value()), TaskId(m.task_id().value()), std::nullopt};
  if (m.kill_policy().has_grace_period()) k.grace = decode_duration(m.kill_policy().grace_period());
  return k;
}

agent::Input decode(const ToAgent::Apply& m) {
  agent::Apply a{m.operation_uuid(), {}, decode_volumes(m.checkpointed_resources())};
  for (const auto& resource : m.checkpointed_resources()) a.resources.push_back(resource.SerializePartialAsString());
  return a;
}

void encode_task(const agent::KnownTask& task, const AgentId& agent, agent_link::KnownTask* out) {
  out->mutable_framework_id()->set_value(task.framework.str());
  *out->mutable_task() = parse<mesos::v1::TaskInfo>(task.info);
  out->set_state(static_cast<mesos::v1::TaskState>(task.state));
  if (task.unacknowledged) {
    out->set_status_update_state(static_cast<mesos::v1::TaskState>(task.unacknowledged->state));
    out->set_status_update_uuid(task.unacknowledged->uuid);
  }
  if (task.last) *out->mutable_last_status() = encode_status(*task.last, agent);
}

}  // namespace

std::optional<agent::Input> decode(const ToAgent& m) {
  switch (m.message_case()) {
    case ToAgent::kRegistered: return decode(m.registered());
    case ToAgent::kRefused: return agent::Refused{m.refused().reason()};
    case ToAgent::kRunTask:
      return agent::RunTask{decode_framework(m.run_task().framework()), decode_task(m.run_task().task())};
    case ToAgent::kKillTask: return decode(m.kill_task());
    case ToAgent::kAcknowledge:
      return agent::Acknowledge{FrameworkId(m.acknowledge().framework_id().value()),
                                TaskId(m.acknowledge().task_id().value()), m.acknowledge().uuid()};
    case ToAgent::kSchedulerMessage:
      return agent::SchedulerMessage{FrameworkId(m.scheduler_message().framework_id().value()),
                                     ExecutorId(m.scheduler_message().executor_id().value()),
                                     m.scheduler_message().data()};
    case ToAgent::kShutdownExecutor:
      return agent::ShutdownExecutor{FrameworkId(m.shutdown_executor().framework_id().value()),
                                     ExecutorId(m.shutdown_executor().executor_id().value())};
    case ToAgent::kShutdownFramework:
      return agent::ShutdownFramework{FrameworkId(m.shutdown_framework().framework_id().value())};
    case ToAgent::kUpdateFramework: return agent::UpdateFramework{decode_framework(m.update_framework().framework())};
    case ToAgent::kApply: return decode(m.apply());
    case ToAgent::kPing: return agent::Ping{};
    case ToAgent::MESSAGE_NOT_SET: return std::nullopt;
  }
  return std::nullopt;
}

FromAgent encode(const agent::SendRegister& effect, mesos::v1::AgentInfo self) {
  FromAgent message;
  auto* r = message.mutable_register_();
  if (!effect.agent.empty()) self.mutable_id()->set_value(effect.agent.str());
  *r->mutable_agent_info() = std::move(self);
  for (const auto& resource : effect.resources) *r->add_checkpointed_resources() = parse<mesos::v1::Resource>(resource);
  for (const auto& framework : effect.frameworks) *r->add_frameworks() = parse<mesos::v1::FrameworkInfo>(framework);
  for (const auto& task : effect.tasks) encode_task(task, effect.agent, r->add_tasks());
  for (const auto& executor : effect.executors) {
    auto* known = r->add_executors();
    known->mutable_framework_id()->set_value(executor.framework.str());
    *known->mutable_executor() = parse<mesos::v1::ExecutorInfo>(executor.info);
  }
  r->set_epoch_seen(effect.epoch_seen);
  r->set_version("0.1.0");
  return message;
}

FromAgent encode(const agent::SendUpdate& effect, const AgentId& agent) {
  FromAgent message;
  auto* update = message.mutable_update();
  update->mutable_framework_id()->set_value(effect.framework.str());
  *update->mutable_status() = encode_status(effect.status, agent);
  update->set_latest_state(static_cast<mesos::v1::TaskState>(effect.latest));
  return message;
}

FromAgent encode(const agent::SendExecutorMessage& effect) {
  FromAgent message;
  auto* m = message.mutable_executor_message();
  m->mutable_framework_id()->set_value(effect.framework.str());
  m->mutable_executor_id()->set_value(effect.executor.str());
  m->set_data(effect.data);
  return message;
}

FromAgent encode(const agent::SendExecutorExited& effect) {
  FromAgent message;
  auto* m = message.mutable_executor_exited();
  m->mutable_framework_id()->set_value(effect.framework.str());
  m->mutable_executor_id()->set_value(effect.executor.str());
  m->set_wait_status(effect.wait_status);
  return message;
}

FromAgent encode(const agent::SendApplied& effect) {
  FromAgent message;
  message.mutable_applied()->set_operation_uuid(effect.operation);
  if (!effect.error.empty()) message.mutable_applied()->set_error(effect.error);
  return message;
}

FromAgent encode(const agent::SendPong&) {
  FromAgent message;
  message.mutable_pong();
  return message;
}

}  // namespace banyan::codec
