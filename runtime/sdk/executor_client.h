// The executor side of the v1 API on a Loop. Survives the agent's restart: it resubscribes with what is unacknowledged.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "mesos/v1/executor/executor.pb.h"
#include "mesos/v1/mesos.pb.h"

namespace banyan {
class Loop;
}

namespace banyan::sdk {

/// What the agent tells an executor by environment (MESOS_AGENT_ENDPOINT, MESOS_DOMAIN_SOCKET, MESOS_FRAMEWORK_ID,
/// MESOS_EXECUTOR_ID, MESOS_RECOVERY_TIMEOUT, …).
struct ExecutorOptions {
  std::string agent;  ///< host:port or unix:/path
  std::string framework_id;
  std::string executor_id;
  bool checkpoint = true;
  double recovery_timeout_s = 900;
  /// `get` answers "" for what is not set.
  static ExecutorOptions from_environment(const std::function<std::string(const char*)>& get);
};

/// THREADS: the loop's; callbacks may call update() and message(). LIFETIME: not to be destroyed from within them.
class ExecutorClient {
 public:
  struct Callbacks {
    std::function<void(const mesos::v1::executor::Event&)> event;  ///< all but HEARTBEAT
    /// The agent did not come back within recovery_timeout, or refused us: end the tasks and exit.
    std::function<void(const std::string& reason)> shutdown;
    /// Optional: the stream is gone; the client is already trying again, tasks run on.
    std::function<void(const std::string& reason)> disconnected;
    /// Optional: the agent will not take this update, now or later (for the log); it is not kept.
    std::function<void(const mesos::v1::TaskStatus& status, const std::string& reason)> refused;
  };
  static std::unique_ptr<ExecutorClient> create(Loop& loop, ExecutorOptions options, Callbacks callbacks);
  virtual ~ExecutorClient() = default;

  /// Sends a status update; uuid, source and timestamp are filled in; kept and sent again until acknowledged.
  virtual void update(mesos::v1::TaskStatus status) = 0;
  virtual void message(std::string data) = 0;
  [[nodiscard]] virtual bool unacknowledged() const = 0;  ///< an update still waits for its ACKNOWLEDGED
};

}  // namespace banyan::sdk
