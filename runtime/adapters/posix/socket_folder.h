// Where unix sockets lie: a socket's name has at most 107 bytes, which a sandbox or a state folder may well exceed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace banyan::posix {

/// Folders for this user's sockets, the best first: /run for root, else $XDG_RUNTIME_DIR where it can be written; /tmp.
[[nodiscard]] std::vector<std::string> socket_parents();

/// Makes PARENT/NAME-XXXXXX, mode 0700, below the first of `parents` that takes it and leaves room for a socket called
/// `socket` in it. The caller removes it. An error names the reason of the last one tried.
[[nodiscard]] Result<std::string> make_socket_folder(const std::vector<std::string>& parents, std::string_view name,
                                                     std::string_view socket);

}  // namespace banyan::posix
