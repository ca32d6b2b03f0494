// What holds between any two steps, whatever happens; checked after each one in tests and simulation.
#include "executors/framework/core/supervisor.h"
#include "runtime/base/check.h"

namespace banyan::framework_executor {

void Supervisor::check_invariants() const {
  const bool has_process = phase_ == Phase::running || (phase_ == Phase::stopping && report_.has_pid());
  BANYAN_CHECK(report_.has_pid() == has_process);
  BANYAN_CHECK(phase_ != Phase::stopping || run_ > 0);
  BANYAN_CHECK(!restart_asked_ || (phase_ != Phase::idle && phase_ != Phase::backing_off));
  BANYAN_CHECK(report_.restart_number() <= restart_number_);
  BANYAN_CHECK(!kill_at_ || phase_ == Phase::running || phase_ == Phase::stopping);
  BANYAN_CHECK(phase_ == Phase::ended || deaths_.size() <= command_.restarts_max());
  check_report();
  check_waits();
}

/// What the root is told is what is so.
void Supervisor::check_report() const {
  BANYAN_CHECK(!report_dirty_ || report_under_way_ || phase_ == Phase::idle);  // whatever changed is on its way
  BANYAN_CHECK(report_.managed() == report_.has_child());
  BANYAN_CHECK(report_.handover_version() <= handover_.version());
  BANYAN_CHECK(!report_.gate_closed() || !handover_.may_start());
  BANYAN_CHECK(!report_.child().serving() || report_.has_pid() || phase_ == Phase::ended);
  // Nobody answers for a child that is not there, and nobody is asked for one that speaks for itself.
  const bool there = phase_ == Phase::running || phase_ == Phase::stopping;
  BANYAN_CHECK(there || (!report_.has_ready() && !probe_at_ && !probe_until_ && !passes_since_));
  BANYAN_CHECK(!report_.ready() || passes_since_);
  BANYAN_CHECK(!serving_since_ || served_);
}

/// Each wait has its deadline armed.
void Supervisor::check_waits() const {
  const auto armed = next_deadline();
  const auto wakes_for = [&](const std::optional<Instant>& at) { BANYAN_CHECK(!at || (armed && *armed <= *at)); };
  if (phase_ == Phase::backing_off) wakes_for(restart_at_);
  for (const auto& at : {kill_at_, exit_at_, probe_at_, probe_until_}) wakes_for(at);
  for (const auto& poll : polls_) wakes_for(poll.until);
  BANYAN_CHECK(polls_.size() <= polls_max);
}

}  // namespace banyan::framework_executor
