// What each exit code of `banyan` means; printed by `banyan help exit-codes`.
#pragma once

#include <array>
#include <string_view>

namespace banyan::cli {

enum Exit : int {
  exit_ok = 0,
  exit_failed = 1,
  exit_usage = 2,
  exit_timeout = 3,
  exit_conflict = 4,
  exit_unreachable = 5,
  exit_changes = 10,
  exit_interrupted = 130,
};

struct ExitRow {
  int code;
  std::string_view meaning;
};

inline constexpr std::array<ExitRow, 8> exit_rows{{
    {exit_ok, "done; for `up`: every framework is at its goal"},
    {exit_failed, "failed: a framework is failed or quarantined, or the request was refused"},
    {exit_usage, "wrong usage, or the stack file is invalid"},
    {exit_timeout, "timed out: a wait passed its deadline, or --timeout did"},
    {exit_conflict, "conflict with what is running, or superseded by another `up` or `down`"},
    {exit_unreachable, "not connected: no cluster, or its root does not answer"},
    {exit_changes, "with --detailed-exitcode: there are changes to make"},
    {exit_interrupted, "interrupted (Ctrl-C stops watching, never the stack)"},
}};

/// `up` ends as its revision does.
struct RevisionEnd {
  std::string_view state;
  int code;
  std::string_view meaning;  ///< printed by `banyan explain STATE`
};

inline constexpr std::array<RevisionEnd, 4> revision_ends{{
    {"done", exit_ok, "Every framework has acted on all of it and is at its goal."},
    {"failed", exit_failed, "No framework is on the way any more, and one is failed or quarantined."},
    {"timed_out", exit_timeout, "Its deadline (--timeout) or an edge's passed before all were at their goal."},
    {"superseded", exit_conflict, "Another `up` took its place, or a `down` did."},
}};

}  // namespace banyan::cli
