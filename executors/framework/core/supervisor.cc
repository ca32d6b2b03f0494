#include "executors/framework/core/supervisor.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>

#include "runtime/base/backoff.h"
#include "runtime/base/limits.h"

namespace banyan::framework_executor {
namespace {

using namespace std::chrono_literals;
using namespace mesos::v1;

constexpr Duration poll_max = 30s;  // longest silence of a long poll

/// "exited with status 3", "was killed by signal 9"
std::string how_it_ended(int wait_status) {
  if (WIFSIGNALED(wait_status)) return "was killed by signal " + std::to_string(WTERMSIG(wait_status));
  return "exited with status " + std::to_string(WEXITSTATUS(wait_status));
}

bool exited_cleanly(int wait_status) { return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0; }

}  // namespace

Supervisor::Effects Supervisor::step(Now now, const Input& input) {
  Effects effects;
  std::visit([&](const auto& what) { on(now.mono, what, effects); }, input);
  flush_report(effects);
  return effects;
}

std::optional<Instant> Supervisor::next_deadline() const {
  std::optional<Instant> soonest;
  const auto consider = [&](const std::optional<Instant>& at) {
    if (at && (!soonest || *at < *soonest)) soonest = at;
  };
  if (phase_ == Phase::backing_off) consider(restart_at_);
  consider(kill_at_);
  consider(exit_at_);
  consider(probe_at_);
  consider(probe_until_);
  for (const auto& poll : polls_) consider(poll.until);
  return soonest;
}

void Supervisor::on(Instant now, const Tick&, Effects& effects) {
  if (phase_ == Phase::backing_off && now >= restart_at_) start(effects);
  if (kill_at_ && now >= *kill_at_) {
    kill_at_.reset();
    effects.emplace_back(SignalChild{SIGKILL, true});
  }
  if (probe_until_ && now >= *probe_until_) {
    effects.emplace_back(DropProbe{});
    judge(now, "no answer in time");
  }
  if (probe_at_ && now >= *probe_at_) probe(now, effects);
  while (!polls_.empty() && now >= polls_.front().until) {
    effects.emplace_back(AnswerPoll{polls_.front().number, std::nullopt});
    polls_.pop_front();
  }
  if (exit_at_ && now >= *exit_at_) {
    exit_at_.reset();
    effects.emplace_back(Exit{});
  }
}

void Supervisor::on(Instant, const Launched& launched, Effects& effects) {
  if (phase_ != Phase::idle) {
    if (launched.task.task_id().value() == task_.task_id().value()) return;  // told again after the agent's restart
    TaskStatus status;
    *status.mutable_task_id() = launched.task.task_id();
    status.set_state(TASK_FAILED);
    status.set_message("a framework executor runs one task only");
    effects.emplace_back(SendUpdate{std::move(status)});
    return;
  }
  task_ = launched.task;
  ToExecutor word;
  if (!word.ParseFromString(task_.data()))
    return end(TASK_FAILED, "the task's data is not a banyan.ToExecutor", effects);
  if (word.command().argv().empty() || !word.has_handover())
    return end(TASK_FAILED, "the task's data names no command or no handover", effects);
  command_ = word.command();
  handover_ = word.handover();
  restart_number_ = word.restart_number();
  report_.set_asker(0);
  phase_ = Phase::starting;
  effects.emplace_back(WriteHandover{handover_});
}

void Supervisor::on(Instant now, const MessageCame& message, Effects& effects) {
  ToExecutor word;
  if (phase_ == Phase::idle || phase_ == Phase::ended || !word.ParseFromString(message.data)) return;
  take(now, word, effects);
}

void Supervisor::take(Instant now, const ToExecutor& word, Effects& effects) {
  if (word.repeat_report()) {
    report_.set_asker(word.asker());
    report_dirty_ = true;
  }
  if (word.has_command() && !word.command().argv().empty()) {  // of the next start; asked about by the new one at once
    command_ = word.command();
    if (!command_.has_readiness()) forget_readiness(effects);
    else if (!probe_until_) probe_at_ = now;
  }
  if (word.has_handover()) {
    if (word.handover().version() > handover_.version()) {
      handover_ = word.handover();
      report_.clear_gate_closed();
      effects.emplace_back(WriteHandover{handover_});
      answer_polls(effects);
    } else if (report_.handover_version() < handover_.version()) {
      effects.emplace_back(WriteHandover{handover_});  // the last attempt failed
    } else {
      report_dirty_ = true;  // the root has missed that we have it
    }
  }
  if (!word.restart()) return;
  if (word.has_restart_number()) {
    report_dirty_ = true;
    if (word.restart_number() <= restart_number_) return;  // said again
    restart_number_ = word.restart_number();
  }
  if (phase_ == Phase::backing_off) restart_at_ = now;
  if (restart_asked_ || (phase_ != Phase::running && phase_ != Phase::starting) || run_ == 0) return;
  restart_asked_ = true;
  if (phase_ == Phase::running) end_for_restart(now, effects);
}

/// What comes after it is started with what was asked for.
void Supervisor::end_for_restart(Instant now, Effects& effects) {
  kill_at_ = now + grace();
  effects.emplace_back(SignalChild{SIGTERM, false});
}

void Supervisor::on(Instant, const HandoverWritten& written, Effects& effects) {
  if (phase_ == Phase::ended) return;
  if (!written.error.empty()) {
    if (run_ == 0) end(TASK_FAILED, "cannot write handover.json: " + written.error, effects);
    return;  // the root says it again until we report that version
  }
  if (written.version <= report_.handover_version()) return;
  report_.set_handover_version(written.version);
  if (run_ == 0 && phase_ == Phase::starting) return start(effects);
  report_dirty_ = true;
  if (phase_ == Phase::running && command_.signal_on_change() != 0)
    effects.emplace_back(SignalChild{static_cast<int>(command_.signal_on_change()), false});
}

void Supervisor::start(Effects& effects) {
  if (run_ > 0 && handover_.may_start()) {  // what that was said of has perhaps changed: the root is to say it anew
    handover_.set_may_start(false);
    report_.set_gate_closed(true);
    report_dirty_ = true;
    effects.emplace_back(WriteHandover{handover_});
  }
  phase_ = Phase::starting;
  served_ = false;
  serving_since_.reset();
  report_.set_restart_number(restart_number_);  // what runs from now on is what was asked for
  effects.emplace_back(StartChild{
      ++run_, {command_.argv().begin(), command_.argv().end()}, child_environment(own_, command_, handover_, places_)});
}

void Supervisor::on(Instant now, const ChildStarted& started, Effects& effects) {
  if (started.run != run_) return;
  started_at_ = now;
  report_.set_pid(started.pid);
  report_dirty_ = true;
  if (phase_ == Phase::stopping) {
    effects.emplace_back(SignalChild{SIGTERM, false});
  } else {
    phase_ = Phase::running;
    if (restart_asked_) end_for_restart(now, effects);  // asked for on its way: it was started with what was
    else if (command_.has_readiness()) probe(now, effects);
  }
}

/// What the root learns of a child that cannot speak for itself.
void Supervisor::probe(Instant now, Effects& effects) {
  const auto& readiness = command_.readiness();
  probe_at_.reset();
  if (phase_ != Phase::running || !command_.has_readiness() || report_.managed()) return;
  probe_until_ = now + std::chrono::milliseconds(readiness.timeout_ms());
  effects.emplace_back(Probe{++probes_,
                             {readiness.argv().begin(), readiness.argv().end()},
                             child_environment(own_, command_, handover_, places_),
                             {handover_.framework_id(),
                              handover_.role(),
                              handover_.stack() + "." + handover_.node(),
                              {handover_.masters().begin(), handover_.masters().end()}}});
}

void Supervisor::on(Instant now, const Probed& probed, Effects&) {
  if (probed.number == probes_ && probe_until_) judge(now, probed.trouble);
}

void Supervisor::judge(Instant now, const std::string& trouble) {
  const auto& readiness = command_.readiness();
  probe_until_.reset();
  probe_at_ = now + std::chrono::milliseconds(readiness.interval_ms());
  if (!trouble.empty()) passes_since_.reset();
  else if (!passes_since_) passes_since_ = now;
  const bool ready = passes_since_ && now - *passes_since_ >= std::chrono::milliseconds(readiness.hold_for_ms());
  const std::string why = ready ? "" : trouble.empty() ? "its readiness check passes, and must go on to" : trouble;
  if (!report_.has_ready() || report_.ready() != ready || report_.not_ready() != why) report_dirty_ = true;
  report_.set_ready(ready);
  if (ready) report_.clear_not_ready();
  else report_.set_not_ready(why);
  if (ready && !served_) {
    served_ = true;
    serving_since_ = now;
  } else if (!ready) {
    refill(now);
    serving_since_.reset();
  }
}

/// The child is gone, or another one comes.
void Supervisor::forget_readiness(Effects& effects) {
  if (probe_until_) effects.emplace_back(DropProbe{});
  probe_until_.reset();
  probe_at_.reset();
  passes_since_.reset();
  report_.clear_ready();
  report_.clear_not_ready();
}

void Supervisor::on(Instant now, const ChildNotStarted& failed, Effects& effects) {
  if (failed.run != run_) return;
  if (phase_ == Phase::stopping) return end(TASK_KILLED, stop_reason_, effects);
  died(now, "could not be started: " + failed.reason, effects);
}

void Supervisor::on(Instant now, const ChildEnded& ended, Effects& effects) {
  if (ended.run != run_) return;
  forget_readiness(effects);
  kill_at_.reset();
  if (phase_ == Phase::stopping) return end(TASK_KILLED, stop_reason_, effects);
  if (restart_asked_) {
    gone("is being restarted as it was asked for");
    report_.set_restarts(report_.restarts() + 1);
    return start(effects);
  }
  const bool done = !report_.managed() || report_.child().drained() || report_.child().completed();
  if (exited_cleanly(ended.wait_status) && done) return end(TASK_FINISHED, "the child scheduler is done", effects);
  if (!report_.managed() && !command_.has_readiness()) {  // one that never speaks serves while it runs
    served_ = now - started_at_ >= sound_after;
    if (served_) serving_since_ = started_at_;
  }
  refill(now);
  died(now, how_it_ended(ended.wait_status), effects);
}

void Supervisor::died(Instant now, const std::string& how, Effects& effects) {
  if (!served_) deaths_.push_back(now);
  while (!deaths_.empty() && deaths_.front() + std::chrono::milliseconds(command_.window_ms()) < now)
    deaths_.pop_front();
  gone(how + " and is being restarted");
  if (deaths_.size() > command_.restarts_max())
    return end(
        TASK_FAILED,
        "the child scheduler died " + std::to_string(deaths_.size()) + " times before it served; the last " + how,
        effects);
  report_.set_restarts(report_.restarts() + 1);
  const Duration delay = restart_delay();
  ++streak_;
  if (delay == Duration::zero()) return start(effects);
  phase_ = Phase::backing_off;
  restart_at_ = now + delay;
}

/// What it said last is not so any more.
void Supervisor::gone(const std::string& how) {
  restart_asked_ = false;
  report_.clear_pid();
  if (report_.has_child()) {
    report_.mutable_child()->set_serving(false);
    report_.mutable_child()->set_reason("its scheduler " + how);
  }
  report_dirty_ = true;
}

Duration Supervisor::restart_delay() {
  if (streak_ == 0) return Duration::zero();
  const Backoff backoff{std::chrono::milliseconds(command_.backoff_min_ms()),
                        std::chrono::milliseconds(command_.backoff_max_ms())};
  return backoff.wait(streak_ - 1, rng_);
}

void Supervisor::refill(Instant now) {
  if (!serving_since_ || now - *serving_since_ < sound_after) return;
  deaths_.clear();
  streak_ = 0;
}

void Supervisor::on(Instant now, const ChildSaid& said, Effects&) {
  if (phase_ != Phase::running && phase_ != Phase::stopping) return;
  const bool news = !report_.managed() || report_.child().SerializeAsString() != said.status.SerializeAsString();
  if (news) report_dirty_ = true;
  *report_.mutable_child() = said.status;
  report_.set_managed(true);
  if (said.status.serving()) {
    served_ = true;
    if (!serving_since_) serving_since_ = now;
  } else {
    refill(now);
    serving_since_.reset();
  }
}

void Supervisor::on(Instant now, const HandoverAsked& asked, Effects& effects) {
  if (phase_ != Phase::idle && handover_.version() > asked.after) {
    effects.emplace_back(AnswerPoll{asked.poll, handover_});
    return;
  }
  polls_.push_back({asked.poll, now + poll_max});
  if (polls_.size() <= polls_max) return;
  effects.emplace_back(AnswerPoll{polls_.front().number, std::nullopt});
  polls_.pop_front();
}

void Supervisor::answer_polls(Effects& effects) {
  for (const auto& poll : polls_) effects.emplace_back(AnswerPoll{poll.number, handover_});
  polls_.clear();
}

void Supervisor::on(Instant now, const KillAsked& kill, Effects& effects) {
  if (phase_ == Phase::idle || kill.task_id != task_.task_id().value()) return;
  stop(now, kill.grace.value_or(grace()), "killed on request", effects);
}

void Supervisor::on(Instant now, const ShutDownAsked& asked, Effects& effects) {
  agent_gone_ = agent_gone_ || asked.agent_gone;
  if (phase_ == Phase::idle || (phase_ == Phase::ended && agent_gone_)) {
    effects.emplace_back(Exit{});
    return;
  }
  exit_at_ = now + grace() + limits::executor_shutdown_grace;
  stop(now, grace(), asked.reason, effects);
}

void Supervisor::stop(Instant now, Duration grace, const std::string& reason, Effects& effects) {
  if (phase_ == Phase::ended) return;
  if (phase_ == Phase::stopping) {  // a further KILL may only shorten the wait
    kill_at_ = std::min(kill_at_.value_or(now + grace), now + grace);
    return;
  }
  const bool alive = phase_ == Phase::running;
  const bool coming = phase_ == Phase::starting && run_ > 0;
  stop_reason_ = reason;
  if (!alive && !coming) return end(TASK_KILLED, reason, effects);
  phase_ = Phase::stopping;
  kill_at_ = now + grace;
  if (alive) effects.emplace_back(SignalChild{SIGTERM, false});
}

void Supervisor::end(TaskState state, const std::string& message, Effects& effects) {
  phase_ = Phase::ended;
  kill_at_.reset();
  report_.clear_pid();
  report_dirty_ = false;
  TaskStatus status;
  *status.mutable_task_id() = task_.task_id();
  status.set_state(state);
  status.set_message(message);
  status.set_data(report_.SerializeAsString());
  effects.emplace_back(SendUpdate{std::move(status)});
  if (agent_gone_) effects.emplace_back(Exit{});
}

void Supervisor::on(Instant, const Settled&, Effects& effects) {
  report_under_way_ = false;
  if (phase_ == Phase::ended) effects.emplace_back(Exit{});
}

void Supervisor::flush_report(Effects& effects) {
  if (!report_dirty_ || report_under_way_ || phase_ == Phase::idle || phase_ == Phase::ended) return;
  report_dirty_ = false;
  report_under_way_ = true;
  TaskStatus status;
  *status.mutable_task_id() = task_.task_id();
  status.set_state(TASK_RUNNING);
  if (report_.managed()) status.set_healthy(report_.child().serving());  // else the root judges: we cannot
  status.set_data(report_.SerializeAsString());
  effects.emplace_back(SendUpdate{std::move(status)});
}

Duration Supervisor::grace() const {
  if (task_.has_kill_policy() && task_.kill_policy().has_grace_period())
    return Duration(task_.kill_policy().grace_period().nanoseconds());
  return limits::kill_grace_default;
}

}  // namespace banyan::framework_executor
