// An HTTP/1.1 client on a Loop for the v1 APIs: calls pipelined on one connection, a stream on its own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/adapters/http/http.h"
#include "runtime/base/result.h"
#include "runtime/base/time.h"

namespace banyan {
class Loop;
}

namespace banyan::http {

/// One connection for request/response calls; about 16 in flight, written once per turn, answered in order.
/// Never re-sends: when the connection dies each unanswered call fails with an error, and the next call() connects
/// anew. THREADS: the loop's. LIFETIME: destroying it drops the calls without calling back.
class Client {
 public:
  using Done = std::function<void(Result<Response>)>;
  static std::unique_ptr<Client> create(Loop& loop, Address address);
  virtual ~Client() = default;
  /// `timeout` covers queueing, connecting and the whole answer.
  virtual void call(Request request, Duration timeout, Done done) = 0;
};

/// A call whose answer is a chunked RecordIO stream (SUBSCRIBE), on a connection of its own.
class StreamCall {
 public:
  struct Callbacks {
    std::function<void(Response)> opened;  ///< headers; a status other than 200 comes with its body, then closed()
    std::function<void(std::string record)> record;
    std::function<void(std::string reason)> closed;  ///< once, last: refused, ended, broken
  };
  static std::unique_ptr<StreamCall> open(Loop& loop, Address address, Request request, Callbacks callbacks);
  virtual ~StreamCall() = default;  ///< closes without calling back
};

}  // namespace banyan::http
