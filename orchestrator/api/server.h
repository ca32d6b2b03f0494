// The root's service (runtime/api/banyan/root.proto) on a unix socket.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "banyan/root.pb.h"
#include "orchestrator/core/status_changed.h"
#include "runtime/base/result.h"

namespace banyan {
class Loop;
}

namespace banyan::root {

/// Serves CLIs. gRPC's threads only enqueue: every function below runs on the loop's thread.
/// THREADS: the loop's. LIFETIME: what Calls captures outlives the server.
class ApiServer {
 public:
  template <class Reply>
  using Done = std::function<void(const Reply&)>;
  /// One stream of log chunks; `send` returns false once the reader is gone. Kept until `end` or the reader goes.
  struct LogSink {
    std::function<bool(const LogChunk&)> send;
    std::function<void()> end;
  };
  struct Calls {
    std::function<void(const UpRequest&, Done<UpReply>)> up;
    std::function<void(const DownRequest&, Done<DownReply>)> down;
    std::function<void(const RestartRequest&, Done<RestartReply>)> restart;
    std::function<Status(const std::string& stack)> status;
    /// Only what has changed of it, as Status.delta; whole where only a whole one will do.
    std::function<Status(const std::string& stack, const StatusChanged& changed)> changes;
    std::function<std::vector<Revision>(const std::string& stack)> history;
    std::function<std::vector<Event>(const std::string& stack, std::uint64_t after)> events;
    std::function<void(const LogsRequest&, LogSink)> logs;
  };

  /// `address`: "unix:/path" (a stale socket file is replaced) or host:port.
  static Result<std::unique_ptr<ApiServer>> listen(Loop& loop, const std::string& address, Calls calls);
  virtual ~ApiServer() = default;
  /// Every watcher is told, as soon as it has taken what was sent before; changes that wait are sent as one.
  virtual void status_changed(const StatusChanged& changed) = 0;
  virtual void announce(const Event& event) = 0;  ///< to everyone who follows the event log
};

}  // namespace banyan::root
