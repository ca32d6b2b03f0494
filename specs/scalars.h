// The texts that a stack file's values are written in: pure functions, exact arithmetic. Internal to specs/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/quantity.h"
#include "runtime/base/result.h"
#include "runtime/base/time.h"

namespace banyan::specs {

// Errors say how the value is written, as a hint. Durations: runtime/base/quantity.h.

[[nodiscard]] Result<std::int64_t> parse_integer(std::string_view text);  ///< decimal, no leading zero
[[nodiscard]] Result<std::int64_t> parse_size(std::string_view text);     ///< bytes; B, KiB, MiB, GiB, TiB
[[nodiscard]] Result<std::int64_t> parse_cpus(std::string_view text);     ///< thousandths of a core
[[nodiscard]] Result<std::uint32_t> parse_mode(std::string_view text);    ///< octal: 0644

[[nodiscard]] std::string to_text(Duration duration);     ///< "1m30s"
[[nodiscard]] std::string size_text(std::int64_t bytes);  ///< "64MiB", in the largest unit that fits

/// Stacks, frameworks, servers and endpoints: a DNS label of at most 40 lower-case characters.
[[nodiscard]] bool is_label(std::string_view text);
inline constexpr std::string_view label_rule =
    "a name is 1 to 40 characters a-z, 0-9 and \"-\", begins with a letter and does not end with \"-\"";
/// Variables, ports, volumes, profiles: as a label, with underscores.
[[nodiscard]] bool is_word(std::string_view text);
inline constexpr std::string_view word_rule =
    "a name is 1 to 40 characters a-z, 0-9, \"_\" and \"-\" and begins with a letter";
/// What programs can be given: letters, digits, "_", and, not in front, "." and "-".
[[nodiscard]] bool is_env_name(std::string_view text);
/// The names among them that a shell can hold too.
[[nodiscard]] bool is_shell_name(std::string_view text);
/// USER or USER:GROUP, each a name as Debian's adduser takes it, or a number.
[[nodiscard]] bool is_user(std::string_view text);
/// Relative, without "..", "." or empty parts: stays inside the sandbox.
[[nodiscard]] bool is_inside_path(std::string_view text);

}  // namespace banyan::specs
