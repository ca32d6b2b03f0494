// An HTTP/1.1 server on a Loop: plain Asio sockets with Beast's parser, pipelining, one write per turn.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/adapters/http/http.h"
#include "runtime/base/result.h"

namespace banyan {
class Loop;
}

namespace banyan::http {

/// An open, chunked response: a stream of RecordIO events. Dropping the last pointer ends it with the zero chunk.
/// THREADS: the loop's.
class EventStream {
 public:
  virtual ~EventStream() = default;
  /// Sends one record; queued and written at the end of the turn. A peer more than
  /// limits::stream_backlog_bytes_max behind is cut off (on_closed follows).
  virtual void send_record(std::string_view record) = 0;
  /// Ends the stream with the zero chunk; the connection stays usable unless the request said otherwise.
  virtual void close() = 0;
  /// Called once when the peer goes away (not after close()).
  virtual void on_closed(std::function<void()> closed) = 0;
};

/// Answers one request, once: at once or later, from the loop's thread. Answers of pipelined requests leave in order.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void reply(Response response) = 0;
  /// 200, chunked, headers flushed at once.
  virtual std::shared_ptr<EventStream> stream(std::map<std::string, std::string> headers) = 0;
};

class Server {
 public:
  using Handler = std::function<void(Request, std::shared_ptr<Responder>)>;

  /// Listens at once. Port 0 picks a free one; a unix socket's stale file is replaced. Never SO_REUSEPORT.
  static Result<std::unique_ptr<Server>> listen(Loop& loop, const Address& address, Handler handler);
  virtual ~Server() = default;
  [[nodiscard]] virtual std::uint16_t port() const = 0;  ///< 0 for a unix socket
};

}  // namespace banyan::http
