// The classic executor interface: an Executor that is called, an ExecutorDriver that it calls.
// Source: Mesos' Executor and ExecutorDriver, in our spelling, over the v1 HTTP API.
#pragma once

#include <memory>
#include <string>

#include "mesos/v1/mesos.pb.h"
#include "runtime/sdk/driver_status.h"
#include "runtime/sdk/executor_client.h"

namespace banyan::sdk {

class ExecutorDriver;

/// What runs a framework's tasks. THREADS: called on the driver's own thread, one call at a time; do not block in it.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void registered(ExecutorDriver&, const mesos::v1::ExecutorInfo&, const mesos::v1::FrameworkInfo&,
                          const mesos::v1::AgentInfo&) {}
  /// After the agent's restart; tasks run on.
  virtual void reregistered(ExecutorDriver&, const mesos::v1::AgentInfo&) {}
  virtual void disconnected(ExecutorDriver&) {}
  virtual void launch_task(ExecutorDriver&, const mesos::v1::TaskInfo&) = 0;
  virtual void kill_task(ExecutorDriver&, const mesos::v1::TaskID&) = 0;
  virtual void framework_message(ExecutorDriver&, const std::string& /*data*/) {}
  /// End every task and say so; then the driver stops.
  virtual void shutdown(ExecutorDriver&) {}
  virtual void error(ExecutorDriver&, const std::string&) {}
};

/// Runs an Executor on a thread of its own. THREADS: any. LIFETIME: the executor outlives the driver; the destructor
/// aborts and joins, and must not run on the driver's thread.
class ExecutorDriver {
 public:
  explicit ExecutorDriver(Executor& executor);  ///< addressed by the environment that the agent set
  ExecutorDriver(Executor& executor, ExecutorOptions options);
  ~ExecutorDriver();
  ExecutorDriver(const ExecutorDriver&) = delete;
  ExecutorDriver& operator=(const ExecutorDriver&) = delete;

  DriverStatus start();
  /// Ends once every update is acknowledged, after a minute at the latest.
  DriverStatus stop();
  DriverStatus abort();
  DriverStatus join();
  DriverStatus run() { return start() == DriverStatus::running ? join() : status(); }
  [[nodiscard]] DriverStatus status() const;

  /// Delivered at least once, in order per task; kept across the agent's restarts.
  DriverStatus send_status_update(const mesos::v1::TaskStatus& status);
  /// Best effort.
  DriverStatus send_framework_message(const std::string& data);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace banyan::sdk
