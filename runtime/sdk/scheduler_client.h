// The scheduler side of the v1 API on a Loop: one framework, one subscription, kept alive.
//
// For programs that have a loop of their own (the root, the service scheduler). Blocking programs use
// SchedulerDriver (scheduler.h), which is this on a thread of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mesos/v1/mesos.pb.h"
#include "mesos/v1/scheduler/scheduler.pb.h"
#include "runtime/base/time.h"

namespace banyan {
class Loop;
}

namespace banyan::sdk {

struct SchedulerOptions {
  std::vector<std::string> masters;    ///< host:port or unix:/path; tried in turn
  mesos::v1::FrameworkInfo framework;  ///< with id when it brings one
};

/// A torn-down framework, a newer subscription under the same id, and a refused SUBSCRIBE are final.
/// THREADS: the loop's; callbacks may call send(). LIFETIME: destroying it closes the stream; the framework waits out
/// its failover_timeout. Not to be destroyed from within its callbacks (post that to the loop).
class SchedulerClient {
 public:
  struct Callbacks {
    /// Every event but HEARTBEAT, in order; SUBSCRIBED again after each reconnect (then reconcile).
    std::function<void(const mesos::v1::scheduler::Event&)> event;
    /// The stream is gone; the client is already trying again. After "Framework failed over" it stays gone.
    /// The first connection, as long as it does not succeed, is tried silently.
    std::function<void(const std::string& reason, bool final)> disconnected;
    /// Optional: the master would not take a call (for the log). What the call was for has not happened, or, when the
    /// connection broke, may have happened.
    std::function<void(const std::string& call, const std::string& reason)> refused;
  };
  static std::unique_ptr<SchedulerClient> create(Loop& loop, SchedulerOptions options, Callbacks callbacks);
  virtual ~SchedulerClient() = default;

  /// Sends a call; framework_id is filled in. While not subscribed: dropped, false (what it was for is decided anew
  /// after SUBSCRIBED).
  virtual bool send(mesos::v1::scheduler::Call call) = 0;
  /// Replaces the masters, as after a handover. Keeps a working stream.
  virtual void set_masters(std::vector<std::string> masters) = 0;
  [[nodiscard]] virtual bool subscribed() const = 0;
};

}  // namespace banyan::sdk
