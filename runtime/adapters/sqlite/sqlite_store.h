// Store and Election on one machine: SQLite (WAL, synchronous=FULL, group commit) and an OFD lock.
#pragma once

#include <memory>
#include <string>

#include "runtime/base/result.h"
#include "runtime/ports/election.h"
#include "runtime/ports/store.h"

namespace banyan {
class Loop;

/// `<folder>/<name>.db`. Opens or creates; a damaged file is refused with its path, never replaced.
/// A worker thread writes; all changes queued meanwhile go into the next transaction.
[[nodiscard]] Result<std::unique_ptr<Store>> open_sqlite_store(Loop& loop, const std::string& folder,
                                                               const std::string& name);

/// `<folder>/<name>.lock`, an OFD lock (CLOEXEC), so it dies with its holder even after kill -9. A waiting candidate
/// blocks on a thread of its own (F_OFD_SETLKW): no polling.
[[nodiscard]] std::unique_ptr<Election> make_file_election(Loop& loop, const std::string& folder,
                                                           const std::string& name);

}  // namespace banyan
