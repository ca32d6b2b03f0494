#include "runtime/adapters/http/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "runtime/adapters/loop/socket.h"

namespace banyan::http {
namespace {

constexpr std::string_view line_end = "\r\n";

constexpr std::pair<unsigned, std::string_view> phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Payload Too Large"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

/// "content-type" -> "Content-Type": what older clients were written against.
void append_name(std::string& text, std::string_view name) {
  bool start = true;
  for (const char c : name) {
    text += start && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    start = c == '-';
  }
}

void append_header(std::string& text, std::string_view name, std::string_view value) {
  append_name(text, name);
  text += ": ";
  // A value never starts a line of its own.
  std::copy_if(value.begin(), value.end(), std::back_inserter(text),
               [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f'); });
  text += line_end;
}

/// Those that say where a message ends are the writer's alone.
bool framing(std::string_view name) { return name == "content-length" || name == "transfer-encoding"; }

void append_headers(std::string& text, const Headers& headers) {
  for (const auto& [name, value] : headers)
    if (!framing(name)) append_header(text, name, value);
}

void append_status(std::string& text, unsigned status) {
  text += "HTTP/1.1 ";
  text += std::to_string(status);
  text += ' ';
  text += reason_phrase(status);
  text += line_end;
}

}  // namespace

std::string_view reason_phrase(unsigned status) {
  const auto* found = std::find_if(std::begin(phrases), std::end(phrases),
                                   [status](const auto& phrase) { return phrase.first == status; });
  return found == std::end(phrases) ? "Unknown" : found->second;
}

std::string response_text(const Response& response, bool keep_alive, bool with_body) {
  if (response.status == 202 && response.body.empty() && response.headers.empty() && keep_alive)
    return "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
  std::string text;
  text.reserve(256 + response.body.size());
  append_status(text, response.status);
  append_headers(text, response.headers);
  const bool bodiless = response.status == 204 || response.status == 304;  // RFC 9110: no content, so no length
  if (!bodiless) append_header(text, "content-length", std::to_string(response.body.size()));
  if (!keep_alive) append_header(text, "connection", "close");
  text += line_end;
  if (with_body && !bodiless) text += response.body;
  return text;
}

std::string stream_head(const Headers& headers, bool keep_alive) {
  std::string text;
  append_status(text, 200);
  append_headers(text, headers);
  append_header(text, "transfer-encoding", "chunked");
  if (!keep_alive) append_header(text, "connection", "close");
  text += line_end;
  return text;
}

std::string chunk(std::string_view payload) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), payload.size(), 16).ptr;
  std::string text(digits.data(), end);
  text.reserve(text.size() + payload.size() + 4);
  text += line_end;
  text += payload;
  text += line_end;
  return text;
}

void add_header(Headers& headers, std::string_view name, std::string_view value) {
  std::string key(name);
  std::transform(key.begin(), key.end(), key.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  auto& joined = headers[std::move(key)];
  if (!joined.empty()) joined += ", ";
  joined += value;
}

std::string request_text(const Request& request, const Address& address) {
  std::string text;
  text.reserve(256 + request.body.size());
  text += request.method;
  text += ' ';
  text += request.path;
  if (!request.query.empty()) text += '?';
  text += request.query;
  text += " HTTP/1.1\r\n";
  if (!request.headers.contains("host"))
    append_header(text, "host", is_unix(address.text) ? "localhost" : address.text);
  append_headers(text, request.headers);
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT")
    append_header(text, "content-length", std::to_string(request.body.size()));
  text += line_end;
  text += request.body;
  return text;
}

}  // namespace banyan::http
