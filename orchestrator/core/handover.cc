#include "orchestrator/core/handover.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <set>
#include <utility>

#include "runtime/base/fnv.h"
#include "specs/change.h"
#include "specs/names.h"
#include "specs/node_json.h"
#include "specs/template.h"
#include "specs/uri.h"

namespace banyan::root {
namespace {

using google::protobuf::RepeatedPtrField;

/// What the executor itself needs, beside its child's.
constexpr std::int64_t executor_cpus_milli = 10;
constexpr std::int64_t executor_mem_bytes = 32 << 20;

std::string bytes_of(const google::protobuf::MessageLite& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

std::string render(const specs::Text& text, const specs::View& view) {
  // validate() has checked the names; what cannot be rendered goes as it is, visible in the child's command line.
  return specs::render_template(text.text, view).value_or(text.text);
}

specs::View view_of(const Handover& handover) {
  specs::View view;
  for (const auto& dependency : handover.dependencies())
    for (const auto& endpoint : dependency.endpoints())
      view.endpoints[dependency.node() + ".endpoints." + endpoint.name()] = {endpoint.addresses().begin(),
                                                                             endpoint.addresses().end()};
  return view;
}

void add_resources(RepeatedPtrField<mesos::v1::Resource>& resources, std::int64_t cpus_milli, std::int64_t mem_bytes) {
  const std::pair<const char*, double> scalars[] = {{"cpus", static_cast<double>(cpus_milli) / 1000},
                                                    {"mem", static_cast<double>(mem_bytes) / (1 << 20)}};
  for (const auto& [kind, value] : scalars) {
    auto* resource = resources.Add();
    resource->set_name(kind);
    resource->set_type(mesos::v1::Value::SCALAR);
    resource->mutable_scalar()->set_value(value);
    resource->mutable_allocation_info()->set_role(root_framework);
  }
}

/// A label with the sha256 of a file of the sandbox: the agent checks it.
void add_digest(const std::string& output, const std::string& sha256, mesos::v1::ExecutorInfo& executor) {
  auto* label = executor.mutable_labels()->add_labels();
  label->set_key("sha256:" + output);
  label->set_value(sha256);
}

void add_program(const Program& program, mesos::v1::ExecutorInfo& executor) {
  auto* uri = executor.mutable_command()->add_uris();
  uri->set_value(program.url);
  uri->set_executable(true);
  uri->set_extract(false);
  uri->set_cache(true);
  uri->set_output_file(program.name);
  add_digest(program.name, program.sha256, executor);
}

void add_uri(const Setup& setup, const specs::Uri& uri, mesos::v1::ExecutorInfo& executor) {
  const auto& named = uri.value.text;
  const bool served = specs::is_relative(named) && uri.local_sha256;
  const auto path = specs::local_path(named);
  const auto output = uri.output.value_or(specs::file_name(named));
  auto* wire = executor.mutable_command()->add_uris();
  wire->set_value(served ? setup.artifacts + *uri.local_sha256 : path.value_or(named));
  wire->set_executable(uri.executable);
  wire->set_extract(uri.extract);
  wire->set_cache(uri.cache && (served || !path));  // a host's own file is copied as it is at each launch
  wire->set_output_file(output);
  if (served) add_digest(output, *uri.local_sha256, executor);
  else if (uri.sha256) add_digest(output, *uri.sha256, executor);
}

/// The local files of a node's servers, for their scheduler: where each is served.
void add_artifacts(const Setup& setup, const specs::Node& node, Handover& handover) {
  std::set<std::string> named;
  for (const auto& server : node.servers)
    for (const auto& uri : server.uris) {
      if (!specs::is_relative(uri.value.text) || !uri.local_sha256 || !named.insert(uri.value.text).second) continue;
      auto* artifact = handover.add_artifacts();
      artifact->set_name(uri.value.text);
      artifact->set_url(setup.artifacts + *uri.local_sha256);
      artifact->set_sha256(*uri.local_sha256);
    }
}

/// A command as it is executed.
std::vector<std::string> words_of(const specs::Command& command, const specs::View& view) {
  if (command.shell) return {"/bin/sh", "-c", render(*command.shell, view)};
  std::vector<std::string> words;
  for (const auto& word : command.argv) words.push_back(render(word, view));
  return words;
}

}  // namespace

Handover build_handover(const Setup& setup, const std::string& stack, const specs::Node& node, const NodeRecord& record,
                        std::vector<Dependency> dependencies) {
  Handover handover;
  handover.set_version(0);
  handover.set_stack(stack);
  handover.set_node(node.name);
  handover.set_framework_id(specs::framework_id(stack, node.name, record.incarnation()));
  handover.set_role(specs::role(stack, node.name));
  for (const auto& master : setup.masters) handover.add_masters(master);
  for (auto& dependency : dependencies) *handover.add_dependencies() = std::move(dependency);
  handover.set_config(specs::to_json(node));  // with the templates' text: load() has read the files
  handover.set_store(setup.nodes_folder + "/" + stack + "." + node.name);
  add_artifacts(setup, node, handover);
  for (const auto& [server, count] : record.server_restarts()) (*handover.mutable_restarts())[server] = count;
  if (const auto& user = node.user.empty() ? setup.task_user : node.user; !user.empty()) handover.set_user(user);
  return handover;
}

std::string target_of(const specs::Node& node, const NodeRecord& record) {
  Fnv hash;
  hash.add(specs::hash(node));
  for (const auto& [server, count] :
       std::map<std::string, std::uint64_t>(record.server_restarts().begin(), record.server_restarts().end()))
    hash.add(server).add(std::to_string(count));
  return hash.hex();
}

std::string content_hash(const Handover& handover) {
  Handover content = handover;
  content.set_version(0);
  return Fnv().add(bytes_of(content)).hex();
}

ChildCommand child_command(const specs::Node& node, const Handover& handover) {
  ChildCommand command;
  const auto view = view_of(handover);
  if (node.scheduler.service) command.add_argv("./banyan-service-scheduler");
  else
    for (auto& word : words_of(node.scheduler.command, view)) command.add_argv(std::move(word));
  for (const auto& [key, value] : node.scheduler.env) (*command.mutable_environment())[key] = render(value, view);
  if (node.scheduler.signal_on_change != 0) command.set_signal_on_change(node.scheduler.signal_on_change);
  const auto& readiness = node.scheduler.readiness;
  if (readiness.kind == specs::SchedulerReadiness::Kind::alive) return command;
  auto& asked = *command.mutable_readiness();
  for (auto& word : words_of(readiness.command, view)) asked.add_argv(std::move(word));
  asked.set_interval_ms(static_cast<std::uint64_t>(milliseconds(readiness.interval)));
  asked.set_timeout_ms(static_cast<std::uint64_t>(milliseconds(readiness.timeout)));
  asked.set_hold_for_ms(static_cast<std::uint64_t>(milliseconds(readiness.hold_for)));
  return command;
}

std::string child_task_id(const std::string& stack, const std::string& node, std::uint64_t attempt) {
  return stack + "." + node + ".scheduler." + std::to_string(attempt);
}

Need child_need(const specs::Node& node) {
  return {node.scheduler.resources.cpus_milli + executor_cpus_milli,
          node.scheduler.resources.mem_bytes + executor_mem_bytes};
}

mesos::v1::TaskInfo child_task(const Setup& setup, const Node& launched, const std::string& agent_id) {
  const specs::Node& node = *launched.spec;
  const NodeRecord& record = launched.record;
  const Handover& handover = *launched.handover;
  const std::string full_name = launched.stack->name() + "." + node.name;
  mesos::v1::TaskInfo task;
  task.set_name(full_name + " scheduler");
  task.mutable_task_id()->set_value(record.task_id());
  task.mutable_agent_id()->set_value(agent_id);
  add_resources(*task.mutable_resources(), node.scheduler.resources.cpus_milli, node.scheduler.resources.mem_bytes);

  auto& executor = *task.mutable_executor();
  executor.mutable_executor_id()->set_value(record.task_id());
  executor.mutable_framework_id()->set_value(root_framework);
  executor.set_type(mesos::v1::ExecutorInfo::CUSTOM);
  executor.set_name("scheduler of " + full_name);
  add_resources(*executor.mutable_resources(), executor_cpus_milli, executor_mem_bytes);
  auto& command = *executor.mutable_command();
  command.set_shell(false);
  command.set_value("./" + setup.executor.name);
  command.add_arguments(setup.executor.name);
  if (const auto& user = handover.user(); !user.empty()) command.set_user(user);  // whose its folder is
  add_program(setup.executor, executor);
  if (node.scheduler.service) add_program(setup.service_scheduler, executor);
  for (const auto& uri : node.scheduler.uris) add_uri(setup, uri, executor);

  ToExecutor words;
  *words.mutable_handover() = handover;
  *words.mutable_command() = child_command(node, handover);
  words.set_restart_number(record.scheduler_restarts());
  task.set_data(bytes_of(words));
  return task;
}

bool merge_endpoints(const std::string& stack, const std::string& node, const RepeatedPtrField<banyan::Endpoint>& said,
                     NodeRecord& record) {
  bool changed = false;
  for (const auto& endpoint : said) {
    if (endpoint.addresses().empty()) continue;
    banyan::Endpoint wanted = endpoint;
    if (!wanted.has_service_name()) wanted.set_service_name(specs::service_name(stack, node, endpoint.name()));
    banyan::Endpoint* known = nullptr;
    for (auto& e : *record.mutable_endpoints())
      if (e.name() == endpoint.name()) known = &e;
    if (known == nullptr) known = record.add_endpoints();
    else if (bytes_of(*known) == bytes_of(wanted)) continue;
    *known = wanted;
    changed = true;
  }
  return changed;
}

}  // namespace banyan::root
