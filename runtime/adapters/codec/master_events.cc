#include "runtime/adapters/codec/master_events.h"

#include <arpa/inet.h>

#include "runtime/adapters/codec/master_descriptions.h"
#include "runtime/adapters/codec/resources.h"
#include "runtime/base/limits.h"

namespace banyan::codec {
namespace {

using mesos::v1::scheduler::Event;
namespace events = master::events;

bool is_ip(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

/// What a status repeats from the last one that is known.
void repeat(const master::Bytes& like, const std::string& task, mesos::v1::TaskStatus* status) {
  if (like.empty()) return;
  const auto last = parse<mesos::v1::TaskStatus>(like);
  if (last.has_executor_id() && last.executor_id().value() != task) *status->mutable_executor_id() = last.executor_id();
  if (last.has_healthy()) status->set_healthy(last.healthy());
  if (last.has_check_status()) *status->mutable_check_status() = last.check_status();
  if (last.has_container_status()) *status->mutable_container_status() = last.container_status();
}

class Writer {
 public:
  Writer(const MasterFacts& master, WallTime at) : master_(master), at_(at) {}

  void operator()(const events::Subscribed& e) {
    event.set_type(Event::SUBSCRIBED);
    event.mutable_subscribed()->mutable_framework_id()->set_value(e.framework.str());
    event.mutable_subscribed()->set_heartbeat_interval_seconds(seconds(limits::heartbeat_interval));
    *event.mutable_subscribed()->mutable_master_info() = encode(master_);
  }
  void operator()(const events::Heartbeat&) { event.set_type(Event::HEARTBEAT); }
  void operator()(const events::Offers& e) {
    event.set_type(Event::OFFERS);
    for (const auto& offer : e.offers) *event.mutable_offers()->add_offers() = encode(offer, e.capabilities);
  }
  void operator()(const events::Rescind& e) {
    event.set_type(Event::RESCIND);
    event.mutable_rescind()->mutable_offer_id()->set_value(e.offer.str());
  }
  void operator()(const events::Update& e) {
    event.set_type(Event::UPDATE);
    event.mutable_update()->mutable_status()->ParsePartialFromString(e.status);
  }
  void operator()(const events::Report& e) {
    event.set_type(Event::UPDATE);
    auto* status = event.mutable_update()->mutable_status();
    status->mutable_task_id()->set_value(e.task.str());
    status->set_state(static_cast<mesos::v1::TaskState>(e.state));
    status->set_source(mesos::v1::TaskStatus::SOURCE_MASTER);
    status->set_reason(static_cast<mesos::v1::TaskStatus::Reason>(e.reason));
    status->set_message(e.message);
    if (!e.agent.empty()) status->mutable_agent_id()->set_value(e.agent.str());
    status->set_timestamp(seconds(at_.time_since_epoch()));
    if (e.unreachable_since)
      status->mutable_unreachable_time()->set_nanoseconds(e.unreachable_since->time_since_epoch().count());
    repeat(e.like, e.task.str(), status);
  }
  void operator()(const events::OperationReport& e) {
    event.set_type(Event::UPDATE_OPERATION_STATUS);
    auto* status = event.mutable_update_operation_status()->mutable_status();
    status->mutable_operation_id()->set_value(e.id.str());
    status->set_state(static_cast<mesos::v1::OperationState>(e.state));
    if (!e.message.empty()) status->set_message(e.message);
    if (!e.agent.empty()) status->mutable_agent_id()->set_value(e.agent.str());
  }
  void operator()(const events::Message& e) {
    event.set_type(Event::MESSAGE);
    event.mutable_message()->mutable_agent_id()->set_value(e.agent.str());
    event.mutable_message()->mutable_executor_id()->set_value(e.executor.str());
    event.mutable_message()->set_data(e.data);
  }
  void operator()(const events::Failure& e) {
    event.set_type(Event::FAILURE);
    event.mutable_failure()->mutable_agent_id()->set_value(e.agent.str());
    if (!e.executor.empty()) event.mutable_failure()->mutable_executor_id()->set_value(e.executor.str());
    if (e.wait_status) event.mutable_failure()->set_status(*e.wait_status);
  }
  void operator()(const events::Error& e) {
    event.set_type(Event::ERROR);
    event.mutable_error()->set_message(e.message);
  }

  Event event;

 private:
  const MasterFacts& master_;
  WallTime at_;
};

}  // namespace

mesos::v1::MasterInfo encode(const MasterFacts& master) {
  mesos::v1::MasterInfo info;
  info.set_id(master.id);
  in_addr address{};
  inet_pton(AF_INET, master.ip.c_str(), &address);
  info.set_ip(address.s_addr);  // network order taken as a number, as Mesos does
  info.set_port(master.port);
  info.set_pid("master@" + master.ip + ":" + std::to_string(master.port));
  info.set_hostname(master.ip);
  info.set_version(mesos_version);
  info.mutable_address()->set_hostname(master.ip);
  info.mutable_address()->set_ip(master.ip);
  info.mutable_address()->set_port(master.port);
  return info;
}

mesos::v1::Offer encode(const events::Offer& offer, const master::Capabilities& capabilities) {
  const auto agent = parse<mesos::v1::AgentInfo>(*offer.agent_info);
  mesos::v1::Offer message;
  message.mutable_id()->set_value(offer.id.str());
  message.mutable_framework_id()->set_value(offer.framework.str());
  message.mutable_agent_id()->set_value(offer.agent.str());
  message.set_hostname(agent.hostname());
  auto* url = message.mutable_url();
  url->set_scheme("http");
  url->mutable_address()->set_hostname(agent.hostname());
  if (is_ip(agent.hostname())) url->mutable_address()->set_ip(agent.hostname());
  url->mutable_address()->set_port(agent.port());
  url->set_path("/slave(1)");
  *message.mutable_attributes() = agent.attributes();
  if (agent.has_domain()) *message.mutable_domain() = agent.domain();
  for (const auto& executor : offer.executors) message.add_executor_ids()->set_value(executor.str());
  const auto format = capabilities.reservation_refinement ? ResourceFormat::refined : ResourceFormat::legacy;
  if (capabilities.multi_role) {
    message.mutable_allocation_info()->set_role(offer.role);
    encode(offer.resources.with_allocation(offer.role), format, message.mutable_resources());
  } else {
    encode(offer.resources, format, message.mutable_resources());
  }
  return message;
}

Event encode(const events::Any& event, const MasterFacts& master, WallTime at) {
  Writer writer(master, at);
  std::visit(writer, event);
  return std::move(writer.event);
}

}  // namespace banyan::codec
