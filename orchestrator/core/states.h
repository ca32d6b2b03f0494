// The life of a node as one table: which states there are, what they mean, where each may lead.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace banyan::root {

enum class State : std::uint8_t {
  waiting,
  launching,
  starting,
  serving,
  degraded,
  failed,
  quarantined,
  stopping,
  stopped,
  completed,
};

struct StateRow {
  State state;
  std::string_view name;
  std::uint16_t next;        ///< bit set of the states it may move to
  bool settled;              ///< `up` waits for it no longer
  std::string_view meaning;  ///< printed by `banyan explain STATE`
};

[[nodiscard]] constexpr std::uint16_t bit(State s) { return static_cast<std::uint16_t>(1u << static_cast<int>(s)); }

/// The only list of states. A state is left for one of `next`; anything else is our own mistake (BANYAN_CHECK).
inline constexpr std::array<StateRow, 10> states{{
    {State::waiting, "waiting", bit(State::launching) | bit(State::failed) | bit(State::stopping) | bit(State::stopped),
     false,
     "A condition of one edge does not hold yet. Nothing of it runs. When that edge's timeout passes, it fails."},
    {State::launching, "launching",
     bit(State::waiting) | bit(State::starting) | bit(State::serving) | bit(State::completed) | bit(State::failed) |
         bit(State::quarantined) | bit(State::stopping) | bit(State::stopped),
     false, "All its edges hold. Its child scheduler waits for an offer, or has been launched and is not running yet."},
    {State::starting, "starting",
     bit(State::launching) | bit(State::serving) | bit(State::completed) | bit(State::failed) |
         bit(State::quarantined) | bit(State::stopping),
     false, "Its child scheduler runs; its servers are not ready yet."},
    {State::serving, "serving",
     bit(State::degraded) | bit(State::starting) | bit(State::completed) | bit(State::failed) |
         bit(State::quarantined) | bit(State::stopping),
     true, "Every server is up and every readiness probe passes. What depends on it may start."},
    {State::degraded, "degraded",
     bit(State::waiting) | bit(State::starting) | bit(State::serving) | bit(State::completed) | bit(State::failed) |
         bit(State::quarantined) | bit(State::stopping),
     false, "It was serving and is not now: a server, a probe or its scheduler is down and is being brought back."},
    {State::failed, "failed",
     bit(State::waiting) | bit(State::launching) | bit(State::starting) | bit(State::serving) | bit(State::completed) |
         bit(State::quarantined) | bit(State::stopping) | bit(State::stopped),
     true, "A wait passed its deadline, or what it needs has failed. `up` or `restart` tries again."},
    {State::quarantined, "quarantined",
     bit(State::waiting) | bit(State::launching) | bit(State::starting) | bit(State::serving) | bit(State::degraded) |
         bit(State::completed) | bit(State::stopping) | bit(State::stopped),
     true, "It died too often before it served, and is left alone. Mend the cause, then `banyan restart NODE`."},
    {State::stopping, "stopping", bit(State::stopped), false,
     "It drains: its servers stop, its scheduler leaves the master. At the deadline it is torn down."},
    {State::stopped, "stopped", bit(State::waiting), true, "Nothing of it runs. Its data and its addresses are kept."},
    {State::completed, "completed",
     bit(State::waiting) | bit(State::launching) | bit(State::starting) | bit(State::stopping) | bit(State::stopped),
     true, "Its goal was to end, and it ended well."},
}};

[[nodiscard]] constexpr const StateRow& row(State s) { return states[static_cast<std::size_t>(s)]; }
[[nodiscard]] constexpr std::string_view name(State s) { return row(s).name; }
[[nodiscard]] constexpr bool may_move(State from, State to) { return (row(from).next & bit(to)) != 0; }
[[nodiscard]] constexpr std::optional<State> state_named(std::string_view text) {
  for (const auto& r : states)
    if (r.name == text) return r.state;
  return std::nullopt;
}

namespace internal {
constexpr bool in_order() {
  for (std::size_t i = 0; i < states.size(); ++i)
    if (static_cast<std::size_t>(states[i].state) != i) return false;
  return true;
}
constexpr bool stoppable() {
  for (const auto& r : states)
    if (r.state != State::stopped && !may_move(r.state, State::stopping) && r.state != State::stopping) return false;
  return true;
}
}  // namespace internal
static_assert(internal::in_order(), "row(s) indexes the table by the state");
static_assert(internal::stoppable(), "`down` must be possible from every state");

}  // namespace banyan::root
