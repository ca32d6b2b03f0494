#include "runtime/bin/master/negotiation.h"

#include <array>

namespace banyan::master {
namespace {

struct Entry {
  std::string_view prefix;
  Route route;
};
constexpr std::array routes{Entry{"/api/v1/scheduler", Route::scheduler}, Entry{"/api/v1", Route::operator_},
                            Entry{"/version", Route::version}, Entry{"/health", Route::health},
                            Entry{"/redirect", Route::redirect}};

bool starts(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

/// "application/json; charset=utf-8" -> "application/json"
std::string_view without_parameters(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  return type;
}

}  // namespace

Route route(std::string_view path) {
  if (starts(path, "/master")) path.remove_prefix(std::string_view("/master").size());
  for (const auto& entry : routes)  // longer prefixes come first
    if (starts(path, entry.prefix)) return entry.route;
  return Route::unknown;
}

http::Response plain(unsigned status, std::string text) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(text)};
}

std::optional<http::Response> negotiate(const http::Request& request) {
  if (request.method != "POST") {
    auto response =
        plain(405, "405 Method Not Allowed. Expecting one of { 'POST' }, but received '" + request.method + "'.");
    response.headers["Allow"] = "POST";
    return response;
  }
  const std::string given = http::header(request.headers, "content-type");
  const std::string_view type = without_parameters(given);
  if (type == protobuf_type) return std::nullopt;
  if (type.empty()) return plain(400, "Expecting 'Content-Type' to be present");
  if (type == "application/json")
    return plain(415, "JSON bodies are not supported yet: send 'Content-Type: application/x-protobuf'");
  return plain(415, "Expecting 'Content-Type' of application/x-protobuf");
}

std::optional<http::Response> negotiate_answer(const http::Request& request) {
  const std::string accept = http::header(request.headers, "accept");
  if (accept.empty() || accept.find("*/*") != std::string::npos || accept.find("application/*") != std::string::npos ||
      accept.find(protobuf_type) != std::string::npos)
    return std::nullopt;
  return plain(406, "Expecting 'Accept' to allow 'application/x-protobuf' (JSON answers are not supported yet)");
}

}  // namespace banyan::master
