// What the master says about tasks, and what follows from it.
#include <algorithm>

#include "orchestrator/frameworks/service/core.h"
#include "runtime/base/task_state.h"

namespace banyan::service {

namespace {

/// It ran and ended by itself: only such an end is a death.
bool is_death(v1::TaskState state) {
  return state == v1::TASK_FINISHED || state == v1::TASK_FAILED || state == v1::TASK_ERROR;
}

bool is_check_word(const v1::TaskStatus& status) {
  return status.has_check_status() && status.check_status().has_command();
}

bool has_data(const specs::Server& server) {
  return std::any_of(server.volumes.begin(), server.volumes.end(), [](const auto& v) { return !v.second.host_path; });
}

/// The parts of a comma-separated list.
std::set<std::string> parts(const std::string& list) {
  std::set<std::string> out;
  for (std::size_t begin = 0; begin < list.size();) {
    const auto end = std::min(list.find(',', begin), list.size());
    if (end > begin) out.insert(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

std::string what_happened(const v1::TaskStatus& status) {
  return status.message().empty() ? v1::TaskState_Name(status.state()) : status.message();
}

}  // namespace

void Core::update(const v1::TaskStatus& status) {
  if (!handover_) return;
  const auto leaves = [&](const Leaving& l) { return l.instance.record.task == status.task_id().value(); };
  auto* instance = find_task(status.task_id().value());
  if (instance != nullptr) update_of(*instance, status);
  else if (std::any_of(leaving_.begin(), leaving_.end(), leaves)) update_of_leaving(status);
  else stray(status);
  acknowledge(status);
}

void Core::acknowledge(const v1::TaskStatus& status) {
  if (!status.has_uuid()) return;  // the master's own words are not retried
  v1::scheduler::Call call;
  auto* ack = call.mutable_acknowledge();
  *ack->mutable_agent_id() = status.agent_id();
  *ack->mutable_task_id() = status.task_id();
  ack->set_uuid(status.uuid());
  send(v1::scheduler::Call::ACKNOWLEDGE, std::move(call));
}

/// A task that no record names: of a lost store, or of an instance scaled away.
void Core::stray(const v1::TaskStatus& status) {
  const auto& id = status.task_id().value();
  for (auto& i : instances_) {  // never use its number again
    const auto prefix = task_id(*handover_, i.name, 0);
    const auto stem = prefix.substr(0, prefix.size() - 1);
    if (!id.starts_with(stem)) continue;
    const auto attempt = std::strtoul(id.c_str() + stem.size(), nullptr, 10);
    if (attempt <= i.record.attempt) continue;
    i.record.attempt = static_cast<std::uint32_t>(attempt);
    persist(i);
  }
  if (is_terminal(task_state(status.state())) || status.state() == v1::TASK_UNKNOWN ||
      status.state() == v1::TASK_UNREACHABLE || status.state() == v1::TASK_KILLING)
    return;
  effects_.push_back(Note{"task " + id + " is not ours to keep; killing it"});
  v1::scheduler::Call call;
  *call.mutable_kill()->mutable_task_id() = status.task_id();
  if (status.has_agent_id()) *call.mutable_kill()->mutable_agent_id() = status.agent_id();
  send(v1::scheduler::Call::KILL, std::move(call));
}

void Core::update_of(Instance& i, const v1::TaskStatus& status) {
  if (status.state() == v1::TASK_UNKNOWN) return unknown_to_master(i, status);
  i.unheard_of.reset();
  if (status.state() != v1::TASK_UNREACHABLE) i.unreachable_since.reset();
  if (is_terminal(task_state(status.state()))) return ended(i, status);
  if (i.phase != Phase::killing && status.state() != v1::TASK_STAGING) i.ask_again.reset();
  switch (status.state()) {
    case v1::TASK_UNREACHABLE:
      if (i.phase != Phase::killing) {
        i.phase = Phase::unreachable;
        i.ask_again = now_.mono + ask_again.max;  // its agent may come back without it: nobody tells that unasked
      }
      i.serving_since.reset();
      i.running_since.reset();
      i.note = "its agent " + i.record.place.agent + " is unreachable; " +
               (has_data(server_of(i)) ? "its data is there, so it waits for it" : "it moves if that stays so");
      if (!has_data(server_of(i)) && !i.unreachable_since) i.unreachable_since = now_.mono;
      return;
    case v1::TASK_KILLING:
      if (i.phase == Phase::killing) return;
      i.ending = Ending::relaunch;  // asked for before our time, or by the operator
      i.phase = Phase::killing;
      i.serving_since.reset();
      i.ask_again = now_.mono + ask_again.max;
      return;
    case v1::TASK_RUNNING:
      if (status.container_status().has_executor_pid()) i.pid = status.container_status().executor_pid();
      if (is_check_word(status))
        i.check_passes =
            status.check_status().command().has_exit_code() && status.check_status().command().exit_code() == 0;
      take_ports(i, status);
      if (i.phase == Phase::killing) return;
      if (i.phase != Phase::running) i.note.clear();
      if (!i.running_since) i.running_since = now_.mono;
      if (i.phase == Phase::unknown && node_.goal != specs::Goal::completed)
        i.served = true;  // it outlived its scheduler: give it the benefit of the doubt
      i.phase = Phase::running;
      return;
    default:
      if (i.phase != Phase::killing) i.phase = Phase::launched;
      return;
  }
}

void Core::update_of_leaving(const v1::TaskStatus& status) {
  const auto found = std::find_if(leaving_.begin(), leaving_.end(),
                                  [&](const Leaving& l) { return l.instance.record.task == status.task_id().value(); });
  auto& i = found->instance;
  if (status.state() == v1::TASK_UNREACHABLE) i.phase = Phase::unreachable;
  else if (i.phase == Phase::unreachable) i.phase = Phase::running;
  if (status.state() == v1::TASK_UNKNOWN) {  // a master that has just come back may not know its agent yet
    if (!i.unheard_of) i.unheard_of = now_.mono;
    if (now_.mono - *i.unheard_of < unheard_of_max) return;
  } else if (!is_terminal(task_state(status.state()))) {
    return i.unheard_of.reset();
  }
  i.record.task.clear();
  persist(i);
  leaving_.erase(found);
}

/// Without data nothing ties it to its agent. Should its old task come back, it is a stray, and is ended.
void Core::move_lost(Instance& i) {
  i.note = "its agent " + i.record.place.agent + " is lost; it moves to another";
  i.unreachable_since.reset();
  i.ask_again.reset();
  i.phase = Phase::idle;
  i.served = i.check_passes = false;
  i.pid.reset();
  i.record.task.clear();
  i.record.place.agent.clear();
  i.record.place.held.clear();
  i.record.place.avoids.clear();
  places_changed_ = true;
  persist(i);
}

/// Who holds the ports it was given, where somebody looks: said on change, so it is recorded.
void Core::take_ports(Instance& i, const v1::TaskStatus& status) {
  for (const auto& label : status.labels().labels())
    if (label.key() == "banyan.listens") {
      i.record.listens = parts(label.value());
      i.record.strangers.clear();  // who looks and names no stranger has seen none
    }
  for (const auto& label : status.labels().labels()) {
    if (label.key() != "banyan.strangers") continue;
    for (const auto& part : parts(label.value()))
      i.record.strangers[part.substr(0, part.find('='))] = part.substr(std::min(part.size(), part.find('=') + 1));
  }
  leave_ports(i);
  persist(i);
}

/// A stranger holds a port that may be any: the server gets another, by a launch anew.
void Core::leave_ports(Instance& i) {
  auto& place = i.record.place;
  bool left = false;
  for (const auto& [name, port] : server_of(i).ports) {
    const auto number = i.record.ports.find(name);
    if (port.fixed || number == i.record.ports.end()) continue;
    if (held_by(i.record, port.protocol, number->second).empty() || place.avoids.contains(number->second)) continue;
    place.avoids.insert(number->second);
    place.held.erase("port:" + name);
    place.ports.erase(name);
    left = true;
  }
  if (!left) return;
  places_changed_ = true;
  if (i.phase != Phase::killing) kill(i, Ending::relaunch, server_of(i).stop.grace);
}

void Core::unknown_to_master(Instance& i, const v1::TaskStatus& status) {
  const bool patient = i.phase != Phase::killing || i.ending != Ending::stop;
  if (!i.unheard_of) i.unheard_of = now_.mono;
  if (!patient || now_.mono - *i.unheard_of >= unheard_of_max) return ended(i, status);
  i.note = "the master does not know its task; asking again";
  if (!i.ask_again) {
    i.ask_backoff = ask_again.min;
    i.ask_again = now_.mono + i.ask_backoff;
  }
}

void Core::ended(Instance& i, const v1::TaskStatus& status) {
  const bool asked = i.phase == Phase::killing;
  const auto& policy = server_of(i).restart;
  const Duration in_service = i.serving_since ? now_.mono - *i.serving_since : Duration(0);
  if (in_service >= sound_after) {
    i.deaths.clear();
    i.streak = 0;
  }
  i.phase = Phase::idle;
  i.record.task.clear();
  i.pid.reset();
  i.running_since.reset();
  i.unreachable_since.reset();
  i.check_passes = false;
  i.ask_again.reset();
  i.unheard_of.reset();
  i.serving_since.reset();
  if (status.state() == v1::TASK_UNKNOWN || status.state() == v1::TASK_GONE_BY_OPERATOR) {
    i.record.place.agent.clear();  // an agent no master knows; where our reservations show up again, we follow
    i.record.place.held.clear();
    places_changed_ = true;
  } else if (status.state() == v1::TASK_DROPPED || status.state() == v1::TASK_ERROR) {
    i.place_doubtful = true;  // perhaps its RESERVE failed before it
  }
  if (asked || !is_death(status.state())) {
    i.note = asked ? "" : what_happened(status);
    if (status.state() == v1::TASK_DROPPED) i.backoff_until = now_.mono + policy.backoff_min;
  } else if (status.state() == v1::TASK_FINISHED && node_.goal == specs::Goal::completed) {
    i.record.completed = true;
    i.note.clear();
  } else if (status.state() == v1::TASK_FINISHED && policy.policy != specs::RestartPolicy::always) {
    const bool never = policy.policy == specs::RestartPolicy::never;
    give_up(i, i.record.failed,
            std::string("it exited with status 0 and its restart policy is ") + (never ? "never" : "on_failure"));
  } else {
    died(i, port_in_use(i) + what_happened(status));
  }
  i.served = false;
  persist(i);
}

/// Until a restart is asked for, or another configuration comes.
void Core::give_up(Instance& i, bool& mark, const std::string& why) {
  mark = true;
  i.note = i.record.why = why;
  effects_.push_back(Note{i.name + " is given up: " + why});
}

/// What most likely killed it: "port 9092 is in use by pid 12 (java); ". Empty: no port of its was a stranger's.
std::string Core::port_in_use(const Instance& i) const {
  for (const auto& [name, port] : server_of(i).ports) {
    const auto number = i.record.ports.find(name);
    if (number == i.record.ports.end()) continue;
    if (const auto who = held_by(i.record, port.protocol, number->second); !who.empty())
      return "port " + std::to_string(number->second) + " is in use by " + who + "; ";
  }
  return "";
}

void Core::died(Instance& i, const std::string& what) {
  const auto& policy = server_of(i).restart;
  i.note = what;
  if (policy.policy == specs::RestartPolicy::never)
    return give_up(i, i.record.failed, what + "; its restart policy is never");
  if (!i.served) {
    i.deaths.push_back(now_.mono);
    while (now_.mono - i.deaths.front() > policy.within) i.deaths.pop_front();
    if (i.deaths.size() > policy.max) {
      const bool job = node_.goal == specs::Goal::completed;
      const bool bounded = job || policy.policy == specs::RestartPolicy::on_failure;
      return give_up(i, bounded ? i.record.failed : i.record.quarantined,
                     "died " + std::to_string(i.deaths.size()) + " times before " + (job ? "completing" : "serving") +
                         ", last: " + what + "; see `banyan logs " + handover_->node() + "`, then `banyan restart " +
                         handover_->node() + "`");
    }
  }
  if (i.served && i.streak == 0) {  // the first end after good service costs no wait
    ++i.streak;
    return;
  }
  i.backoff_until = now_.mono + Backoff{policy.backoff_min, policy.backoff_max}.wait(i.streak);
  ++i.streak;
}

}  // namespace banyan::service
