#include "runtime/bin/agent/operator_api.h"

#include "runtime/adapters/codec/agent_words.h"

namespace banyan::agent {
namespace {

namespace v1 = mesos::v1;
using v1::agent::Call;
using v1::agent::Response;

/// Everything an answer may draw on.
struct Subject {
  const Core& core;
  const posix::Browser& browser;
  const v1::AgentInfo& self;
};

v1::Task describe(const Task& task, const AgentId& agent) {
  const auto info = codec::parse<v1::TaskInfo>(task.description.info);
  v1::Task t;
  t.set_name(info.name());
  t.mutable_task_id()->set_value(task.description.id.str());
  t.mutable_framework_id()->set_value(task.framework.str());
  if (task.description.executor) t.mutable_executor_id()->set_value(task.description.executor->id.str());
  t.mutable_agent_id()->set_value(agent.str());
  t.set_state(static_cast<v1::TaskState>(task.last.state));
  *t.mutable_resources() = info.resources();
  if (!task.last.uuid.empty()) *t.add_statuses() = codec::encode_status(task.last, agent);
  if (!task.unacknowledged.empty()) {
    t.set_status_update_state(static_cast<v1::TaskState>(task.unacknowledged.front().state));
    t.set_status_update_uuid(task.unacknowledged.front().uuid);
  }
  if (info.has_labels()) *t.mutable_labels() = info.labels();
  if (info.has_discovery()) *t.mutable_discovery() = info.discovery();
  if (info.has_container()) *t.mutable_container() = info.container();
  if (info.has_kill_policy()) *t.mutable_kill_policy() = info.kill_policy();
  if (info.has_command() && info.command().has_user()) t.set_user(info.command().user());
  return t;
}

void get_tasks(const Subject& s, Response::GetTasks* out) {
  const State& state = s.core.state();
  for (const auto& [key, task] : state.tasks) {
    const bool queued = task.description.executor && !task.delivered;
    auto* list = task.ended() ? out->mutable_terminated_tasks()
                 : queued     ? out->mutable_queued_tasks()
                              : out->mutable_launched_tasks();
    *list->Add() = describe(task, state.agent);
  }
  for (const auto& task : s.core.completed()) *out->add_completed_tasks() = describe(task, state.agent);
}

void get_executors(const Subject& s, Response::GetExecutors* out) {
  for (const auto& [id, run] : s.core.state().runs)
    if (run.custom) *out->add_executors()->mutable_executor_info() = codec::parse<v1::ExecutorInfo>(run.custom->info);
}

void get_frameworks(const Subject& s, Response::GetFrameworks* out) {
  for (const auto& [id, framework] : s.core.state().frameworks)
    if (!framework.info.empty())  // known by more than a kill of a task that never came
      *out->add_frameworks()->mutable_framework_info() = codec::parse<v1::FrameworkInfo>(framework.info);
}

void get_containers(const Subject& s, Response::GetContainers* out) {
  for (const auto& [id, run] : s.core.state().runs) {
    auto* container = out->add_containers();
    container->mutable_framework_id()->set_value(run.framework.str());
    container->mutable_executor_id()->set_value(run.executor.str());
    if (run.custom) container->set_executor_name(codec::parse<v1::ExecutorInfo>(run.custom->info).name());
    container->mutable_container_id()->set_value(id.str());
    container->mutable_container_status()->mutable_container_id()->set_value(id.str());
    if (run.pid > 0) container->mutable_container_status()->set_executor_pid(static_cast<std::uint32_t>(run.pid));
  }
}

http::Response text(unsigned status, std::string body) {
  return {status, {{"content-type", "text/plain"}}, std::move(body)};
}

http::Response message(const Response& response) {
  return {200, {{"content-type", "application/x-protobuf"}}, response.SerializeAsString()};
}

http::Response list_files(const Subject& s, const Call& call) {
  const auto files = s.browser.list(call.list_files().path());
  if (!files) return text(404, files.error().message);
  Response response;
  response.set_type(Response::LIST_FILES);
  for (const auto& file : *files) {
    auto* info = response.mutable_list_files()->add_file_infos();
    info->set_path(file.path);
    info->set_nlink(static_cast<std::int32_t>(file.links));
    info->set_size(file.size);
    info->mutable_mtime()->set_nanoseconds(file.modified_ns);
    info->set_mode(file.mode);
    info->set_uid(file.user);
    info->set_gid(file.group);
  }
  return message(response);
}

http::Response read_file(const Subject& s, const Call& call) {
  const auto& wanted = call.read_file();
  const auto part = s.browser.read(wanted.path(), wanted.offset(), wanted.has_length() ? wanted.length() : UINT64_MAX);
  if (!part) return text(404, part.error().message);
  Response response;
  response.set_type(Response::READ_FILE);
  response.mutable_read_file()->set_size(part->size);
  response.mutable_read_file()->set_data(part->bytes);
  return message(response);
}

http::Response answer(const Subject& s, const Call& call) {
  Response r;
  switch (call.type()) {
    case Call::GET_HEALTH:
      r.set_type(Response::GET_HEALTH);
      r.mutable_get_health()->set_healthy(true);
      return message(r);
    case Call::GET_VERSION:
      r.set_type(Response::GET_VERSION);
      r.mutable_get_version()->mutable_version_info()->set_version("0.1.0");
      return message(r);
    case Call::GET_AGENT:
      r.set_type(Response::GET_AGENT);
      *r.mutable_get_agent()->mutable_agent_info() = s.self;
      r.mutable_get_agent()->mutable_agent_info()->mutable_id()->set_value(s.core.state().agent.str());
      if (!s.core.refusal().empty()) {
        auto* refused = r.mutable_get_agent()->mutable_agent_info()->add_attributes();
        refused->set_name("banyan_refused");
        refused->set_type(v1::Value::TEXT);
        refused->mutable_text()->set_value(s.core.refusal());
      }
      return message(r);
    case Call::GET_CONTAINERS:
      r.set_type(Response::GET_CONTAINERS);
      get_containers(s, r.mutable_get_containers());
      return message(r);
    case Call::GET_TASKS:
      r.set_type(Response::GET_TASKS);
      get_tasks(s, r.mutable_get_tasks());
      return message(r);
    case Call::GET_EXECUTORS:
      r.set_type(Response::GET_EXECUTORS);
      get_executors(s, r.mutable_get_executors());
      return message(r);
    case Call::GET_FRAMEWORKS:
      r.set_type(Response::GET_FRAMEWORKS);
      get_frameworks(s, r.mutable_get_frameworks());
      return message(r);
    case Call::GET_STATE:
      r.set_type(Response::GET_STATE);
      get_tasks(s, r.mutable_get_state()->mutable_get_tasks());
      get_executors(s, r.mutable_get_state()->mutable_get_executors());
      get_frameworks(s, r.mutable_get_state()->mutable_get_frameworks());
      return message(r);
    case Call::LIST_FILES: return list_files(s, call);
    case Call::READ_FILE: return read_file(s, call);
    default: return text(501, "This agent does not answer " + Call::Type_Name(call.type()));
  }
}

}  // namespace

http::Response answer_operator(const http::Request& request, const Core& core, const posix::Browser& browser,
                               const v1::AgentInfo& self) {
  if (request.method != "POST") return text(405, "Expecting one of { 'POST' }, but received '" + request.method + "'");
  if (http::header(request.headers, "content-type") != "application/x-protobuf")
    return text(415, "Expecting 'Content-Type' of application/x-protobuf");
  Call call;
  if (!call.ParseFromString(request.body)) return text(400, "Failed to parse body into Call protobuf");
  if (!call.has_type()) return text(400, "Expecting 'type' to be present");
  return answer(Subject{core, browser, self}, call);
}

}  // namespace banyan::agent
