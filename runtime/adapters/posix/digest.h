// SHA-256 of files.
#pragma once

#include <string>

#include "runtime/base/result.h"

namespace banyan::posix {

/// Lower-case hex.
[[nodiscard]] Result<std::string> sha256_of_file(const std::string& path);
[[nodiscard]] std::string sha256_of(const std::string& bytes);

}  // namespace banyan::posix
