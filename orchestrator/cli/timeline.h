// What was: one line per event of the log, one row per revision. Pure; golden files in tests/unit/root hold them.
#pragma once

#include <cstdint>
#include <string>

#include "banyan/root.pb.h"
#include "orchestrator/cli/paint.h"

namespace banyan::cli {

/// "04:57:00" of today, else "2026-11-21 04:57:00"; local time. Both are Unix times in milliseconds.
[[nodiscard]] std::string when(std::int64_t wall_ms, std::int64_t now_ms);

/// One event, without the newline; its number first, so that others can refer to it. `zero_ms`: the mono_ms that
/// "+0.0s" stands for.
[[nodiscard]] std::string render_event(const root::Event& event, std::uint64_t zero_ms, std::int64_t now_ms,
                                       const Paint& paint);

/// A row per revision, the newest first: who asked for what, when, and what came of it.
[[nodiscard]] std::string render_history(const root::History& history, std::int64_t now_ms, const Paint& paint);

/// "4 of anna@host pid 4711, open for 12.3s, kafka is starting".
[[nodiscard]] std::string revision_text(const root::Revision& revision);

/// The first digits of a hash, enough to tell two apart; "-" for none.
[[nodiscard]] std::string short_hash(const std::string& hash);

}  // namespace banyan::cli
