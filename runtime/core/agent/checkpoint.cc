#include "runtime/core/agent/checkpoint.h"

#include <cstdio>

#include "runtime/core/agent/fields.h"

namespace banyan::agent::checkpoint {
namespace {

/// Keys are separated by '/', which an id may hold.
std::string escape(const std::string& id) {
  std::string text;
  for (const char c : id) {
    if (c == '/') text += "%2F";
    else if (c == '%') text += "%25";
    else text += c;
  }
  return text;
}

std::string key_of(const char* kind, const TaskKey& key) {
  return std::string(kind) + '/' + escape(key.framework.str()) + '/' + escape(key.task.str());
}

/// Twenty digits, so that keys sort as numbers do.
std::string digits(std::uint64_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "%020llu", static_cast<unsigned long long>(number));
  return text;
}

void write(FieldWriter& w, const std::optional<Duration>& d) { w.flag(d.has_value()).number(d ? d->count() : 0); }
std::optional<Duration> read_duration(FieldReader& r) {
  const bool present = r.flag();
  const Duration d(r.number());
  return present ? std::optional(d) : std::nullopt;
}

void write(FieldWriter& w, const std::set<VolumeKey>& volumes) {
  w.number(static_cast<std::int64_t>(volumes.size()));
  for (const auto& v : volumes) w.text(v.role).text(v.id);
}
std::set<VolumeKey> read_volumes(FieldReader& r) {
  std::set<VolumeKey> volumes;
  for (auto left = r.number(); left > 0 && r.ok(); --left) {
    std::string role = r.text();
    volumes.insert({std::move(role), r.text()});
  }
  return volumes;
}

void write(FieldWriter& w, const std::optional<ExecutorDescription>& e) {
  w.flag(e.has_value());
  if (!e) return;
  w.text(e->id.str());
  write(w, e->shutdown_grace);
  write(w, e->volumes);
  w.text(e->info);
}
std::optional<ExecutorDescription> read_executor(FieldReader& r) {
  if (!r.flag()) return std::nullopt;
  ExecutorDescription e;
  e.id = ExecutorId(r.text());
  e.shutdown_grace = read_duration(r);
  e.volumes = read_volumes(r);
  e.info = r.text();
  return e;
}

std::string write(const Status& s) {
  FieldWriter w;
  w.text(s.task.str()).number(static_cast<int>(s.state)).text(s.uuid);
  w.number(s.reason ? static_cast<int>(*s.reason) : -1).text(s.message).flag(s.from_executor);
  w.text(s.executor.str()).text(s.container.str()).number(s.pid);
  w.number(static_cast<std::int64_t>(s.timestamp * 1e6));
  w.flag(s.check.has_value()).flag(s.check && s.check->exit_code);
  w.number(s.check && s.check->exit_code ? *s.check->exit_code : 0).text(s.body);
  if (s.ports) w.text(s.ports->listens).text(s.ports->strangers);
  return w.take();
}
Status read_status(FieldReader& r) {
  Status s;
  s.task = TaskId(r.text());
  s.state = static_cast<TaskState>(r.number());
  s.uuid = r.text();
  if (const auto reason = r.number(); reason >= 0) s.reason = static_cast<Reason>(reason);
  s.message = r.text();
  s.from_executor = r.flag();
  s.executor = ExecutorId(r.text());
  s.container = ContainerId(r.text());
  s.pid = r.number();
  s.timestamp = static_cast<double>(r.number()) / 1e6;
  const bool checked = r.flag();
  const bool has_code = r.flag();
  const auto code = static_cast<int>(r.number());
  if (checked) s.check = CheckResult{has_code ? std::optional(code) : std::nullopt};
  s.body = r.text();
  if (r.at_end()) return s;  // also a record of a version that did not look at ports
  std::string listens = r.text();
  s.ports = PortsHeld{std::move(listens), r.text()};
  return s;
}

void read_agent(State& state, FieldReader& r) {
  state.agent = AgentId(r.text());
  state.epoch = static_cast<std::uint64_t>(r.number());
}
void read_reservations(State& state, FieldReader& r) {
  state.volumes = read_volumes(r);
  for (auto left = r.number(); left > 0 && r.ok(); --left) state.resources.push_back(r.text());
}
void read_framework(State& state, FieldReader& r) {
  Framework f;
  f.id = FrameworkId(r.text());
  f.partition_aware = r.flag();
  f.task_killing_state = r.flag();
  if (r.flag()) state.gone.insert(f.id);
  f.info = r.text();
  state.frameworks[f.id] = f;
}
void read_run(State& state, FieldReader& r) {
  Run run;
  run.id = ContainerId(r.text());
  run.agent = AgentId(r.text());
  run.framework = FrameworkId(r.text());
  run.executor = ExecutorId(r.text());
  run.subscribed_once = r.flag();
  run.stopping = r.flag();
  run.custom = read_executor(r);
  state.runs[run.id] = run;
}
TaskKey read_key(FieldReader& r) {
  FrameworkId framework(r.text());
  return {std::move(framework), TaskId(r.text())};
}
void read_task(State& state, FieldReader& r) {
  const TaskKey key = read_key(r);
  Task& task = state.tasks[key];
  task.framework = key.framework;
  task.description.id = key.task;
  task.last.task = key.task;
  task.container = ContainerId(r.text());
  task.description.kill_grace = read_duration(r);
  task.description.completion_max = read_duration(r);
  if (r.flag()) {
    Check check;
    check.delay = Duration(r.number());
    check.interval = Duration(r.number());
    check.timeout = Duration(r.number());
    task.description.check = check;
  }
  task.description.volumes = read_volumes(r);
  task.description.executor = read_executor(r);
  task.description.info = r.text();
}
void read_ended(State& state, FieldReader& r) {
  const auto number = static_cast<std::uint64_t>(r.number());
  EndedRun& run = state.ended[number];
  run.agent = AgentId(r.text());
  run.framework = FrameworkId(r.text());
  run.executor = ExecutorId(r.text());
  run.container = ContainerId(r.text());
}
// The records below speak of a task, whose own record sorts before them ("task" is loaded first).
void read_state(State& state, FieldReader& r) {
  Task& task = state.tasks[read_key(r)];
  task.last = read_status(r);
}
void read_kill(State& state, FieldReader& r) {
  Task& task = state.tasks[read_key(r)];
  task.kill_wanted = true;
  task.kill_grace = read_duration(r);
}
void read_update(State& state, FieldReader& r) {
  const TaskKey key = read_key(r);
  Task& task = state.tasks[key];
  task.framework = key.framework;  // a task the agent knows by its updates alone has no other record
  task.description.id = key.task;
  const auto sequence = static_cast<std::uint64_t>(r.number());
  if (task.unacknowledged.empty()) task.sequence = sequence;
  task.unacknowledged.push_back(read_status(r));
  task.last = task.unacknowledged.back();
}

struct Kind {
  const char* prefix;
  void (*read)(State&, FieldReader&);
};
constexpr Kind kinds[] = {{"agent", read_agent},          {"reservations", read_reservations},
                          {"framework/", read_framework}, {"run/", read_run},
                          {"task/", read_task},           {"state/", read_state},
                          {"kill/", read_kill},           {"update/", read_update},
                          {"ended/", read_ended}};

}  // namespace

