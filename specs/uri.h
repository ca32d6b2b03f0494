// What a URI of a stack file names: something far away, or a file here. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace banyan::specs {

/// The path of `bin/tool`, `/opt/tool`, `file:/opt/tool` and `file:///opt/tool`, escapes such as %20 in the latter two
/// resolved. Nothing for http: and https:.
[[nodiscard]] std::optional<std::string> local_path(std::string_view uri);

/// A path relative to the stack file: its content belongs to the stack, as that of a file under `files`.
[[nodiscard]] bool is_relative(std::string_view uri);

/// What the file is called in the sandbox unless `output` says otherwise: the last part of the path.
[[nodiscard]] std::string file_name(std::string_view uri);

}  // namespace banyan::specs
