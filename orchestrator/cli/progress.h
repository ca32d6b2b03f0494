// The live view of `up` and `down`: what changed between two statuses, as a picture or as lines. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "banyan/root.pb.h"
#include "orchestrator/cli/paint.h"

namespace banyan::cli {

struct Frame {
  std::string verb;              ///< "up", "down"
  std::uint64_t elapsed_ms = 0;  ///< since the verb began
  std::uint64_t age_ms = 0;      ///< since the status arrived: timers go on between statuses
  std::size_t tick = 0;          ///< turns the spinner
  std::size_t columns = 80;
  std::size_t rows = 24;
};

/// One picture, line by line: a header, then a line per node in launch order. Rows never jump; what does not fit on the
/// screen becomes " … N more".
[[nodiscard]] std::vector<std::string> picture(const root::StackStatus& stack, const Frame& frame, const Paint& paint);

/// One line per node whose state or, while it waits, whose reason changed. `before`: nothing at first.
[[nodiscard]] std::vector<std::string> changes(const std::optional<root::StackStatus>& before,
                                               const root::StackStatus& now, std::uint64_t elapsed_ms,
                                               const Paint& paint);
/// The same as JSON objects: {"elapsed_ms","node","state","reason"}.
[[nodiscard]] std::vector<std::string> changes_json(const std::optional<root::StackStatus>& before,
                                                    const root::StackStatus& now, std::uint64_t elapsed_ms);

/// `now` as it should be told in lines: a reason that changes while the state stays is news at most every five seconds.
/// `told_at`: when each node's reason was last let through; kept by the caller between calls.
[[nodiscard]] root::StackStatus calmed(const root::StackStatus& said, const root::StackStatus& now,
                                       std::uint64_t elapsed_ms, std::map<std::string, std::uint64_t>& told_at);

/// The nodes that were well before the verb began: `up` has nothing to tell of them until they change.
[[nodiscard]] root::StackStatus settled_before(const root::StackStatus& now, std::uint64_t elapsed_ms);

/// A line per node whose servers run on with addresses of others that have changed since, and how they get the new
/// ones.
[[nodiscard]] std::vector<std::string> left_behind(const root::StackStatus& stack);

/// How the revision `mine` stands, as the root judges it: nothing while it is open, else the exit code of `up`.
[[nodiscard]] std::optional<int> outcome(const root::Revision& newest, std::uint64_t mine);

/// The last words: "logging is serving: 5 nodes in 41.2s; longest way zookeeper 9.1s -> kafka 20.4s", of those that
/// took part in it.
[[nodiscard]] std::string summary(const root::StackStatus& stack, std::uint64_t elapsed_ms);

}  // namespace banyan::cli
