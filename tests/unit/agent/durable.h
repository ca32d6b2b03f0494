// What of an agent's state its next life must know, as text: what a store gives back and what the core believes are the
// same after every step. It finds a record that was not written, not erased, or written without a field.
#pragma once

#include <cmath>
#include <sstream>
#include <string>

#include "runtime/core/agent/state.h"

namespace banyan::agent {

inline std::string durable(const std::optional<Duration>& d) { return d ? std::to_string(d->count()) : "-"; }
inline std::string durable(const std::set<VolumeKey>& volumes) {
  std::string text;
  for (const auto& v : volumes) text += ' ' + v.role + '/' + v.id;
  return text;
}
inline std::string durable(const std::optional<ExecutorDescription>& e) {
  if (!e) return "-";
  return e->id.str() + ' ' + durable(e->shutdown_grace) + durable(e->volumes) + " <" + e->info + '>';
}
inline std::string durable(const Status& s) {
  std::ostringstream out;
  out << s.task.str() << ' ' << name(s.state) << ' ' << s.uuid << ' ' << (s.reason ? static_cast<int>(*s.reason) : -1)
      << " \"" << s.message << "\" " << s.from_executor << ' ' << s.executor.str() << ' ' << s.container.str() << ' '
      << s.pid << ' ' << std::llround(s.timestamp * 1e6) << ' ' << (s.check ? s.check->exit_code.value_or(-1) : -2);
  if (s.ports) out << ' ' << s.ports->listens << ' ' << s.ports->strangers;
  out << " <" << s.body << '>';
  return out.str();
}
inline std::string durable(const Task& task, bool gone) {
  std::ostringstream out;
  const TaskDescription& d = task.description;
  out << task.framework.str() << '/' << d.id.str() << ' ' << task.container.str() << ' ' << durable(d.kill_grace) << ' '
      << durable(d.completion_max) << durable(d.volumes) << ' ' << durable(d.executor) << " <" << d.info << '>';
  if (d.check)
    out << ' ' << d.check->delay.count() << ' ' << d.check->interval.count() << ' ' << d.check->timeout.count();
  // A teardown or a task's age asks again in the next life; only a scheduler's KILL must be remembered.
  if (task.kill_wanted && !gone && !task.overran) out << " kill " << durable(task.kill_grace);
  out << "\n  last " << durable(task.last) << '\n';
  if (!task.unacknowledged.empty()) out << "  from " << task.sequence << '\n';
  for (const auto& update : task.unacknowledged) out << "  update " << durable(update) << '\n';
  return out.str();
}

inline std::string durable(const State& state) {
  std::ostringstream out;
  out << state.agent.str() << " epoch " << state.epoch << durable(state.volumes) << '\n';
  for (const auto& resource : state.resources) out << "resource " << resource << '\n';
  for (const auto& [id, f] : state.frameworks)
    out << "framework " << id.str() << ' ' << f.partition_aware << f.task_killing_state << " <" << f.info << ">\n";
  for (const auto& id : state.gone) out << "gone " << id.str() << '\n';
  for (const auto& [key, task] : state.tasks) out << durable(task, state.gone.contains(key.framework));
  for (const auto& [id, run] : state.runs)
    out << "run " << id.str() << ' ' << run.agent.str() << ' ' << run.framework.str() << '/' << run.executor.str()
        << ' ' << run.subscribed_once << run.stopping << ' ' << durable(run.custom) << '\n';
  for (const auto& [number, run] : state.ended)
    out << "ended " << number << ' ' << run.agent.str() << ' ' << run.framework.str() << '/' << run.executor.str()
        << ' ' << run.container.str() << '\n';
  return out.str();
}

}  // namespace banyan::agent
