#include "runtime/adapters/codec/master_calls.h"

#include <cmath>

#include "runtime/adapters/codec/master_descriptions.h"
#include "runtime/adapters/codec/resources.h"
#include "runtime/base/limits.h"

namespace banyan::codec {
namespace {

using mesos::v1::scheduler::Call;
namespace calls = master::calls;

tl::unexpected<Refusal> refuse(std::string text) { return tl::unexpected(Refusal{400, std::move(text)}); }
tl::unexpected<Refusal> invalid(const std::string& why) { return refuse("Failed to validate scheduler::Call: " + why); }
tl::unexpected<Refusal> missing(const std::string& field) { return invalid("Expecting '" + field + "' to be present"); }

std::set<std::string> set_of(const google::protobuf::RepeatedPtrField<std::string>& items) {
  return {items.begin(), items.end()};
}

std::vector<OfferId> offers_of(const google::protobuf::RepeatedPtrField<mesos::v1::OfferID>& ids) {
  std::vector<OfferId> offers;
  for (const auto& id : ids) offers.emplace_back(id.value());
  return offers;
}

std::vector<master::TaskDescription> tasks_of(const google::protobuf::RepeatedPtrField<mesos::v1::TaskInfo>& infos,
                                              const FrameworkId& framework) {
  std::vector<master::TaskDescription> tasks;
  for (const auto& info : infos) tasks.push_back(describe(info, framework));
  return tasks;
}

using What = decltype(calls::Operation::what);

What conversion(master::Conversion::Kind kind,
                const google::protobuf::RepeatedPtrField<mesos::v1::Resource>& messages) {
  auto resources = decode(messages);
  if (!resources) return calls::Unusable{resources.error().message};
  return master::Conversion{kind, std::move(*resources)};
}

/// GROW_VOLUME and SHRINK_VOLUME.
What resizing(master::Conversion::Kind kind, const mesos::v1::Resource& volume, const mesos::v1::Resource& piece) {
  auto conversion = decode_resize(kind, volume, piece);
  if (!conversion) return calls::Unusable{conversion.error().message};
  return std::move(*conversion);
}

What what_of(const mesos::v1::Offer::Operation& operation, const FrameworkId& framework) {
  using Operation = mesos::v1::Offer::Operation;
  using Kind = master::Conversion::Kind;
  switch (operation.type()) {
    case Operation::LAUNCH: return calls::Launch{tasks_of(operation.launch().task_infos(), framework)};
    case Operation::LAUNCH_GROUP:
      return calls::LaunchGroup{tasks_of(operation.launch_group().task_group().tasks(), framework)};
    case Operation::RESERVE:
      if (operation.reserve().source_size() > 0) return calls::Unusable{"RESERVE with 'source' is not supported yet"};
      return conversion(Kind::reserve, operation.reserve().resources());
    case Operation::UNRESERVE: return conversion(Kind::unreserve, operation.unreserve().resources());
    case Operation::CREATE: return conversion(Kind::create, operation.create().volumes());
    case Operation::DESTROY: return conversion(Kind::destroy, operation.destroy().volumes());
    case Operation::GROW_VOLUME:
      return resizing(Kind::grow, operation.grow_volume().volume(), operation.grow_volume().addition());
    case Operation::SHRINK_VOLUME:
      return resizing(Kind::shrink, operation.shrink_volume().volume(),
                      plain_piece(operation.shrink_volume().volume(), operation.shrink_volume().subtract()));
    default: return calls::Unusable{Operation::Type_Name(operation.type()) + " is not supported yet"};
  }
}

calls::Accept decode_accept(const Call::Accept& accept, const FrameworkId& framework) {
  calls::Accept decoded{offers_of(accept.offer_ids()),
                        {},
                        refuse_duration(accept.filters().has_refuse_seconds(), accept.filters().refuse_seconds())};
  for (const auto& operation : accept.operations())
    decoded.operations.push_back({OperationId(operation.id().value()), what_of(operation, framework)});
  return decoded;
}

calls::Reconcile decode_reconcile(const Call::Reconcile& reconcile) {
  calls::Reconcile decoded;
  for (const auto& task : reconcile.tasks()) {
    std::optional<AgentId> agent;
    if (task.has_agent_id()) agent = AgentId(task.agent_id().value());
    decoded.tasks.push_back({TaskId(task.task_id().value()), std::move(agent)});
  }
  return decoded;
}

calls::Kill decode_kill(const Call::Kill& kill) {
  calls::Kill decoded{TaskId(kill.task_id().value()), {}, {}};
  if (kill.has_agent_id()) decoded.agent = AgentId(kill.agent_id().value());
  if (kill.has_kill_policy()) decoded.policy = kill.kill_policy().SerializePartialAsString();
  return decoded;
}

calls::ReconcileOperations decode_operations(const Call::ReconcileOperations& reconcile) {
  calls::ReconcileOperations decoded;
  for (const auto& operation : reconcile.operations())
    decoded.operations.emplace_back(operation.operation_id().value());
  return decoded;
}

Accepted<calls::Body> decode_body(const Call& call, const FrameworkId& framework) {
  switch (call.type()) {
    case Call::TEARDOWN: return calls::Teardown{};
    case Call::ACCEPT:
      if (!call.has_accept()) return missing("accept");
      return decode_accept(call.accept(), framework);
    case Call::DECLINE:
      if (!call.has_decline()) return missing("decline");
      return calls::Decline{
          offers_of(call.decline().offer_ids()),
          refuse_duration(call.decline().filters().has_refuse_seconds(), call.decline().filters().refuse_seconds())};
    case Call::REVIVE: return calls::Revive{set_of(call.revive().roles())};
    case Call::SUPPRESS: return calls::Suppress{set_of(call.suppress().roles())};
    case Call::KILL:
      if (!call.has_kill()) return missing("kill");
      return decode_kill(call.kill());
    case Call::SHUTDOWN:
      if (!call.has_shutdown()) return missing("shutdown");
      return calls::Shutdown{ExecutorId(call.shutdown().executor_id().value()),
                             AgentId(call.shutdown().agent_id().value())};
    case Call::ACKNOWLEDGE:
      if (!call.has_acknowledge()) return missing("acknowledge");
      if (call.acknowledge().uuid().size() != 16) return invalid("Not a valid UUID");
      return calls::Acknowledge{AgentId(call.acknowledge().agent_id().value()),
                                TaskId(call.acknowledge().task_id().value()), call.acknowledge().uuid()};
    case Call::RECONCILE:
      if (!call.has_reconcile()) return missing("reconcile");
      return decode_reconcile(call.reconcile());
    case Call::RECONCILE_OPERATIONS:
      if (!call.has_reconcile_operations()) return missing("reconcile_operations");
      return decode_operations(call.reconcile_operations());
    case Call::MESSAGE:
      if (!call.has_message()) return missing("message");
      return calls::Message{AgentId(call.message().agent_id().value()),
                            ExecutorId(call.message().executor_id().value()), call.message().data()};
    case Call::REQUEST:
      if (!call.has_request()) return missing("request");
      return calls::Request{};
    case Call::UPDATE_FRAMEWORK:
      if (!call.has_update_framework()) return missing("update_framework");
      if (call.update_framework().framework_info().id().value() != framework.str())
        return invalid("'framework_id' differs from 'update_framework.framework_info.id'");
      return calls::UpdateFramework{describe(call.update_framework().framework_info()),
                                    set_of(call.update_framework().suppressed_roles())};
    case Call::ACCEPT_INVERSE_OFFERS:
    case Call::DECLINE_INVERSE_OFFERS:
    case Call::ACKNOWLEDGE_OPERATION_STATUS: return calls::Ignored{};
    default: return missing("type");
  }
}

/// The fields of `message` that it must have and has not: "subscribe.framework_info.user, …".
std::string missing_fields(const google::protobuf::Message& message) { return message.InitializationErrorString(); }

}  // namespace

Duration refuse_duration(bool given, double wanted) {
  if (!given || !std::isfinite(wanted) || wanted < 0) return limits::refuse_default;
  return wanted > seconds(limits::refuse_max) ? limits::refuse_max : from_seconds(wanted);
}

Accepted<master::Input> decode_scheduler_call(const std::string& body, const std::optional<std::string>& stream,
                                              master::CallId call_id) {
  Call call;
  if (!call.ParsePartialFromString(body)) return refuse("Failed to parse body into Call protobuf");
  if (!call.IsInitialized())
    return refuse("Failed to parse body into Call protobuf: Missing required fields: " + missing_fields(call));
  if (!call.has_type()) return missing("type");

  if (call.type() == Call::SUBSCRIBE) {
    if (!call.has_subscribe()) return missing("subscribe");
    const auto& info = call.subscribe().framework_info();
    if (call.framework_id().value() != info.id().value())
      return invalid("'framework_id' differs from 'subscribe.framework_info.id'");
    if (stream) return refuse("Subscribe calls should not include the 'Mesos-Stream-Id' header");
    if (call.subscribe().has_offer_constraints()) return refuse("Offer constraints are not supported yet");
    return master::Subscribe{call_id, describe(info), set_of(call.subscribe().suppressed_roles())};
  }

  if (!call.has_framework_id()) return missing("framework_id");
  const FrameworkId framework(call.framework_id().value());
  auto decoded = decode_body(call, framework);
  if (!decoded) return tl::unexpected(decoded.error());
  std::optional<StreamId> stream_id;
  if (stream) stream_id = StreamId(*stream);
  return master::SchedulerCall{call_id, framework, std::move(stream_id), std::move(*decoded)};
}

}  // namespace banyan::codec
