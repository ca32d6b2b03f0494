// Launching, killing and checking tasks.
#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/core/agent/checkpoint.h"
#include "runtime/core/agent/core.h"

namespace banyan::agent {
namespace {

/// Ids become folder names: nothing that leads elsewhere, nothing a terminal would choke on (Mesos' rule too).
std::string id_fault(const char* what, const std::string& id) {
  const auto bad = [](char c) { return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (id.empty() || id == "." || id == "..") return std::string(what) + " '" + id + "' cannot name a folder";
  if (id.size() > limits::id_bytes_max) return std::string(what) + " is longer than 255 bytes";
  if (std::any_of(id.begin(), id.end(), bad)) return std::string(what) + " '" + id + "' contains invalid characters";
  return {};
}

std::string fault(const RunTask& r) {
  std::string text = id_fault("framework id", r.framework.id.str());
  if (text.empty()) text = id_fault("task id", r.task.id.str());
  if (text.empty() && r.task.executor) text = id_fault("executor id", r.task.executor->id.str());
  return text;
}

}  // namespace

void Core::on(const RunTask& r) {
  heard();
  const TaskKey key{r.framework.id, r.task.id};
  if (state_.tasks.contains(key) || started_.contains(key)) {
    want(Note{"task " + r.task.id.str() + " is known already: not started again"});
    return;
  }
  if (state_.gone.contains(r.framework.id)) return;
  state_.frameworks[r.framework.id] = r.framework;
  save(checkpoint::framework(r.framework, false));
  if (const std::string text = fault(r); !text.empty())
    return refuse_task(r, TaskState::error, Reason::task_invalid, text);
  if (r.task.executor) return run_executor_task(r);
  run_command_task(r);
}

Task& Core::add_task(const RunTask& r, const ContainerId& container) {
  Task& task = state_.tasks[{r.framework.id, r.task.id}];
  task.description = r.task;
  task.framework = r.framework.id;
  task.container = container;
  task.last.task = r.task.id;
  save(checkpoint::task(task));
  return task;
}

void Core::refuse_task(const RunTask& r, TaskState state, Reason reason, const std::string& message) {
  Task& task = add_task(r, ContainerId());
  Status s = status(task, state);
  s.reason = reason;
  s.message = message;
  queue(task, std::move(s));
}

Run& Core::add_run(const RunTask& r) {
  ContainerId id(rng_.uuid());
  Run& run = state_.runs[id];
  run.id = id;
  run.agent = state_.agent;
  run.framework = r.framework.id;
  run.executor = r.task.executor ? r.task.executor->id : ExecutorId(r.task.id.str());
  run.custom = r.task.executor;
  save(checkpoint::run(run));
  want(LaunchContainer{id, state_.agent, run.framework, run.executor, r.framework.info, r.task.info,
                       run.custom ? run.custom->info : std::string()});
  return run;
}

void Core::run_command_task(const RunTask& r) {
  if (find_run(r.framework.id, ExecutorId(r.task.id.str())) != nullptr)
    return refuse_task(r, TaskState::failed, Reason::task_invalid, "an executor of that name is running");
  const Run& run = add_run(r);
  Task& task = add_task(r, run.id);
  if (r.task.check) task.check = CheckResult{};
  queue(task, status(task, TaskState::starting));
}

void Core::run_executor_task(const RunTask& r) {
  Run* run = find_run(r.framework.id, r.task.executor->id);
  if (run == nullptr) {
    run = &add_run(r);
    run->subscribe_by = now_.mono + options_.executor_registration_timeout;
    add_task(r, run->id);
    return;
  }
  if (!run->custom || run->custom->info != r.task.executor->info)
    return refuse_task(r, TaskState::error, Reason::task_invalid,
                       "executor '" + r.task.executor->id.str() + "' is running under another description");
  if (run->stopping)
    return refuse_task(r, dropped(r.framework.id), Reason::executor_terminated, "Executor terminating");
  Task& task = add_task(r, run->id);
  if (run->pid != 0) want(LinkVolumes{run->id, r.task.info});
  if (!run->connection) return;  // delivered when it subscribes
  task.delivered = true;
  want(TellLaunch{*run->connection, r.task.info});
}

void Core::on(const KillTask& k) {
  heard();
  Task* task = find_task(k.framework, k.task);
  if (task == nullptr) {
    if (started_.contains({k.framework, k.task}) || state_.gone.contains(k.framework)) return;
    // The master believes in a task that never arrived here: tell it so.
    RunTask unknown;
    unknown.framework.id = k.framework;
    unknown.task.id = k.task;
    if (state_.frameworks.try_emplace(k.framework, unknown.framework).second)
      save(checkpoint::framework(unknown.framework, false));
    return refuse_task(unknown, dropped(k.framework), Reason::executor_terminated, "the agent does not know this task");
  }
  if (task->ended()) return;
  const auto run = state_.runs.find(task->container);
  BANYAN_CHECK(run != state_.runs.end());
  if (!task->kill_wanted || task->kill_grace != k.grace) save(checkpoint::kill({k.framework, k.task}, k.grace));
  if (run->second.custom) return kill_executor_task(*task, run->second, k.grace);
  kill_command_task(*task, run->second, k.grace);
}

void Core::kill_command_task(Task& task, Run& run, std::optional<Duration> grace) {
  const bool first = !task.kill_wanted;
  task.kill_wanted = true;
  task.kill_grace = grace;
  if (run.pid == 0) return want(DestroyContainer{run.id});  // nothing runs yet that could end orderly
  const Duration wait = grace.value_or(task.description.kill_grace.value_or(limits::kill_grace_default));
  const Instant until = now_.mono + std::max(wait, Duration{});
  task.kill_at = task.kill_at ? std::min(*task.kill_at, until) : until;  // a further kill only shortens
  if (!first) return;
  const auto framework = state_.frameworks.find(task.framework);
  if (framework != state_.frameworks.end() && framework->second.task_killing_state && !task.overran)
    queue(task, status(task, TaskState::killing));
  want(TerminateContainer{run.id});
}

void Core::kill_executor_task(Task& task, Run& run, std::optional<Duration> grace) {
  task.kill_wanted = true;
  task.kill_grace = grace;
  // After a restart of the agent only the executor, which has yet to come back, knows whether it was delivered.
  if (task.delivered || run.subscribed_once) {
    if (run.connection) want(TellKill{*run.connection, task.description.id, grace});
    return;  // else when it subscribes
  }
  Status s = status(task, TaskState::killed);
  s.reason = Reason::task_killed_during_launch;
  s.message = "Killed before it was delivered to its executor";
  queue(task, std::move(s));
  // An executor that never got a task and has none queued is of no use.
  for (const Task* other : tasks_of(run.id))
    if (!other->ended()) return;
  shut_down(run);
}

void Core::on(const CheckDone& done) {
  const auto run = state_.runs.find(done.container);
  if (run == state_.runs.end()) return;
  for (Task* task : tasks_of(done.container)) {
    if (task->ended() || !task->description.check || task->kill_wanted) continue;
    task->check_at = now_.mono + task->description.check->interval;
    if (task->check == done.result) continue;
    task->check = done.result;
    Status s = status(*task, TaskState::running);
    s.reason = Reason::task_check_status_updated;
    queue_news(*task, std::move(s));
  }
}

}  // namespace banyan::agent
