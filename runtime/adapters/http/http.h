// HTTP/1.1 words shared by the server and the client.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace banyan::http {

/// Where to listen or connect: "127.0.0.1:5050" or "unix:/run/banyan-1/master.sock".
struct Address {
  std::string text;
};

struct Request {
  std::string method = "POST";
  std::string path;  ///< without the query
  std::string query;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

struct Response {
  unsigned status = 200;
  std::map<std::string, std::string> headers;
  std::string body;  ///< Content-Length is always sent, 0 included
};

/// "POST" + "/api/v1" etc. never throw; a header that is absent is "".
[[nodiscard]] inline std::string header(const std::map<std::string, std::string>& headers, const std::string& name) {
  const auto it = headers.find(name);
  return it == headers.end() ? std::string() : it->second;
}

}  // namespace banyan::http
