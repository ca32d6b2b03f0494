// One file from a URI to a path.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "runtime/base/result.h"

namespace banyan::posix {

/// Absolute paths and file:// are copied, http(s) is downloaded: at most 5 redirects, given up when it stalls for a
/// minute or is larger than `bytes_max`. `to` is removed when it fails. Blocks.
[[nodiscard]] Result<void> download(const std::string& uri, const std::string& to, std::uint64_t bytes_max,
                                    const std::atomic<bool>& cancelled);

}  // namespace banyan::posix
