// Small deeds about processes that `root`, `dev` and the CLI share.
#pragma once

#include <string>

namespace banyan::root {

/// The folder this program lies in.
[[nodiscard]] std::string own_folder();
/// Tells whoever started us that we serve. -1: nobody asked.
void report_ready(int fd);

}  // namespace banyan::root
