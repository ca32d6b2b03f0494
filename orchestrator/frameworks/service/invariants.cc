// What holds between any two steps, whatever happens; checked after each one in tests and simulation.
#include <algorithm>

#include "orchestrator/frameworks/service/core.h"
#include "runtime/base/check.h"

namespace banyan::service {

namespace {

void check_phase(const Instance& i) {
  BANYAN_CHECK(i.has_task() == !i.record.task.empty());
  BANYAN_CHECK(i.record.completed + i.record.failed + i.record.quarantined <= 1);
  BANYAN_CHECK(!i.has_task() || (i.record.attempt > 0 && !i.record.place.agent.empty()));
  BANYAN_CHECK(!i.has_task() || !i.backoff_until);
  BANYAN_CHECK(!i.unreachable_since || i.phase == Phase::unreachable || i.phase == Phase::killing);
  BANYAN_CHECK(i.phase != Phase::killing || i.ask_again);      // a KILL is repeated until the end is known
  BANYAN_CHECK(i.phase != Phase::unreachable || i.ask_again);  // nobody tells unasked that its agent is back without it
  BANYAN_CHECK(!i.ask_again || i.has_task());
  BANYAN_CHECK(!i.serving_since || i.phase == Phase::running);
}

/// What a crash now would find says of the task what we act upon: no id is used twice, none is forgotten.
void check_durable(const Instance& i, const std::map<std::string, std::string>& stored) {
  if (!i.has_task()) return;
  const auto found = stored.find("instance/" + i.name);
  BANYAN_CHECK(found != stored.end());
  const auto record = decode_record(found->second);
  BANYAN_CHECK(record && record->task == i.record.task && record->attempt == i.record.attempt);
}

/// A number of one machine is one server's.
void check_ports(const std::vector<Instance>& instances) {
  std::set<std::pair<std::string, std::uint16_t>> taken;
  for (const auto& i : instances) {
    if (i.record.place.agent.empty()) continue;
    for (const auto& [name, port] : i.record.place.ports)
      BANYAN_CHECK(taken.insert({i.record.place.agent, port}).second);
  }
}

}  // namespace

void Core::check_invariants() const {
  if (exiting_) return BANYAN_CHECK(!next_deadline());  // no Tick would do anything
  std::set<std::string> names;
  const auto armed = next_deadline();
  const auto wakes_for = [&](const std::optional<Instant>& at) { BANYAN_CHECK(!at || (armed && *armed <= *at)); };
  for (const auto& i : instances_) {
    BANYAN_CHECK(names.insert(i.name).second);
    check_phase(i);
    check_durable(i, stored_);
    if (!config_error_.empty()) continue;
    wakes_for(i.backoff_until);
    if (i.unreachable_since) wakes_for(*i.unreachable_since + unreachable_max);
    if (subscribed_) wakes_for(i.ask_again);
  }
  for (const auto& l : leaving_) {
    BANYAN_CHECK(names.insert(l.instance.name).second);
    BANYAN_CHECK(l.instance.has_task() && !l.instance.record.task.empty());
    if (subscribed_ && config_error_.empty()) wakes_for(l.instance.ask_again);
  }
  check_ports(instances_);
}

}  // namespace banyan::service
