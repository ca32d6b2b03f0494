#include "runtime/adapters/codec/agent_executor.h"

#include "runtime/adapters/codec/agent_words.h"

namespace banyan::codec {
namespace {

using mesos::v1::executor::Call;
using mesos::v1::executor::Event;

std::string status_fault(const Call& call, const mesos::v1::TaskStatus& status) {
  const std::string& executor = call.executor_id().value();
  if (!status.has_uuid()) return "Expecting 'uuid' to be present";
  if (status.uuid().size() != 16) return "Not a valid UUID";
  if (status.source() != mesos::v1::TaskStatus::SOURCE_EXECUTOR || !status.has_source())
    return "Received Call from executor " + executor + " of framework " + call.framework_id().value() +
           " with invalid source, expecting 'SOURCE_EXECUTOR'";
  if (status.has_executor_id() && status.executor_id().value() != executor)
    return "ExecutorID in Call: " + executor +
           " does not match ExecutorID in TaskStatus: " + status.executor_id().value();
  if (status.state() == mesos::v1::TASK_STAGING) return "Received TASK_STAGING from executor " + executor;
  return {};
}

Event event(Event::Type type) {
  Event e;
  e.set_type(type);
  return e;
}

}  // namespace

std::string fault(const Call& call) {
  if (!call.has_type() || call.type() == Call::UNKNOWN) return "Expecting 'type' to be present";
  if (call.executor_id().value().empty()) return "Expecting 'executor_id' to be present";
  if (call.framework_id().value().empty()) return "Expecting 'framework_id' to be present";
  switch (call.type()) {
    case Call::SUBSCRIBE:
      if (!call.has_subscribe()) return "Expecting 'subscribe' to be present";
      for (const auto& update : call.subscribe().unacknowledged_updates())
        if (std::string text = status_fault(call, update.status()); !text.empty()) return text;
      return {};
    case Call::UPDATE:
      return call.has_update() ? status_fault(call, call.update().status()) : "Expecting 'update' to be present";
    case Call::MESSAGE: return call.has_message() ? "" : "Expecting 'message' to be present";
    default: return {};
  }
}

agent::Input decode(const Call& call, agent::ConnectionId connection) {
  const FrameworkId framework(call.framework_id().value());
  const ExecutorId executor(call.executor_id().value());
  if (call.type() == Call::UPDATE)
    return agent::ExecutorUpdate{framework, executor, decode_status(call.update().status())};
  if (call.type() == Call::MESSAGE) return agent::ExecutorMessage{framework, executor, call.message().data()};
  agent::ExecutorSubscribe s{connection, framework, executor, {}, {}};
  for (const auto& task : call.subscribe().unacknowledged_tasks())
    s.unacknowledged_tasks.emplace(task.task_id().value());
  for (const auto& update : call.subscribe().unacknowledged_updates())
    s.unacknowledged_updates.push_back(decode_status(update.status()));
  return s;
}

Event encode(const agent::TellSubscribed& effect, const mesos::v1::AgentInfo& self) {
  Event e = event(Event::SUBSCRIBED);
  auto* s = e.mutable_subscribed();
  *s->mutable_executor_info() = parse<mesos::v1::ExecutorInfo>(effect.executor_info);
  *s->mutable_framework_info() = parse<mesos::v1::FrameworkInfo>(effect.framework_info);
  *s->mutable_agent_info() = self;
  s->mutable_agent_info()->mutable_id()->set_value(effect.agent.str());
  s->mutable_container_id()->set_value(effect.container.str());
  return e;
}

Event encode(const agent::TellLaunch& effect) {
  Event e = event(Event::LAUNCH);
  *e.mutable_launch()->mutable_task() = parse<mesos::v1::TaskInfo>(effect.task_info);
  return e;
}

Event encode(const agent::TellKill& effect) {
  Event e = event(Event::KILL);
  e.mutable_kill()->mutable_task_id()->set_value(effect.task.str());
  if (effect.grace)
    e.mutable_kill()->mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(effect.grace->count());
  return e;
}

Event encode(const agent::TellAcknowledged& effect) {
  Event e = event(Event::ACKNOWLEDGED);
  e.mutable_acknowledged()->mutable_task_id()->set_value(effect.task.str());
  e.mutable_acknowledged()->set_uuid(effect.uuid);
  return e;
}

Event encode(const agent::TellMessage& effect) {
  Event e = event(Event::MESSAGE);
  e.mutable_message()->set_data(effect.data);
  return e;
}

Event encode(const agent::TellShutdown&) { return event(Event::SHUTDOWN); }

}  // namespace banyan::codec
