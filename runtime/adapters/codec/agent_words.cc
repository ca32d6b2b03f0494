#include "runtime/adapters/codec/agent_words.h"

#include "runtime/adapters/codec/resources.h"

namespace banyan::codec {

namespace v1 = mesos::v1;

agent::Framework decode_framework(const v1::FrameworkInfo& info) {
  agent::Framework f;
  f.id = FrameworkId(info.id().value());
  for (const auto& capability : info.capabilities()) {
    f.partition_aware |= capability.type() == v1::FrameworkInfo::Capability::PARTITION_AWARE;
    f.task_killing_state |= capability.type() == v1::FrameworkInfo::Capability::TASK_KILLING_STATE;
  }
  f.info = info.SerializePartialAsString();
  return f;
}

std::set<agent::VolumeKey> decode_volumes(const google::protobuf::RepeatedPtrField<v1::Resource>& resources) {
  std::set<agent::VolumeKey> volumes;
  for (const auto& message : resources) {
    if (!message.disk().has_persistence()) continue;
    if (const auto resource = decode(message))
      volumes.insert({resource->identity.role(), message.disk().persistence().id()});
  }
  return volumes;
}

agent::ExecutorDescription decode_executor(const v1::ExecutorInfo& info) {
  agent::ExecutorDescription e;
  e.id = ExecutorId(info.executor_id().value());
  if (info.has_shutdown_grace_period()) e.shutdown_grace = decode_duration(info.shutdown_grace_period());
  e.volumes = decode_volumes(info.resources());
  e.info = info.SerializePartialAsString();
  return e;
}

agent::TaskDescription decode_task(const v1::TaskInfo& info) {
  agent::TaskDescription t;
  t.id = TaskId(info.task_id().value());
  if (info.has_executor()) t.executor = decode_executor(info.executor());
  if (info.kill_policy().has_grace_period()) t.kill_grace = decode_duration(info.kill_policy().grace_period());
  if (info.has_max_completion_time()) t.completion_max = decode_duration(info.max_completion_time());
  if (!info.has_executor() && info.check().type() == v1::CheckInfo::COMMAND)
    t.check = agent::Check{from_seconds(info.check().delay_seconds()), from_seconds(info.check().interval_seconds()),
                           from_seconds(info.check().timeout_seconds())};
  t.volumes = decode_volumes(info.resources());
  t.info = info.SerializePartialAsString();
  return t;
}

agent::Status decode_status(const v1::TaskStatus& message) {
  agent::Status s;
  s.task = TaskId(message.task_id().value());
  s.state = static_cast<TaskState>(message.state());
  s.uuid = message.uuid();
  s.from_executor = true;
  s.executor = ExecutorId(message.executor_id().value());
  s.timestamp = message.timestamp();
  s.body = message.SerializePartialAsString();
  return s;
}

namespace {

void add_label(const char* key, const std::string& value, v1::TaskStatus& message) {
  auto* label = message.mutable_labels()->add_labels();
  label->set_key(key);
  label->set_value(value);
}

}  // namespace

v1::TaskStatus encode_status(const agent::Status& s, const AgentId& agent) {
  v1::TaskStatus message = parse<v1::TaskStatus>(s.body);
  message.mutable_task_id()->set_value(s.task.str());
  message.set_state(static_cast<v1::TaskState>(s.state));
  message.set_uuid(s.uuid);
  message.set_source(s.from_executor ? v1::TaskStatus::SOURCE_EXECUTOR : v1::TaskStatus::SOURCE_AGENT);
  message.set_timestamp(s.timestamp);
  message.mutable_agent_id()->set_value(agent.str());
  if (s.reason) message.set_reason(static_cast<v1::TaskStatus::Reason>(*s.reason));
  if (!s.message.empty()) message.set_message(s.message);
  if (!s.executor.empty()) message.mutable_executor_id()->set_value(s.executor.str());
  if (s.check) {
    message.mutable_check_status()->set_type(v1::CheckInfo::COMMAND);
    auto* command = message.mutable_check_status()->mutable_command();
    if (s.check->exit_code) command->set_exit_code(*s.check->exit_code);
  }
  if (s.ports) {
    add_label("banyan.listens", s.ports->listens, message);
    if (!s.ports->strangers.empty()) add_label("banyan.strangers", s.ports->strangers, message);
  }
  if (!s.container.empty() && !message.has_container_status()) {
    auto* container = message.mutable_container_status();
    container->mutable_container_id()->set_value(s.container.str());
    if (s.pid > 0) container->set_executor_pid(static_cast<std::uint32_t>(s.pid));
  }
  return message;
}

}  // namespace banyan::codec
