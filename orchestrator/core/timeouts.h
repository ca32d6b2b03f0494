// How long the root waits for what, each with its outcome when the time has passed.
#pragma once

#include "runtime/base/backoff.h"

namespace banyan::root::timeouts {

using namespace std::chrono_literals;

/// Launching without an offer that fits, or without a word about the task: the node fails.
inline constexpr Duration launching = 5min;
/// Starting, or degraded, without coming to serve: the node fails; it serves all the same if it comes to it later.
/// Nobody fails earlier than its most patient dependant is willing to wait.
inline constexpr Duration starting = 10min;
/// The same of a job, which takes what it takes.
inline constexpr Duration job = std::chrono::hours(24 * 365);
/// A revision that says no deadline of its own gets this on top of the longest way of waits through its graph.
inline constexpr Duration revision = 10min;
/// The agent of a scheduler is silent for so long: another one is launched. Longer than executors outlive their agent
/// (limits::recovery_timeout); whoever returns later is killed as a stranger.
inline constexpr Duration lost_agent = 20min;
/// A child of a foreign program that never speaks to its executor is judged by its process alone after this.
inline constexpr Duration silent_child = 3s;
/// The master has said nothing about a task: ask again.
inline constexpr Duration reconcile = 10s;
/// The master does not know a task: ask again, and believe it after a time in which agents come back to a new master.
inline constexpr Duration unknown_retry = 2s;
inline constexpr Duration unknown_task = 20s;
/// A handover or a wish for a report was not answered: send it again, doubling.
inline constexpr Backoff push{1s, 10s};
/// Draining of one node: then the operator tears it down.
inline constexpr Duration drain = 60s;
/// An executor whose task has ended, to end too: no process is left when a node counts as stopped.
inline constexpr Duration executor_end = 5s;
/// Kill, teardown or release without success: again.
inline constexpr Duration stop_retry = 2s;
/// Back-off between launches of a scheduler that died before it served, doubling.
inline constexpr Backoff relaunch{200ms, 10s};
/// Deaths of the task before it was sound (sound_after). Each is already five deaths of the process, counted by the
/// executor.
inline constexpr unsigned deaths_max = 3;

}  // namespace banyan::root::timeouts
