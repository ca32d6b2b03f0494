// Revisions: what each `up` asked for, and whether it has come to be. The root alone judges that.
#include <algorithm>

#include "orchestrator/core/core.h"
#include "orchestrator/core/revision.h"
#include "orchestrator/core/timeouts.h"
#include "orchestrator/core/words.h"
#include "runtime/base/fnv.h"
#include "specs/change.h"

namespace banyan::root {
namespace {

constexpr int history_max = 50;

std::int64_t wall_ms(const Now& now) { return milliseconds(now.wall.time_since_epoch()); }

void age(Revision& revision, const Now& now) {
  revision.set_age_ms(static_cast<std::uint64_t>(std::max<std::int64_t>(0, wall_ms(now) - revision.opened_ms())));
}

}  // namespace

std::string graph_hash(const specs::Stack& stack) {
  Fnv hash;
  for (const auto& node : stack.nodes) hash.add(node.name).add(specs::hash(node));
  return hash.hex();
}

Duration longest_wait(const specs::Stack& stack) {
  std::map<std::string, Duration> way;
  Duration longest{0};
  for (const auto& node : stack.nodes) {  // in topological order
    auto& mine = way[node.name];
    for (const auto& edge : node.edges) mine = std::max(mine, way[edge.on] + edge.timeout);
    longest = std::max(longest, mine);
  }
  return longest;
}

std::string owner_of(const UpRequest& request) { return request.owner().empty() ? "somebody" : request.owner(); }

/// The first node on the way that is not where it is to be.
std::string Core::step_of(const Stack& stack) {
  if (stack.tally.unmet.empty()) return "";
  const Node& node = *stack.order[*stack.tally.unmet.begin()];
  const auto& child = node.record.report().child();
  if (at_goal(node)) return node.spec->name + " is being changed" + (child.has_step() ? ": " + child.step() : "");
  return node.spec->name + " is " + std::string(name(node.state));
}

Revision Core::shown(const Stack& stack, Now now) {
  Revision revision = stack.record.revision();
  age(revision, now);
  if (stack.open()) revision.set_step(step_of(stack));
  return revision;
}

void Core::open_revision(Stack& stack, const UpRequest& request, const std::string& hash) {
  auto& history = *histories_[stack.name()].mutable_revisions();
  auto& revision = *stack.record.mutable_revision();
  const auto number = history.empty() ? 1 : history.rbegin()->number() + 1;
  const Duration timeout = request.timeout_ms() > 0 ? Duration(std::chrono::milliseconds(request.timeout_ms()))
                                                    : timeouts::revision + longest_wait(stack.spec);
  revision.Clear();
  revision.set_number(number);
  revision.set_hash(hash);
  revision.set_owner(owner_of(request));
  revision.set_state("open");
  revision.set_opened_ms(wall_ms(now_));
  revision.set_timeout_ms(static_cast<std::uint64_t>(milliseconds(timeout)));
  stack.revision_deadline = now_.mono + timeout;
  *history.Add() = revision;
  if (history.size() > history_max) history.DeleteSubrange(0, history.size() - history_max);
  record_event(stack.name(), "revision.opened", "revision " + std::to_string(number), "up by " + revision.owner());
  save(stack);
}

void Core::close_revision(Stack& stack, const std::string& state, const std::string& reason) {
  auto& revision = *stack.record.mutable_revision();
  revision.set_state(state);
  revision.set_reason(reason);
  auto& history = *histories_[stack.name()].mutable_revisions();
  if (!history.empty() && history.rbegin()->number() == revision.number()) *history.rbegin() = revision;
  record_event(stack.name(), "revision." + state, "revision " + std::to_string(revision.number()), reason);
  save(stack);
  changed_.nodes[stack.name()];
}

/// Done when every node is met; failed when nobody is on the way any more and one is not; timed out at its deadline.
void Core::judge_revision(Stack& stack) {
  if (!stack.open() || stack.down()) return;
  if (stack.tally.unmet.empty()) return close_revision(stack, "done", "");
  if (stack.tally.on_the_way > 0) {
    if (!connected_ || stack.revision_deadline > now_.mono) return;
    return close_revision(stack, "timed_out",
                          "not done after " + words(std::chrono::milliseconds(stack.record.revision().timeout_ms())) +
                              ": " + step_of(stack));
  }
  // The first that failed by itself is the cause; one that failed for another's sake only if there is no such.
  const Node* cause = nullptr;
  bool timed_out = false;
  for (const auto at : stack.tally.unmet) {
    const Node* node = stack.order[at];
    timed_out |= node->record.timed_out();
    const bool own = node->record.cause_node().empty();
    if (cause == nullptr || (own && !cause->record.cause_node().empty())) cause = node;
  }
  close_revision(stack, timed_out ? "timed_out" : "failed",
                 cause->spec->name + " is " + std::string(name(cause->state)) + ": " + cause->record.reason());
}

std::vector<Revision> Core::history(Now now, const std::string& stack) const {
  std::vector<Revision> found;
  const auto known = histories_.find(stack);
  if (known == histories_.end()) return found;
  found.assign(known->second.revisions().rbegin(), known->second.revisions().rend());
  for (auto& revision : found) age(revision, now);
  return found;
}

}  // namespace banyan::root
