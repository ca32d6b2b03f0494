// Containers begin and end; what that means for their tasks.
#include <string.h>
#include <sys/wait.h>

#include "runtime/base/check.h"
#include "runtime/core/agent/checkpoint.h"
#include "runtime/core/agent/core.h"

namespace banyan::agent {
namespace {

/// Mesos' words for a wait status.
std::string describe(int wait_status) {
  if (WIFEXITED(wait_status)) return "exited with status " + std::to_string(WEXITSTATUS(wait_status));
  const int number = WTERMSIG(wait_status);
  const char* known = sigdescr_np(number);
  std::string text = "terminated with signal " + (known != nullptr ? known : std::to_string(number));
  if (WCOREDUMP(wait_status)) text += " (core dumped)";
  return text;
}

}  // namespace

void Core::on(const ContainerStarted& started) {
  const auto it = state_.runs.find(started.container);
  if (it == state_.runs.end()) return want(DestroyContainer{started.container});  // nobody's: must not live
  Run& run = it->second;
  const bool recovered = run.pid == 0 && run.custom && !run.subscribe_by && !run.connection;
  run.pid = started.pid;
  if (run.stopping) {
    run.destroy_at = now_.mono + limits::executor_shutdown_grace;
    return want(TerminateContainer{run.id});
  }
  if (run.custom) {
    if (recovered)
      run.subscribe_by = now_.mono + (run.subscribed_once ? options_.executor_reregistration_timeout
                                                          : options_.executor_registration_timeout);
    return;
  }
  for (Task* task : tasks_of(run.id)) {
    if (task->ended()) continue;
    if (task->description.completion_max) task->overrun_at = now_.mono + *task->description.completion_max;
    if (task->description.check) {
      task->check = task->last.check.value_or(CheckResult{});
      task->check_at = now_.mono + task->description.check->delay;
    }
    take_back_running(*task, started);
    if (state_.gone.contains(task->framework) || task->kill_wanted) {
      task->kill_wanted = false;  // what was asked before this life of the agent is asked anew
      kill_command_task(*task, run, task->kill_grace);
    }
  }
}

// A former life of the agent may have said that it runs, and who held its ports then.
void Core::take_back_running(Task& task, const ContainerStarted& started) {
  task.ports = started.ports;
  const bool is_new = task.last.state == TaskState::staging || task.last.state == TaskState::starting;
  const bool changed = task.last.state == TaskState::running && task.ports && task.last.ports != task.ports;
  if (is_new) queue(task, status(task, TaskState::running));
  else if (changed && !task.kill_wanted) queue_news(task, status(task, TaskState::running));
}

void Core::on(const PortsChanged& changed) {
  for (Task* task : tasks_of(changed.container)) {
    if (task->ended() || task->kill_wanted || task->ports == changed.ports) continue;
    task->ports = changed.ports;
    queue_news(*task, status(*task, TaskState::running));
  }
}

void Core::on(const ContainerEnded& ended) {
  const auto it = state_.runs.find(ended.container);
  if (it == state_.runs.end()) return want(ForgetContainer{ended.container});
  const Run run = it->second;
  if (run.connection) want(CloseExecutor{*run.connection});
  if (run.custom) {
    end_executor_tasks(run, ended);
    want(SendExecutorExited{run.framework, run.executor, ended.wait_status});
  } else {
    for (Task* task : tasks_of(run.id))
      if (!task->ended()) end_command_task(run, *task, ended);
  }
  keep_sandbox(run);
  state_.runs.erase(it);
  save(checkpoint::no_run(run.id));
  want(ForgetContainer{run.id});
  forget_framework_if_idle(run.framework);
}

void Core::end_command_task(const Run& run, Task& task, const ContainerEnded& ended) {
  Status s = status(task, TaskState::failed);
  s.message = "Command " + describe(ended.wait_status);
  if (task.overran) {
    s.reason = Reason::max_completion_time_reached;
    s.message = "Task ran longer than its maximum completion time";
  } else if (task.kill_wanted) {
    s.state = TaskState::killed;
    if (run.pid == 0) {
      s.reason = Reason::task_killed_during_launch;
      s.message = "Killed before it was started";
    }
  } else if (ended.never_started) {
    s.state = dropped(task.framework);
    s.from_executor = false;
    s.reason = Reason::agent_restarted;
    s.message = "The agent restarted before it could start the task";
  } else if (!ended.launch_error.empty()) {
    s.from_executor = false;
    s.reason = Reason::container_launch_failed;
    s.message = ended.launch_error;
  } else if (ended.shim_lost) {
    s.from_executor = false;
    s.reason = Reason::executor_terminated;
    s.message = "The task's shim was killed, and the task with it; its exit status is not known";
  } else if (WIFEXITED(ended.wait_status) && WEXITSTATUS(ended.wait_status) == 0) {
    s.state = TaskState::finished;
  }
  queue(task, std::move(s));
}

void Core::end_executor_tasks(const Run& run, const ContainerEnded& ended) {
  for (Task* task : tasks_of(run.id)) {
    if (task->ended()) continue;
    Status s = status(*task, TaskState::failed);
    s.executor = run.executor;
    s.pid = 0;
    s.reason = Reason::executor_terminated;
    s.message = "Executor terminated";
    if (run.cause) {
      s.reason = run.cause;
      s.message = run.cause_message;
    } else if (!ended.launch_error.empty()) {
      s.reason = Reason::container_launch_failed;
      s.message = ended.launch_error;
    } else if (task->kill_wanted && !task->delivered) {
      s.state = TaskState::killed;
      s.reason = Reason::task_killed_during_launch;
    } else if (ended.never_started || !task->delivered) {
      s.state = dropped(run.framework);
      if (ended.never_started) s.reason = Reason::agent_restarted;
    } else {
      s.message += ended.shim_lost ? ": its shim was killed, and its exit status is not known"
                                   : ": " + describe(ended.wait_status);
    }
    queue(*task, std::move(s));
  }
}

void Core::destroy(Run& run, Reason cause, std::string message) {
  run.cause = cause;
  run.cause_message = std::move(message);
  run.stopping = true;
  save(checkpoint::run(run));
  want(DestroyContainer{run.id});
}

void Core::keep_sandbox(const Run& run) {
  const std::uint64_t number = state_.ended.empty() ? 0 : state_.ended.rbegin()->first + 1;
  const EndedRun ended{run.agent, run.framework, run.executor, run.id};
  state_.ended[number] = ended;
  save(checkpoint::ended(number, ended));
  while (state_.ended.size() > options_.sandboxes_max) {
    const auto& [oldest, old] = *state_.ended.begin();
    want(RemoveSandbox{old.agent, old.framework, old.executor, old.container});
    save(checkpoint::no_ended(oldest));
    state_.ended.erase(state_.ended.begin());
  }
}

}  // namespace banyan::agent