Change agent(const State& state) {
  return {"agent", FieldWriter().text(state.agent.str()).number(static_cast<std::int64_t>(state.epoch)).take()};
}

Change reservations(const State& state) {
  FieldWriter w;
  write(w, state.volumes);
  w.number(static_cast<std::int64_t>(state.resources.size()));
  for (const auto& resource : state.resources) w.text(resource);
  return {"reservations", w.take()};
}

Change framework(const Framework& f, bool gone) {
  FieldWriter w;
  w.text(f.id.str()).flag(f.partition_aware).flag(f.task_killing_state).flag(gone).text(f.info);
  return {"framework/" + escape(f.id.str()), w.take()};
}

Change run(const Run& run) {
  FieldWriter w;
  w.text(run.id.str()).text(run.agent.str()).text(run.framework.str()).text(run.executor.str());
  w.flag(run.subscribed_once).flag(run.stopping);
  write(w, run.custom);
  return {"run/" + run.id.str(), w.take()};
}

Change task(const Task& task) {
  const TaskDescription& d = task.description;
  FieldWriter w;
  w.text(task.framework.str()).text(d.id.str()).text(task.container.str());
  write(w, d.kill_grace);
  write(w, d.completion_max);
  w.flag(d.check.has_value());
  if (d.check) w.number(d.check->delay.count()).number(d.check->interval.count()).number(d.check->timeout.count());
  write(w, d.volumes);
  write(w, d.executor);
  w.text(d.info);
  return {key_of("task", {task.framework, d.id}), w.take()};
}

Change status(const TaskKey& key, const Status& status) {
  return {key_of("state", key), FieldWriter().text(key.framework.str()).text(key.task.str()).take() + write(status)};
}

Change kill(const TaskKey& key, std::optional<Duration> grace) {
  FieldWriter w;
  w.text(key.framework.str()).text(key.task.str());
  write(w, grace);
  return {key_of("kill", key), w.take()};
}

Change update(const TaskKey& key, std::uint64_t sequence, const Status& status) {
  FieldWriter w;
  w.text(key.framework.str()).text(key.task.str()).number(static_cast<std::int64_t>(sequence));
  return {key_of("update", key) + '/' + digits(sequence), w.take() + write(status)};
}

Change ended(std::uint64_t number, const EndedRun& run) {
  FieldWriter w;
  w.number(static_cast<std::int64_t>(number)).text(run.agent.str()).text(run.framework.str());
  w.text(run.executor.str()).text(run.container.str());
  return {"ended/" + digits(number), w.take()};
}

Change no_framework(const FrameworkId& id) { return {"framework/" + escape(id.str()), std::nullopt}; }
Change no_run(const ContainerId& id) { return {"run/" + id.str(), std::nullopt}; }
Change no_update(const TaskKey& key, std::uint64_t sequence) {
  return {key_of("update", key) + '/' + digits(sequence), std::nullopt};
}
Change no_ended(std::uint64_t number) { return {"ended/" + digits(number), std::nullopt}; }
Changes no_task(const TaskKey& key) {
  return {
      {key_of("task", key), std::nullopt}, {key_of("state", key), std::nullopt}, {key_of("kill", key), std::nullopt}};
}

Result<State> load(const std::map<std::string, std::string>& stored) {
  State state;
  for (const Kind& kind : kinds) {
    for (auto it = stored.lower_bound(kind.prefix); it != stored.end() && it->first.starts_with(kind.prefix); ++it) {
      FieldReader reader(it->second);
      kind.read(state, reader);
      if (!reader.ok()) return error("the agent's record '" + it->first + "' is damaged");
    }
  }
  return state;
}

}  // namespace banyan::agent::checkpoint
