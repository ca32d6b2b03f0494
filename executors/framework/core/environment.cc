#include "executors/framework/core/environment.h"

#include "specs/names.h"

namespace banyan::framework_executor {
namespace {

template <class Strings>
std::string comma_list(const Strings& strings) {
  std::string text;
  for (const auto& s : strings) text += (text.empty() ? "" : ",") + s;
  return text;
}

bool ours_alone(const std::string& name) { return name.starts_with("MESOS_") || name.starts_with("LIBPROCESS_"); }

}  // namespace

Environment child_environment(const Environment& own, const ChildCommand& command, const Handover& handover,
                              const Places& places) {
  Environment environment;
  for (const auto& [name, value] : own)
    if (!ours_alone(name)) environment[name] = value;
  for (const auto& [name, value] : command.environment()) environment[name] = value;

  environment["BANYAN_SOCKET"] = places.socket;
  environment["BANYAN_HANDOVER"] = places.handover;
  environment["BANYAN_STACK"] = handover.stack();
  environment["BANYAN_NODE"] = handover.node();
  environment["BANYAN_ROLE"] = handover.role();
  environment["BANYAN_FRAMEWORK_ID"] = handover.framework_id();
  environment["BANYAN_MASTER"] = comma_list(handover.masters());
  if (handover.has_store()) environment["BANYAN_STORE"] = handover.store();
  for (const auto& dependency : handover.dependencies())
    for (const auto& endpoint : dependency.endpoints())
      environment[specs::endpoint_variable(dependency.node(), endpoint.name())] = comma_list(endpoint.addresses());

  environment["MESOS_MASTER"] = comma_list(handover.masters());
  environment["MESOS_FRAMEWORK_ID"] = handover.framework_id();
  environment["MESOS_SANDBOX"] = places.sandbox;
  return environment;
}

}  // namespace banyan::framework_executor
