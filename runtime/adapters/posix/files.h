// Small deeds on files that several parts need.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace banyan::posix {

/// A whole small file; an error names the path.
[[nodiscard]] Result<std::string> read_file(const std::string& path);
/// Through PATH.new: readers see the old content or the new one, never half of either. Not synced: a power cut may undo
/// it (what must outlive that belongs into a Store).
[[nodiscard]] Result<void> write_file(const std::string& path, std::string_view content, mode_t mode);
/// Every missing folder of `path`, each with `mode`, whatever the umask.
[[nodiscard]] Result<void> make_folders(const std::string& path, mode_t mode);
/// Everything below `path`, and itself; links are removed, never followed. Missing: fine.
void remove_tree(const std::string& path);
/// Gives `path` and everything below to that user; links are given, never followed.
[[nodiscard]] Result<void> give_tree(const std::string& path, uid_t user, gid_t group);
/// True when `path` is relative and stays below where it starts: no "..", not empty.
[[nodiscard]] bool stays_below(std::string_view path);

}  // namespace banyan::posix
