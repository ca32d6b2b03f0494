#include "runtime/bin/agent/plans.h"

#include <set>

#include "runtime/adapters/codec/agent_words.h"
#include "runtime/adapters/codec/resources.h"
#include "runtime/base/limits.h"

namespace banyan::agent {
namespace {

namespace v1 = mesos::v1;
using Environment = std::map<std::string, std::string>;

constexpr char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Of a program and its surroundings nothing is inherited from the agent.
Environment base_environment(const LaunchContainer& l, const std::string& sandbox, const Surroundings& s) {
  const auto framework = codec::parse<v1::FrameworkInfo>(l.framework_info);
  Environment env{{"PATH", default_path},
                  {"HOME", sandbox},
                  {"MESOS_FRAMEWORK_ID", l.framework.str()},
                  {"MESOS_EXECUTOR_ID", l.executor.str()},
                  {"MESOS_SLAVE_ID", l.agent.str()},
                  {"MESOS_SLAVE_PID", "slave(1)@" + s.endpoint},
                  {"MESOS_AGENT_ENDPOINT", s.endpoint},
                  {"MESOS_DIRECTORY", sandbox},
                  {"MESOS_SANDBOX", sandbox},
                  {"MESOS_CHECKPOINT", framework.checkpoint() ? "1" : "0"},
                  {"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "5secs"},
                  {"MESOS_HTTP_COMMAND_EXECUTOR", "1"},
                  {"LIBPROCESS_PORT", "0"}};
  if (!s.domain_socket.empty()) env["MESOS_DOMAIN_SOCKET"] = s.domain_socket;
  if (framework.checkpoint()) {
    env["MESOS_RECOVERY_TIMEOUT"] = s.recovery_timeout;
    env["MESOS_SUBSCRIPTION_BACKOFF_MAX"] = "2secs";
  }
  return env;
}

void add(const v1::Environment& from, Environment& to) {
  for (const auto& variable : from.variables())
    to[variable.name()] =
        variable.type() == v1::Environment::Variable::SECRET ? variable.secret().value().data() : variable.value();
}

posix::Command command_of(const v1::CommandInfo& info, Environment environment) {
  posix::Command command;
  add(info.environment(), environment);
  command.environment = std::move(environment);
  if (info.shell()) {
    command.program = "/bin/sh";
    command.arguments = {"sh", "-c", info.value()};
    return command;
  }
  command.program = info.value();
  command.arguments.assign(info.arguments().begin(), info.arguments().end());
  return command;
}

/// The digest of a URI travels as a label that names its file, so that other agents can ignore it.
std::vector<posix::Fetch> fetches_of(const v1::CommandInfo& info, const v1::Labels& labels) {
  std::vector<posix::Fetch> fetches;
  for (const auto& uri : info.uris()) {
    posix::Fetch fetch;
    fetch.uri = uri.value();
    fetch.output_file = uri.output_file();
    fetch.executable = uri.executable();
    fetch.extract = uri.extract();
    fetch.cache = uri.cache();
    const std::string name = uri.has_output_file() ? uri.output_file() : uri.value().substr(uri.value().rfind('/') + 1);
    for (const auto& label : labels.labels())
      if (label.key() == "sha256:" + name) fetch.sha256 = label.value();
    fetches.push_back(std::move(fetch));
  }
  return fetches;
}

void add_volumes(const google::protobuf::RepeatedPtrField<v1::Resource>& resources, const posix::Layout& layout,
                 std::vector<posix::VolumeLink>& volumes) {
  for (const auto& message : resources) {
    if (!message.disk().has_persistence() || !message.disk().has_volume()) continue;
    const auto resource = codec::decode(message);
    if (!resource) continue;
    volumes.push_back({message.disk().volume().container_path(),
                       layout.volume(resource->identity.role(), message.disk().persistence().id()), true});
  }
}

void add_volumes(const v1::ContainerInfo& container, std::vector<posix::VolumeLink>& volumes) {
  for (const auto& volume : container.volumes()) {
    const std::string& path = volume.has_source() ? volume.source().host_path().path() : volume.host_path();
    volumes.push_back({volume.container_path(), path, false});
  }
}

std::vector<posix::VolumeLink> volumes_of(const v1::TaskInfo& task, const posix::Layout& layout) {
  std::vector<posix::VolumeLink> volumes;
  add_volumes(task.executor().resources(), layout, volumes);
  add_volumes(task.executor().container(), volumes);
  add_volumes(task.resources(), layout, volumes);
  add_volumes(task.container(), volumes);
  return volumes;
}

/// What was taken from the offer, and fixed ports that no offer held: the task says them in its DiscoveryInfo. Of more
/// than the shim looks at, none.
std::vector<std::uint16_t> ports_of(const v1::TaskInfo& task) {
  std::set<std::uint16_t> ports;
  for (const auto& resource : task.resources()) {
    if (resource.name() != "ports") continue;
    for (const auto& range : resource.ranges().range())
      for (auto port = range.begin(); port <= range.end() && port <= 65535; ++port)
        if (port > 0) ports.insert(static_cast<std::uint16_t>(port));
  }
  for (const auto& port : task.discovery().ports().ports())
    if (port.number() > 0 && port.number() <= 65535) ports.insert(static_cast<std::uint16_t>(port.number()));
  if (ports.size() > posix::ports_watched_max) return {};
  return {ports.begin(), ports.end()};
}

std::string role_of(const v1::TaskInfo& task) {
  for (const auto& resource : task.resources())
    if (resource.allocation_info().has_role()) return resource.allocation_info().role();
  return {};
}

}  // namespace

posix::ContainerPlan plan_container(const LaunchContainer& l, const posix::Layout& layout,
                                    const Surroundings& surroundings) {
  const auto task = codec::parse<v1::TaskInfo>(l.task_info);
  const bool custom = !l.executor_info.empty();
  const auto executor = codec::parse<v1::ExecutorInfo>(l.executor_info);
  const v1::CommandInfo& command = custom ? executor.command() : task.command();
  posix::ContainerPlan plan;
  plan.id = l.container;
  plan.sandbox = layout.sandbox(l.agent, l.framework, l.executor, l.container);
  plan.command_user = command.user();
  plan.framework_user = codec::parse<v1::FrameworkInfo>(l.framework_info).user();
  Environment environment = base_environment(l, plan.sandbox, surroundings);
  if (const std::string role = role_of(task); !custom && !role.empty()) environment["MESOS_ALLOCATION_ROLE"] = role;
  plan.command = command_of(command, std::move(environment));
  plan.fetches = fetches_of(command, custom ? executor.labels() : task.labels());
  plan.volumes = volumes_of(task, layout);
  if (!custom) plan.ports = ports_of(task);
  return plan;
}

posix::ContainerPlan plan_check(const RunCheck& check, const Run& run, const posix::Layout& layout,
                                const Surroundings& surroundings) {
  LaunchContainer launch{run.id, run.agent, run.framework, run.executor, check.framework_info, check.task_info, {}};
  posix::ContainerPlan plan = plan_container(launch, layout, surroundings);
  const auto task = codec::parse<v1::TaskInfo>(check.task_info);
  plan.command = command_of(task.check().command().command(), plan.command.environment);
  return plan;
}

posix::ContainerPlan plan_volumes(const LinkVolumes& link, const Run& run, const std::string& framework_info,
                                  const posix::Layout& layout) {
  const auto task = codec::parse<v1::TaskInfo>(link.task_info);
  posix::ContainerPlan plan;
  plan.id = run.id;
  plan.sandbox = layout.sandbox(run.agent, run.framework, run.executor, run.id);
  plan.command_user = task.executor().command().user();
  plan.framework_user = codec::parse<v1::FrameworkInfo>(framework_info).user();
  add_volumes(task.resources(), layout, plan.volumes);
  add_volumes(task.container(), plan.volumes);
  return plan;
}

}  // namespace banyan::agent
