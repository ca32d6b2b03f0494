// Custom executors: subscribe, talk, shut down.
#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/core/agent/checkpoint.h"
#include "runtime/core/agent/core.h"

namespace banyan::agent {

void Core::on(const ExecutorSubscribe& s) {
  Run* run = find_run(s.framework, s.executor);
  BANYAN_CHECK(run != nullptr && run->custom);                 // the world asked refuse() first
  if (run->connection) want(CloseExecutor{*run->connection});  // the newest subscription wins
  run->connection = s.connection;
  run->subscribe_by.reset();
  const bool was_stopping = run->stopping;
  take_back(*run, s);
  if (run->stopping) {
    if (was_stopping) want(TellShutdown{s.connection});
    return;
  }
  if (!run->subscribed_once) {
    run->subscribed_once = true;
    save(checkpoint::run(*run));
  }
  want(TellSubscribed{s.connection, run->agent, run->id, run->custom->info, framework_info(run->framework)});
  deliver_tasks(*run);
}

// What the executor still holds counts as if it were sent now. A task that was sent but that the executor does not know
// was lost with the agent's former life: it must not be sent again, for the executor may yet read it. An executor that
// is left with nothing to do is shut down for the same reason, and because nobody else would.
void Core::take_back(Run& run, const ExecutorSubscribe& s) {
  for (const auto& update : s.unacknowledged_updates) on(ExecutorUpdate{s.framework, s.executor, update});
  if (!run.subscribed_once) return;
  bool dropped_any = false;
  for (Task* task : tasks_of(run.id)) {
    if (task->ended() || task->delivered) continue;
    task->delivered = true;
    if (task->last.state != TaskState::staging || s.unacknowledged_tasks.contains(task->description.id)) continue;
    Status lost = status(*task, task->kill_wanted ? TaskState::killed : dropped(run.framework));
    lost.reason = Reason::agent_restarted;
    lost.message = "The agent restarted before the executor had the task";
    queue(*task, std::move(lost));
    dropped_any = true;
  }
  const auto tasks = tasks_of(run.id);
  if (dropped_any && std::all_of(tasks.begin(), tasks.end(), [](const Task* task) { return task->ended(); }))
    shut_down(run);
}

void Core::deliver_tasks(Run& run) {
  for (Task* task : tasks_of(run.id)) {
    if (task->ended()) continue;
    if (!task->delivered) {
      task->delivered = true;
      want(TellLaunch{*run.connection, task->description.info});
    } else if (task->kill_wanted) {
      want(TellKill{*run.connection, task->description.id, task->kill_grace});
    }
  }
}

void Core::on(const ExecutorUpdate& u) {
  const Run* run = find_run(u.framework, u.executor);
  if (run == nullptr) return;
  Task* task = find_task(u.framework, u.status.task);
  const auto acknowledge = [&] {
    if (run->connection) want(TellAcknowledged{*run->connection, u.status.task, u.status.uuid});
  };
  if (task == nullptr) {
    if (started_.contains({u.framework, u.status.task})) return acknowledge();  // its end is acknowledged already
    RunTask unknown;  // not ours to judge: passed on, as Mesos does
    unknown.framework.id = u.framework;
    unknown.task.id = u.status.task;
    task = &add_task(unknown, run->id);
    task->delivered = true;
  }
  const auto same = [&u](const Status& known) { return known.uuid == u.status.uuid; };
  if (std::any_of(task->unacknowledged.begin(), task->unacknowledged.end(), same)) return;  // waits for its turn
  if (task->ended() || same(task->last)) return acknowledge();  // nothing after the end, nothing twice
  Status s = u.status;
  s.from_executor = true;
  s.container = run->id;
  s.pid = run->pid;
  queue(*task, std::move(s));
}

void Core::on(const ExecutorMessage& m) { want(SendExecutorMessage{m.framework, m.executor, m.data}); }

void Core::on(const ExecutorDisconnected& d) {
  for (auto& [id, run] : state_.runs)
    if (run.connection == d.connection) run.connection.reset();  // its process' end is what counts
}

void Core::on(const ShutdownExecutor& s) {
  heard();
  if (Run* run = find_run(s.framework, s.executor); run != nullptr && run->custom) shut_down(*run);
}

void Core::shut_down(Run& run) {
  if (run.stopping) return;
  run.stopping = true;
  save(checkpoint::run(run));
  run.subscribe_by.reset();
  if (run.pid == 0) return want(DestroyContainer{run.id});
  const Duration grace = run.custom && run.custom->shutdown_grace ? *run.custom->shutdown_grace
                                                                  : Duration(limits::executor_shutdown_grace);
  run.destroy_at = now_.mono + grace;
  if (run.connection) want(TellShutdown{*run.connection});
  else want(TerminateContainer{run.id});
}

void Core::on(const ShutdownFramework& s) {
  heard();
  shut_down_framework(s.framework);
}

// Its scheduler is gone for good; the master itself acknowledges how its tasks end.
void Core::shut_down_framework(const FrameworkId& id) {
  const auto framework = state_.frameworks.find(id);
  if (framework == state_.frameworks.end() || !state_.gone.insert(id).second) return;
  save(checkpoint::framework(framework->second, true));
  for (auto& [container, run] : state_.runs) {
    if (run.framework != id) continue;
    if (run.custom) {
      shut_down(run);
      continue;
    }
    for (Task* task : tasks_of(container))
      if (!task->ended()) kill_command_task(*task, run, std::nullopt);
  }
}

}  // namespace banyan::agent
