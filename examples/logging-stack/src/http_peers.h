// HTTP calls to any one of several servers that can stand in for each other.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace example {

/// A call that does not get through (refused, timed out, 429, 5xx) goes to the next address, and the one that answered
/// is asked first from then on; after each address has failed, the error is the caller's. A call may arrive more than
/// once. THREADS: one.
class HttpPeers {
 public:
  /// `addresses`: host:port.
  explicit HttpPeers(std::vector<std::string> addresses);
  ~HttpPeers();
  HttpPeers(HttpPeers&& other) noexcept;
  HttpPeers(const HttpPeers&) = delete;
  HttpPeers& operator=(const HttpPeers&) = delete;
  HttpPeers& operator=(HttpPeers&&) = delete;

  /// Body of a 2xx answer; anything else is an error that names the call and the answer.
  banyan::Result<std::string> call(const std::string& method, const std::string& path, const std::string& body);

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

/// Whether another server, or the same one later, may well say yes.
[[nodiscard]] inline bool worth_another_try(long status) { return status == 429 || status >= 500; }

}  // namespace example
