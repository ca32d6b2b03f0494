// The master's words that are not about one task: joining, leaving, reservations.
#include <algorithm>
#include <utility>

#include "runtime/core/agent/checkpoint.h"
#include "runtime/core/agent/core.h"

namespace banyan::agent {

void Core::heard() {
  if (link_open_) silence_at_ = now_.mono + limits::agent_silence_max;
}

void Core::leave() {
  registered_ = false;
  for (auto& [key, task] : state_.tasks) task.resend_at.reset();
}

void Core::on(const LinkOpened&) {
  link_open_ = true;
  leave();
  heard();
  send_register();
}

void Core::on(const LinkClosed&) {
  link_open_ = false;
  leave();
  silence_at_.reset();
}

void Core::send_register() {
  SendRegister message{state_.agent, state_.epoch, state_.resources, {}, {}, {}};
  for (const auto& [id, framework] : state_.frameworks)
    if (!framework.info.empty()) message.frameworks.push_back(framework.info);
  for (const auto& [key, task] : state_.tasks) {
    if (task.description.info.empty()) continue;  // only its executor ever spoke of it
    KnownTask known{key.framework, task.description.info, task.last.state, std::nullopt, std::nullopt};
    if (!task.unacknowledged.empty()) known.unacknowledged = task.unacknowledged.front();
    if (!task.last.uuid.empty()) known.last = task.last;
    message.tasks.push_back(std::move(known));
  }
  for (const auto& [id, run] : state_.runs)
    if (run.custom) message.executors.push_back({run.framework, run.custom->info});
  want(std::move(message));
}

void Core::on(const Registered& r) {
  heard();
  if (r.epoch < state_.epoch) {
    want(Note{"refused a master of epoch " + std::to_string(r.epoch) + ": epoch " + std::to_string(state_.epoch) +
              " has been obeyed"});
    want(ResetLink{});
    return;
  }
  if (state_.agent != r.agent || state_.epoch != r.epoch) {
    state_.agent = r.agent;
    state_.epoch = r.epoch;
    save(checkpoint::agent(state_));
  }
  registered_ = true;
  refusal_.clear();
  want(Note{"registered as " + r.agent.str() + " under epoch " + std::to_string(r.epoch)});
  for (const auto& framework : r.gone) shut_down_framework(framework);
  send_all(std::nullopt);
}

void Core::on(const Refused& r) {
  leave();
  if (std::exchange(refusal_, r.reason) != r.reason) want(Note{"the master refuses this agent: " + r.reason});
  // It closes the link, and the next one is another try.
}

void Core::on(const Ping&) {
  heard();
  want(SendPong{});
}

void Core::on(const SchedulerMessage& m) {
  heard();
  const Run* run = find_run(m.framework, m.executor);
  if (run == nullptr || !run->connection || run->stopping) {
    want(Note{"dropped a message for executor " + m.executor.str() + ": it is not subscribed"});
    return;
  }
  want(TellMessage{*run->connection, m.data});
}

void Core::on(const UpdateFramework& u) {
  heard();
  if (!state_.frameworks.contains(u.framework.id) || state_.gone.contains(u.framework.id)) return;
  state_.frameworks[u.framework.id] = u.framework;
  save(checkpoint::framework(u.framework, false));
  send_all(u.framework.id);  // its scheduler is back: it may have lost what was sent to the one before
}

void Core::on(const Apply& apply) {
  heard();
  for (const auto& volume : state_.volumes) {
    if (apply.volumes.contains(volume)) continue;
    for (const auto& [key, task] : state_.tasks) {
      const bool used = task.description.volumes.contains(volume) ||
                        (task.description.executor && task.description.executor->volumes.contains(volume));
      if (!used || task.ended()) continue;
      want(SendApplied{apply.operation, "volume " + volume.id + " is in use by task " + key.task.str()});
      return;
    }
  }
  for (const auto& volume : apply.volumes)
    if (!state_.volumes.contains(volume)) want(MakeVolume{volume});
  for (const auto& volume : state_.volumes)
    if (!apply.volumes.contains(volume)) want(RemoveVolume{volume});
  state_.resources = apply.resources;
  state_.volumes = apply.volumes;
  save(checkpoint::reservations(state_));
  want(SendApplied{apply.operation, ""});
}

}  // namespace banyan::agent
