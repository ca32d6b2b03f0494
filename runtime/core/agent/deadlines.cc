// Everything that happens because time passes.
#include <algorithm>

#include "runtime/core/agent/checkpoint.h"
#include "runtime/core/agent/core.h"

namespace banyan::agent {

void Core::on(const Tick&) {
  if (silence_at_ && *silence_at_ <= now_.mono) {
    silence_at_ = now_.mono + limits::agent_silence_max;
    want(Note{registered_ ? "the master has fallen silent: connecting anew" : "not registered yet: connecting anew"});
    want(ResetLink{});
  }
  for (auto& [key, task] : state_.tasks) tick_task(task);
  for (auto& [id, run] : state_.runs) tick_run(run);
}

void Core::tick_task(Task& task) {
  const auto due = [this](std::optional<Instant>& at) {
    if (!at || *at > now_.mono) return false;
    at.reset();
    return true;
  };
  if (due(task.resend_at)) send_first({task.framework, task.description.id}, task);
  if (due(task.kill_at)) want(DestroyContainer{task.container});
  if (due(task.check_at))
    want(RunCheck{task.container, task.description.check->timeout, task.description.info,
                  framework_info(task.framework)});
  if (due(task.overrun_at)) {
    const auto run = state_.runs.find(task.container);
    if (run == state_.runs.end()) return;
    task.overran = true;
    kill_command_task(task, run->second, std::nullopt);
  }
}

void Core::tick_run(Run& run) {
  if (run.subscribe_by && *run.subscribe_by <= now_.mono) {
    run.subscribe_by.reset();
    if (run.subscribed_once)
      destroy(run, Reason::executor_reregistration_timeout, "Executor did not reregister within its time");
    else destroy(run, Reason::executor_registration_timeout, "Executor did not register within its time");
  }
  if (run.destroy_at && *run.destroy_at <= now_.mono) {
    run.destroy_at.reset();
    want(DestroyContainer{run.id});
  }
}

std::optional<Instant> Core::next_deadline() const {
  std::optional<Instant> next;
  const auto consider = [&next](const std::optional<Instant>& at) {
    if (at && (!next || *at < *next)) next = at;
  };
  consider(silence_at_);
  for (const auto& [key, task] : state_.tasks)
    for (const auto& at : {task.resend_at, task.kill_at, task.check_at, task.overrun_at}) consider(at);
  for (const auto& [id, run] : state_.runs)
    for (const auto& at : {run.subscribe_by, run.destroy_at}) consider(at);
  return next;
}

}  // namespace banyan::agent
