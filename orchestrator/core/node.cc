#include "orchestrator/core/node.h"

#include <utility>

namespace banyan::root {

Life life_of(const NodeRecord& record, bool down, Instant now, Duration drain_limit) {
  Life life;
  life.state = state_named(record.state()).value_or(State::waiting);
  const bool known = !record.task_id().empty();
  if (!down && (life.state == State::stopped || life.state == State::stopping))
    life.state = known ? State::starting : State::waiting;
  task::Out unheard;
  unheard.confirmed = false;
  unheard.reconcile_at = now;
  if (known && life.state == State::launching) life.task = task::Launched{unheard};
  else if (known) life.task = task::Running{unheard, now};
  else if (life.state == State::launching || life.state == State::starting || life.state == State::serving ||
           life.state == State::degraded)
    life.task = task::Wanted{};
  if (life.state != State::stopping) return life;
  if (record.stop() == "release") {
    life.stop = stop::Release{};
  } else if (record.stop() == "drain") {
    life.stop = stop::Drain{now + drain_limit};
    if (!known) life.task = task::Wanted{};  // it died on the way: launched again for it
  } else {
    life.stop = stop::Teardown{!record.used(), false, {}};
  }
  return life;
}

bool ByPlace::operator()(const Node* a, const Node* b) const {
  if (a->stack == b->stack) return a->at < b->at;
  return a->stack->name() < b->stack->name();
}

bool at_goal(const Node& node) {
  if (node.spec->goal == specs::Goal::completed) return node.state == State::completed;
  return node.state == State::serving || node.state == State::completed;
}

namespace {

/// Its scheduler has taken the newest handover: what it says of its servers is about the addresses of today.
bool up_to_date(const Node& node) {
  const auto& child = node.record.report().child();
  return !node.spec->scheduler.service || !in<task::Running>(node) || !child.has_handover_version() ||
         child.handover_version() >= node.record.handover_version();
}

}  // namespace

bool met(const Node& node) {
  const auto& record = node.record;
  const bool restarted = record.report().restart_number() >= record.scheduler_restarts();
  return confirmed(node) && record.observed() == node.target && restarted && at_goal(node) && up_to_date(node);
}

Standing standing_of(const Node& node) {
  return {met(node), given_up(node), node.state == State::degraded, row(node.state).settled && confirmed(node),
          node.state == State::stopped};
}

Outside outside_of(const Node& node) {
  return {node.state, confirmed(node), node.begun, node.record.cause_node(), node.endpoints};
}

void Tally::replace(std::optional<Standing>& counted, const Standing& now, std::uint32_t at) {
  if (counted == now) return;
  const auto add = [this](const Standing& one, std::size_t by) {  // by: one, or minus one in unsigned arithmetic
    on_the_way += one.met || one.given_up ? 0 : by;
    given_up += one.given_up ? by : 0;
    degraded += one.degraded ? by : 0;
    unsettled += one.settled ? 0 : by;
    stopped += one.stopped ? by : 0;
  };
  if (counted) add(*counted, static_cast<std::size_t>(-1));
  add(now, 1);
  if (now.met) unmet.erase(at);
  else unmet.insert(at);
  counted = now;
}

}  // namespace banyan::root
