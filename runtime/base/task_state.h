// The states of a task, with the numbers of Mesos' v1 API.
#pragma once

#include <string_view>

namespace banyan {

enum class TaskState {
  starting = 0,
  running = 1,
  finished = 2,
  failed = 3,
  killed = 4,
  lost = 5,  ///< the stand-in for dropped, unreachable, gone, unknown towards frameworks that are not PARTITION_AWARE
  staging = 6,
  error = 7,
  killing = 8,
  dropped = 9,       ///< never launched
  unreachable = 10,  ///< its agent fell silent; it may come back
  gone = 11,         ///< it ran, and certainly does not any more
  gone_by_operator = 12,
  unknown = 13,  ///< an answer to reconciliation only: "I do not know it", see is_terminal()
};

/// The state with Mesos' number: `task_state(status.state())` for a message's enum.
[[nodiscard]] constexpr TaskState task_state(int number) { return static_cast<TaskState>(number); }

/// No other state follows a terminal one. `unknown` is none: a master that has just come back says it of tasks that
/// run, until their agents have registered again. Whoever asked believes it only when it stays that way.
[[nodiscard]] constexpr bool is_terminal(TaskState state) {
  switch (state) {
    case TaskState::finished:
    case TaskState::failed:
    case TaskState::killed:
    case TaskState::lost:
    case TaskState::error:
    case TaskState::dropped:
    case TaskState::gone:
    case TaskState::gone_by_operator: return true;
    default: return false;
  }
}

/// "TASK_RUNNING"
[[nodiscard]] constexpr std::string_view name(TaskState state) {
  constexpr std::string_view names[] = {"TASK_STARTING",         "TASK_RUNNING", "TASK_FINISHED",    "TASK_FAILED",
                                        "TASK_KILLED",           "TASK_LOST",    "TASK_STAGING",     "TASK_ERROR",
                                        "TASK_KILLING",          "TASK_DROPPED", "TASK_UNREACHABLE", "TASK_GONE",
                                        "TASK_GONE_BY_OPERATOR", "TASK_UNKNOWN"};
  return names[static_cast<int>(state)];
}

}  // namespace banyan
