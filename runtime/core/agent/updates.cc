// The update queue: durable, in order, one in flight per task, again until acknowledged.
#include "runtime/base/backoff.h"
#include "runtime/base/check.h"
#include "runtime/core/agent/checkpoint.h"
#include "runtime/core/agent/core.h"

namespace banyan::agent {

void Core::queue(Task& task, Status s) {
  BANYAN_CHECK(!task.ended());
  const TaskKey key{task.framework, task.description.id};
  if (s.uuid.empty()) {
    const auto bytes = rng_.uuid_bytes();
    s.uuid.assign(bytes.begin(), bytes.end());
  }
  if (s.timestamp == 0) s.timestamp = seconds(now_.wall.time_since_epoch());
  if (task.check && !s.check) s.check = task.check;
  if (task.ports && !s.ports) s.ports = task.ports;
  task.last = s;
  if (is_terminal(s.state)) {
    if (!registered_) drop_old_news(key, task);
    task.kill_at.reset();
    task.check_at.reset();
    task.overrun_at.reset();
  }
  save(checkpoint::update(key, task.sequence + task.unacknowledged.size(), s));
  task.unacknowledged.push_back(std::move(s));
  if (task.unacknowledged.size() == 1) {
    task.backoff = {};
    send_first(key, task);
  }
}

// While there is no master, an end takes the place of what is not acknowledged: told once more before it, that would be
// believed for a moment, although it is no more.
void Core::drop_old_news(const TaskKey& key, Task& task) {
  const auto run = state_.runs.find(task.container);
  while (!task.unacknowledged.empty()) {
    const Status old = std::move(task.unacknowledged.back());
    task.unacknowledged.pop_back();
    if (!task.unacknowledged.empty())  // the end is written over the first
      save(checkpoint::no_update(key, task.sequence + task.unacknowledged.size()));
    if (run != state_.runs.end() && run->second.connection && old.from_executor)
      want(TellAcknowledged{*run->second.connection, key.task, old.uuid});
  }
}

// What is news about a running task: while one of them waits behind the update in flight, the newest takes its place,
// so that a scheduler that is away costs no queue.
void Core::queue_news(Task& task, Status s) {
  if (task.unacknowledged.size() > 1 && task.unacknowledged.back().state == TaskState::running)
    task.unacknowledged.pop_back();  // its record is overwritten
  queue(task, std::move(s));
}

void Core::send_first(const TaskKey& key, Task& task) {
  if (!registered_ || task.unacknowledged.empty()) return;
  task.backoff = Backoff{limits::update_retry_min, limits::update_retry_max}.next(task.backoff);
  task.resend_at = now_.mono + task.backoff;
  want(SendUpdate{key.framework, task.unacknowledged.front(), task.last.state});
}

void Core::send_all(const std::optional<FrameworkId>& framework) {
  for (auto& [key, task] : state_.tasks) {
    if (framework && key.framework != *framework) continue;
    task.backoff = {};
    send_first(key, task);
  }
}

void Core::on(const Acknowledge& a) {
  heard();
  const TaskKey key{a.framework, a.task};
  Task* task = find_task(a.framework, a.task);
  // A late acknowledgement of something sent twice.
  if (task == nullptr || task->unacknowledged.empty() || task->unacknowledged.front().uuid != a.uuid) return;
  save(checkpoint::no_update(key, task->sequence));
  const Status acknowledged = task->unacknowledged.front();
  task->unacknowledged.pop_front();
  ++task->sequence;
  task->resend_at.reset();
  const auto run = state_.runs.find(task->container);
  if (run != state_.runs.end() && run->second.connection && acknowledged.from_executor)
    want(TellAcknowledged{*run->second.connection, a.task, a.uuid});
  if (!task->unacknowledged.empty()) {
    save(checkpoint::status(key, acknowledged));
    task->backoff = {};
    send_first(key, *task);
  } else if (task->ended()) {
    forget_task(key);
  } else {
    save(checkpoint::status(key, acknowledged));
  }
}

void Core::forget_task(const TaskKey& key) {
  const auto it = state_.tasks.find(key);
  BANYAN_CHECK(it != state_.tasks.end());
  save(checkpoint::no_task(key));
  started_.insert(key);
  completed_.push_back(std::move(it->second));
  state_.tasks.erase(it);
  if (completed_.size() > limits::completed_tasks_max) {
    started_.erase({completed_.front().framework, completed_.front().description.id});
    completed_.pop_front();
  }
  forget_framework_if_idle(key.framework);
}

void Core::forget_framework_if_idle(const FrameworkId& id) {
  const auto of = [&id](const auto& entry) { return entry.second.framework == id; };
  if (std::any_of(state_.tasks.begin(), state_.tasks.end(), of)) return;
  if (std::any_of(state_.runs.begin(), state_.runs.end(), of)) return;
  if (state_.frameworks.erase(id) == 0) return;
  state_.gone.erase(id);
  save(checkpoint::no_framework(id));
}

}  // namespace banyan::agent
