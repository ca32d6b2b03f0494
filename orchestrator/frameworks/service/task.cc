#include "orchestrator/frameworks/service/task.h"

#include <algorithm>

#include "orchestrator/frameworks/service/claims.h"
#include "runtime/base/fnv.h"
#include "specs/uri.h"

namespace banyan::service {

namespace {

using specs::View;

constexpr const char* blind_address = "0.0.0.0:0";

/// The whole path of a volume on its agent; where the agent does not say where volumes lie, its place in the sandbox.
std::string whole_path(const std::string& role, const Instance& instance, const std::string& name,
                       const specs::VolumeSpec& volume) {
  if (volume.host_path) return volume.host_path->text;
  const auto& folder = instance.record.place.volumes;
  return folder.empty() ? volume_path(name, volume) : folder + "/" + role + "/" + persistence_id(instance.name, name);
}

specs::InstanceView instance_view(const std::string& role, const specs::Server& server, const Instance& instance) {
  specs::InstanceView view;
  view.index = instance.index;
  view.name = instance.name;
  view.host = instance.record.place.host;
  view.ports = ports_of(server, instance.record.place);
  for (const auto& [name, volume] : server.volumes) view.volumes[name] = whole_path(role, instance, name, volume);
  return view;
}

v1::Label label(const std::string& key, const std::string& value) {
  v1::Label l;
  l.set_key(key);
  l.set_value(value);
  return l;
}

/// Renders one text after the other; the first error stays.
class Renderer {
 public:
  explicit Renderer(const View& view) : view_(view) {}

  std::string operator()(const std::string& text, const std::string& what) {
    auto rendered = specs::render_template(text, view_);
    if (rendered) return std::move(*rendered);
    if (error_.empty()) error_ = what + ": " + rendered.error().message;
    return "";
  }
  [[nodiscard]] const std::string& error_text() const { return error_; }

