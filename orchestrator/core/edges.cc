#include "orchestrator/core/edges.h"

#include <algorithm>

#include "orchestrator/core/words.h"

namespace banyan::root {
namespace {

bool satisfies(State state, specs::Condition condition) {
  switch (condition) {
    case specs::Condition::started:
      return state == State::starting || state == State::serving || state == State::degraded ||
             state == State::completed;
    case specs::Condition::serving: return state == State::serving || state == State::completed;
    case specs::Condition::completed: return state == State::completed;
  }
  return false;
}

}  // namespace

bool holds(const Node& node, std::size_t edge) {
  const Node& on = *node.needs[edge];
  return satisfies(on.state, node.spec->edges[edge].condition) && confirmed(on);
}

bool broken(const Node& node, std::size_t edge) { return given_up(*node.needs[edge]) && !holds(node, edge); }

std::optional<Instant> deadline_of(const Node& node, std::size_t edge) {
  const Node& on = *node.needs[edge];
  if (on.state == State::waiting) return std::nullopt;
  return std::max(node.since, on.begun) + node.spec->edges[edge].timeout;
}

std::string why(const Node& node, std::size_t edge) {
  const Node& on = *node.needs[edge];
  return on.spec->name + " to be " + word(node.spec->edges[edge].condition) + " (it is " +
         (confirmed(on) ? std::string(name(on.state)) : "not heard of yet") + ")";
}

bool edges_hold(const Node& node) {
  for (std::size_t i = 0; i < node.needs.size(); ++i)
    if (node.spec->edges[i].required && !holds(node, i)) return false;
  return true;
}

bool any_broken(const Node& node) {
  for (std::size_t i = 0; i < node.needs.size(); ++i)
    if (node.spec->edges[i].required && broken(node, i)) return true;
  return false;
}

std::string first_cause(const Node& node) {
  return node.record.cause_node().empty() ? node.spec->name : node.record.cause_node();
}

}  // namespace banyan::root
