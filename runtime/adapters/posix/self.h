// What a program knows of itself, and tells whoever started it.
#pragma once

#include <string>

namespace banyan::posix {

/// The folder this program lies in: Banyan's programs lie beside each other.
[[nodiscard]] std::string own_folder();
/// Writes "ready" to the descriptor of --ready-fd and closes it; -1: nobody asked. Nobody waiting any more is no error.
void report_ready(int fd);

}  // namespace banyan::posix
