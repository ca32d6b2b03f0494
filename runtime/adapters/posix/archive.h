// Unpacking archives that nobody trusts.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.h"

namespace banyan::posix {

struct ArchiveLimits {
  std::uint64_t bytes_max = 16ull << 30;
  std::uint64_t entries_max = 200'000;
};

/// By the suffixes Mesos knows: .tar .tar.gz .tgz .tar.bz2 .tbz2 .tar.xz .txz .zip
[[nodiscard]] bool is_archive(const std::string& name);

/// Unpacks into `folder`, which is empty of anybody else's files and closed to tasks. Takes files, folders, and links
/// that stay inside; an entry that leads outside (absolute, "..", through a link) or is a device is an error, and so is
/// an archive larger than the limits. Setuid bits are dropped.
[[nodiscard]] Result<void> unpack(const std::string& archive, const std::string& folder, ArchiveLimits limits = {});

}  // namespace banyan::posix
