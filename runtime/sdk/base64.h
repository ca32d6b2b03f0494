// Base64 (RFC 4648, standard alphabet, padded). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace banyan::sdk {

[[nodiscard]] std::string base64_encode(std::string_view bytes);
/// Nothing when `text` is not base64. Missing padding is forgiven.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace banyan::sdk
