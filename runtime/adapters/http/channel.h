// Channel: one connected socket on a Loop. Bytes in as they come; bytes out, gathered, once per turn.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace banyan {
class Loop;
}

namespace banyan::http {

/// What the server's connections and the client's have in common.
/// THREADS: the loop's. LIFETIME: shared; it keeps itself alive while it waits for its socket. No callback comes from
/// within a call of it, and none after close().
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  struct Callbacks {
    std::function<void(std::string_view bytes)> bytes;  ///< valid during the call only
    std::function<void(std::string reason)> closed;     ///< once: the peer ended or broke it, or cannot keep up
  };

  /// Takes `fd`, which is connected or connecting; `connected` (may be null) is called when it is.
  static std::shared_ptr<Channel> create(Loop& loop, int fd, Callbacks callbacks, std::function<void()> connected);
  virtual ~Channel() = default;

  /// Queued; leaves at the end of the turn. More than limits::stream_backlog_bytes_max unsent: closed() follows.
  virtual void send(std::string_view bytes) = 0;
  [[nodiscard]] virtual std::size_t unsent() const = 0;
  /// Stops or resumes taking bytes from the peer, who then blocks. While paused a close by the peer goes unnoticed.
  virtual void pause(bool paused) = 0;
  /// Closes when all is sent.
  virtual void finish() = 0;
  virtual void close() = 0;
  /// Calls closed(reason) in a later turn, then is as after close().
  virtual void fail(std::string reason) = 0;
};

}  // namespace banyan::http
