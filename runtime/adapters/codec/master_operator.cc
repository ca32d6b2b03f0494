#include "runtime/adapters/codec/master_operator.h"

#include "runtime/adapters/codec/master_descriptions.h"
#include "runtime/adapters/codec/master_state.h"
#include "runtime/adapters/codec/resources.h"

namespace banyan::codec {
namespace {

using mesos::v1::master::Call;
using mesos::v1::master::Response;

tl::unexpected<Refusal> refuse(unsigned status, std::string text) {
  return tl::unexpected(Refusal{status, std::move(text)});
}
tl::unexpected<Refusal> missing(const std::string& field) {
  return refuse(400, "Failed to validate master::Call: Expecting '" + field + "' to be present");
}

Response get_version() {
  Response response;
  response.set_type(Response::GET_VERSION);
  response.mutable_get_version()->mutable_version_info()->set_version(mesos_version);
  return response;
}

Response get_master(const master::State& state, const MasterFacts& master) {
  Response response;
  response.set_type(Response::GET_MASTER);
  auto* out = response.mutable_get_master();
  *out->mutable_master_info() = encode(master);
  out->set_start_time(seconds(state.started.time_since_epoch()));
  out->set_elected_time(seconds(state.started.time_since_epoch()));
  return response;
}

Response get_state(const master::State& state) {
  Response response;
  response.set_type(Response::GET_STATE);
  *response.mutable_get_state()->mutable_get_tasks() = show_tasks(state);
  *response.mutable_get_state()->mutable_get_executors() = show_executors(state);
  *response.mutable_get_state()->mutable_get_frameworks() = show_frameworks(state);
  *response.mutable_get_state()->mutable_get_agents() = show_agents(state);
  return response;
}

/// What the reading calls answer; nothing for the others.
std::optional<Response> read(Call::Type type, const master::State& state, const MasterFacts& master) {
  Response response;
  switch (type) {
    case Call::GET_HEALTH:
      response.set_type(Response::GET_HEALTH);
      response.mutable_get_health()->set_healthy(true);
      return response;
    case Call::GET_VERSION: return get_version();
    case Call::GET_MASTER: return get_master(state, master);
    case Call::GET_STATE: return get_state(state);
    case Call::GET_AGENTS:
      response.set_type(Response::GET_AGENTS);
      *response.mutable_get_agents() = show_agents(state);
      return response;
    case Call::GET_FRAMEWORKS:
      response.set_type(Response::GET_FRAMEWORKS);
      *response.mutable_get_frameworks() = show_frameworks(state);
      return response;
    case Call::GET_TASKS:
      response.set_type(Response::GET_TASKS);
      *response.mutable_get_tasks() = show_tasks(state);
      return response;
    case Call::GET_EXECUTORS:
      response.set_type(Response::GET_EXECUTORS);
      *response.mutable_get_executors() = show_executors(state);
      return response;
    case Call::GET_ROLES:
      response.set_type(Response::GET_ROLES);
      *response.mutable_get_roles() = show_roles(state);
      return response;
    case Call::GET_METRICS:
      response.set_type(Response::GET_METRICS);
      *response.mutable_get_metrics() = show_metrics(state);
      return response;
    default: return std::nullopt;
  }
}

using ResourceList = google::protobuf::RepeatedPtrField<mesos::v1::Resource>;

Accepted<OperatorResult> convert(master::CallId call, const mesos::v1::AgentID& agent, master::Conversion::Kind kind,
                                 const ResourceList& messages) {
  auto resources = decode(messages);
  if (!resources) return refuse(400, resources.error().message);
  return master::Input(master::OperatorConvert{call, AgentId(agent.value()), {kind, resources->without_allocation()}});
}

Accepted<OperatorResult> resize(master::CallId call, const mesos::v1::AgentID& agent, master::Conversion::Kind kind,
                                const mesos::v1::Resource& volume, const mesos::v1::Resource& piece) {
  auto conversion = decode_resize(kind, volume, piece);
  if (!conversion) return refuse(400, conversion.error().message);
  return master::Input(master::OperatorConvert{call, AgentId(agent.value()), std::move(*conversion)});
}

}  // namespace

Accepted<OperatorResult> operator_call(const std::string& body, const master::State& state, const MasterFacts& master,
                                       master::CallId call_id) {
  using Kind = master::Conversion::Kind;
  Call call;
  if (!call.ParsePartialFromString(body)) return refuse(400, "Failed to parse body into Call protobuf");
  if (!call.IsInitialized())
    return refuse(
        400, "Failed to parse body into Call protobuf: Missing required fields: " + call.InitializationErrorString());
  if (!call.has_type()) return missing("type");
  if (auto response = read(call.type(), state, master)) return OperatorResult(std::move(*response));
  switch (call.type()) {
    case Call::TEARDOWN:
      if (!call.has_teardown()) return missing("teardown");
      return master::Input(master::OperatorTeardown{call_id, FrameworkId(call.teardown().framework_id().value())});
    case Call::RESERVE_RESOURCES:
      if (!call.has_reserve_resources()) return missing("reserve_resources");
      if (call.reserve_resources().source_size() > 0)
        return refuse(501, "RESERVE_RESOURCES with 'source' is not supported yet");
      return convert(call_id, call.reserve_resources().agent_id(), Kind::reserve, call.reserve_resources().resources());
    case Call::UNRESERVE_RESOURCES:
      if (!call.has_unreserve_resources()) return missing("unreserve_resources");
      return convert(call_id, call.unreserve_resources().agent_id(), Kind::unreserve,
                     call.unreserve_resources().resources());
    case Call::CREATE_VOLUMES:
      if (!call.has_create_volumes()) return missing("create_volumes");
      return convert(call_id, call.create_volumes().agent_id(), Kind::create, call.create_volumes().volumes());
    case Call::DESTROY_VOLUMES:
      if (!call.has_destroy_volumes()) return missing("destroy_volumes");
      return convert(call_id, call.destroy_volumes().agent_id(), Kind::destroy, call.destroy_volumes().volumes());
    case Call::GROW_VOLUME:
      if (!call.has_grow_volume()) return missing("grow_volume");
      return resize(call_id, call.grow_volume().agent_id(), Kind::grow, call.grow_volume().volume(),
                    call.grow_volume().addition());
    case Call::SHRINK_VOLUME:
      if (!call.has_shrink_volume()) return missing("shrink_volume");
      return resize(call_id, call.shrink_volume().agent_id(), Kind::shrink, call.shrink_volume().volume(),
                    plain_piece(call.shrink_volume().volume(), call.shrink_volume().subtract()));
    default: return refuse(501, Call::Type_Name(call.type()) + " is not supported yet");
  }
}

}  // namespace banyan::codec
