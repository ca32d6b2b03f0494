// The heads of requests and responses as text. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "runtime/adapters/http/http.h"

namespace banyan::http {

using Headers = std::map<std::string, std::string>;

/// "OK", "Accepted" … ; "Unknown" for a status without a name.
[[nodiscard]] std::string_view reason_phrase(unsigned status);

/// Head and body. Names leave as "Content-Type", values exactly as given but for control characters, which are dropped.
/// `with_body` false (the answer to HEAD): the length is told, the body is not sent.
[[nodiscard]] std::string response_text(const Response& response, bool keep_alive, bool with_body);
/// The head of a chunked answer.
[[nodiscard]] std::string stream_head(const Headers& headers, bool keep_alive);
[[nodiscard]] std::string chunk(std::string_view payload);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// Adds a received header: the name in lower case, a repeated one joined by a comma.
void add_header(Headers& headers, std::string_view name, std::string_view value);

[[nodiscard]] std::string request_text(const Request& request, const Address& address);

}  // namespace banyan::http
