// From what runs to what is declared: rolling restarts, and how far they are.
#include <algorithm>

#include "orchestrator/frameworks/service/core.h"
#include "specs/change.h"

namespace banyan::service {

bool Core::outdated(const Instance& i) const {
  const auto print = fingerprints_.find(i.name);
  const bool changed = print != fingerprints_.end() && !print->second.empty() && print->second != i.record.fingerprint;
  return changed || i.record.restart < restarts_wanted(i);
}

/// It runs and does not serve, and not only because nobody has asked it yet.
bool Core::hopeless(const Instance& i) const {
  if (i.phase != Phase::running || serving(i)) return false;
  return !i.served || !port_complaint(i).empty() || !readiness_.complaint(i.name, i.server).empty();
}

/// Servers that do not serve now: a change asked for may be what mends them, so it does not wait for them.
void Core::note_broken() {
  for (const auto& i : instances_) {
    const bool down = i.ended_for_good() ? !i.record.completed : hopeless(i) || i.phase == Phase::idle;
    if (down || !readiness_.complaint("", i.server).empty()) broken_.insert(server_of(i).name);
  }
}

/// Whether everybody else is well enough for `next` to go. What has failed for good holds back its own kind only. One
/// of its own kind that was broken before has gone first: while the new configuration has not mended it, the others are
/// left alone. Only a restart that was asked for goes through all.
bool Core::may_go_down(const Instance& next) const {
  const bool asked = next.record.restart < restarts_wanted(next);
  return std::all_of(instances_.begin(), instances_.end(), [&](const Instance& i) {
    if (&i == &next || i.record.completed) return true;
    const bool broken = broken_.contains(server_of(i).name) && (asked || i.server != next.server);
    if (serving(i)) return broken || readiness_.server_ready(i.server);
    if (i.ended_for_good()) return broken || i.server != next.server;
    return broken && (hopeless(i) || i.backoff_until.has_value());
  });
}

/// Rolling restart, one step. Who does not serve has nothing to lose and goes at once (a set of servers whose old
/// configuration never worked would wait for ever otherwise); who serves goes alone, last instance first, while
/// everybody else serves.
void Core::roll() {
  for (std::size_t s = 0; s < node_.servers.size(); ++s) {
    const bool well = readiness_.server_ready(s) &&
                      std::all_of(instances_.begin(), instances_.end(),
                                  [&](const auto& i) { return i.server != s || serving(i) || i.record.completed; });
    if (well) broken_.erase(node_.servers[s].name);
  }
  if (!subscribed_) return;
  Instance* next = nullptr;
  for (auto& i : instances_) {
    if (i.phase != Phase::running || !outdated(i) || wants_place(i)) continue;
    if (hopeless(i)) kill(i, Ending::relaunch, server_of(i).stop.grace);
    else next = &i;
  }
  if (next != nullptr && may_go_down(*next)) kill(*next, Ending::relaunch, server_of(*next).stop.grace);
}

/// Every server runs, or has ended, as declared.
bool Core::observed() const {
  if (!config_error_.empty() || !refused_.empty() || !subscribed_ || draining() || !leaving_.empty()) return false;
  return std::none_of(instances_.begin(), instances_.end(), [&](const Instance& i) {
    const bool settled = i.phase == Phase::running || i.phase == Phase::idle || i.phase == Phase::unreachable;
    return !settled || i.record.launched.empty() || outdated(i) || wants_place(i);
  });
}

std::string Core::progress() const {
  if (draining() || !handover_ || !config_error_.empty()) return "";
  if (!leaving_.empty()) return "stopping " + leaving_.back().instance.name;
  std::string restarting, starting;
  std::size_t old = 0;
  for (const auto& i : instances_) {
    if (i.record.launched.empty()) starting += (starting.empty() ? "" : ", ") + i.name;
    else if (outdated(i) && !i.record.completed) {
      ++old;
      restarting = i.name;  // the last one goes first
    }
  }
  if (old > 0)
    return "restarting " + restarting + ", " + std::to_string(instances_.size() - old) + " of " +
           std::to_string(instances_.size()) + " done";
  return starting.empty() ? "" : "starting " + starting;
}

}  // namespace banyan::service