 private:
  const View& view_;
  std::string error_;
};

v1::CommandInfo command_info(Renderer& text, const specs::Command& command, const std::string& what) {
  v1::CommandInfo info;
  if (command.shell) {
    info.set_shell(true);
    info.set_value(text(command.shell->text, what));
    return info;
  }
  info.set_shell(false);
  for (const auto& word : command.argv) info.add_arguments(text(word.text, what));
  if (info.arguments_size() > 0) info.set_value(info.arguments(0));
  return info;
}

void add_uri(RenderedTask& task, Renderer& text, const specs::Uri& uri, const Handover& handover) {
  auto* out = task.command.add_uris();
  const std::string named = text(uri.value.text, "uris");
  const auto path = specs::local_path(named);
  const std::string output = uri.output.value_or(specs::file_name(named));
  std::string sha256 = uri.sha256.value_or("");
  const auto artifact = std::find_if(handover.artifacts().begin(), handover.artifacts().end(),
                                     [&](const auto& a) { return a.name() == named; });
  const bool served = artifact != handover.artifacts().end();
  if (served) sha256 = artifact->sha256();
  out->set_value(served ? artifact->url() : path.value_or(named));
  out->set_extract(uri.extract);
  out->set_executable(uri.executable);
  out->set_cache(uri.cache && (served || !path));  // a host's own file is copied as it is at each launch
  out->set_output_file(output);
  if (!sha256.empty()) task.digests.push_back(label("sha256:" + output, sha256));
}

Result<std::string> template_of(const specs::File& file, const Handover& handover) {
  if (file.content) return file.content->text;
  const auto found = handover.files().find(file.source.value_or(""));
  if (found == handover.files().end()) return error("files: " + file.source.value_or("?") + " was not handed over");
  return found->second;
}

std::optional<v1::CheckInfo> check_of(Renderer& text, const specs::Server& server) {
  for (const auto& readiness : server.readiness) {
    const auto* exec = std::get_if<specs::ExecProbe>(&readiness.probe);
    if (exec == nullptr) continue;
    v1::CheckInfo check;
    check.set_type(v1::CheckInfo::COMMAND);
    *check.mutable_command()->mutable_command() = command_info(text, exec->command, "readiness");
    check.set_delay_seconds(seconds(readiness.start_period));
    check.set_interval_seconds(seconds(readiness.interval));
    check.set_timeout_seconds(seconds(readiness.timeout));
    return check;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> addresses_of(const specs::Node& node, const std::vector<Instance>& all,
                                      const specs::EndpointSpec& endpoint) {
  std::vector<std::string> addresses;
  for (const auto& instance : all) {
    if (node.servers[instance.server].name != endpoint.server) continue;
    const auto& place = instance.record.place;
    const auto ports = ports_of(node.servers[instance.server], place);
    const auto port = ports.find(endpoint.port);
    if (port == ports.end()) return {};
    addresses.push_back(place.host + ":" + std::to_string(port->second));
  }
  return addresses;
}

specs::View view_of(const specs::Node& node, const Handover& handover, const std::vector<Instance>& all,
                    const Instance& instance, bool blind, Peers peers) {
  View view;
  const auto& server = node.servers[instance.server];
  view.instance = instance_view(handover.role(), server, instance);
  for (const auto& peer : all)
    if (peer.server == instance.server && (peers == Peers::all || !peer.record.place.host.empty()))
      view.peers.push_back(instance_view(handover.role(), server, peer));
  for (const auto& dependency : handover.dependencies())
    for (const auto& endpoint : dependency.endpoints()) {
      auto& addresses = view.endpoints[dependency.node() + ".endpoints." + endpoint.name()];
      if (blind) addresses = {blind_address};
      else addresses.assign(endpoint.addresses().begin(), endpoint.addresses().end());
    }
  for (const auto& [name, endpoint] : node.endpoints)
    view.endpoints[node.name + ".endpoints." + name] = addresses_of(node, all, endpoint);
  return view;
}

Result<RenderedTask> render(const specs::Node& node, const specs::Server& server, const Handover& handover,
                            const View& view) {
  RenderedTask task;
  Renderer text(view);
  task.command = command_info(text, server.command, "command");
  for (const auto& [name, value] : server.env) {
    auto* variable = task.command.mutable_environment()->add_variables();
    variable->set_name(name);
    variable->set_value(text(value.text, "env " + name));
  }
  const std::string& user = !server.user.empty() ? server.user : !node.user.empty() ? node.user : handover.user();
  if (!user.empty()) task.command.set_user(user);
  for (const auto& uri : server.uris) add_uri(task, text, uri, handover);
  for (const auto& file : server.files) {
    const auto content = template_of(file, handover);
    if (!content) return tl::unexpected(content.error());
    task.files.push_back({file.target, file.mode, text(*content, "files " + file.target)});
  }
  for (const auto& [name, volume] : server.volumes) {
    if (!volume.host_path) continue;
    v1::Volume v;
    v.set_container_path(volume_path(name, volume));
    v.set_host_path(text(volume.host_path->text, "volumes " + name));
    v.set_mode(v1::Volume::RW);
    task.host_volumes.push_back(std::move(v));
  }
  task.check = check_of(text, server);
  if (!text.error_text().empty()) return error(text.error_text());
  return task;
}

std::string fingerprint(const RenderedTask& task, const specs::Server& server, const Place& place,
                        const std::string& spec_hash) {
  Fnv hash;
  hash.add(task.command.SerializeAsString());  // no maps inside, so equal messages give equal bytes
  for (const auto& digest : task.digests) hash.add(digest.SerializeAsString());
  for (const auto& uri : server.uris)
    if (uri.local_sha256) hash.add(*uri.local_sha256);
  for (const auto& file : task.files) hash.add(file.target).add(std::to_string(file.mode)).add(file.content);
  for (const auto& volume : task.host_volumes) hash.add(volume.SerializeAsString());
  if (spec_hash.empty() && task.check) hash.add(task.check->SerializeAsString());
  for (const auto amount : {server.resources.cpus_milli, server.resources.mem_bytes, server.resources.disk_bytes})
    hash.add(std::to_string(amount));
  for (const auto& [name, number] : place.ports) hash.add(name + "=" + std::to_string(number));
  for (const auto& claim : claims_of(server))
    if (claim.volume) hash.add(claim.key + "=" + claim.path);
  if (!spec_hash.empty()) hash.add(spec_hash);
  return hash.hex();
}

std::map<std::string, std::string> addresses_in(const specs::Node& node, const specs::Server& server,
                                                const Handover& handover, const specs::View& view,
                                                const RenderedTask& rendered) {
  std::map<std::string, std::string> found;
  const auto bytes = [](const RenderedTask& task) {
    std::string all = task.command.SerializeAsString();
    for (const auto& file : task.files) all += file.content;
    return all;
  };
  for (const auto& [name, addresses] : addresses_of(handover)) {
    auto without = view;
    without.endpoints[name] = {blind_address};
    const auto other = render(node, server, handover, without);
    if (!other || bytes(*other) != bytes(rendered)) found[name] = addresses;
  }
  return found;
}

std::map<std::string, std::string> addresses_of(const Handover& handover) {
  std::map<std::string, std::string> all;
  for (const auto& dependency : handover.dependencies())
    for (const auto& endpoint : dependency.endpoints()) {
      auto& text = all[dependency.node() + ".endpoints." + endpoint.name()];
      for (const auto& address : endpoint.addresses()) text += (text.empty() ? "" : ",") + address;
    }
  return all;
}

std::string task_id(const Handover& handover, const std::string& instance, std::uint32_t attempt) {
  return handover.stack() + "." + handover.node() + "." + instance + "." + std::to_string(attempt);
}

v1::TaskInfo task_info(const Handover& handover, const specs::Node& node, const specs::Server& server,
                       const Instance& instance, const RenderedTask& rendered,
                       const std::vector<v1::Resource>& resources) {
  v1::TaskInfo task;
  task.set_name(instance.name);
  task.mutable_task_id()->set_value(instance.record.task);
  task.mutable_agent_id()->set_value(instance.record.place.agent);
  for (const auto& resource : resources) *task.add_resources() = resource;
  *task.mutable_command() = rendered.command;
  if (rendered.check) *task.mutable_check() = *rendered.check;
  task.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(server.stop.grace.count());
  if (!rendered.host_volumes.empty()) {
    task.mutable_container()->set_type(v1::ContainerInfo::MESOS);
    for (const auto& volume : rendered.host_volumes) *task.mutable_container()->add_volumes() = volume;
  }
  auto* labels = task.mutable_labels();
  for (const auto& digest : rendered.digests) *labels->add_labels() = digest;
  *labels->add_labels() = label("banyan.node", node.name);
  *labels->add_labels() = label("banyan.instance", instance.name);
  auto* discovery = task.mutable_discovery();
  discovery->set_visibility(v1::DiscoveryInfo::CLUSTER);
  discovery->set_name(server.name);
  discovery->set_environment(handover.stack());
  discovery->set_location(node.name);
  for (const auto& [name, number] : ports_of(server, instance.record.place)) {
    const auto declared = server.ports.find(name);
    auto* port = discovery->mutable_ports()->add_ports();
    port->set_number(number);
    port->set_name(name);
    port->set_protocol(declared != server.ports.end() && declared->second.protocol == specs::Transport::udp ? "udp"
                                                                                                            : "tcp");
  }
  return task;
}

void add_file(v1::TaskInfo& task, const RenderedFile& file, const std::string& url, const std::string& sha256) {
  auto* uri = task.mutable_command()->add_uris();
  uri->set_value(url);
  uri->set_executable((file.mode & 0111) != 0);
  uri->set_extract(false);
  uri->set_cache(false);
  uri->set_output_file(file.target);
  *task.mutable_labels()->add_labels() = label("sha256:" + file.target, sha256);
}

}  // namespace banyan::service
