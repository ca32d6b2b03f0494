// The classic scheduler interface: a Scheduler that is called, a SchedulerDriver that it calls.
//
//   class Mine : public banyan::sdk::Scheduler { … };
//   Mine mine;
//   banyan::sdk::SchedulerDriver driver(mine, {.masters = {"127.0.0.1:5050"}, .framework = info});
//   return driver.run() == banyan::sdk::DriverStatus::stopped ? 0 : 1;
//
// Source: Mesos' Scheduler and SchedulerDriver, in our spelling, over the v1 HTTP API.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mesos/v1/mesos.pb.h"
#include "runtime/sdk/driver_status.h"
#include "runtime/sdk/scheduler_client.h"

namespace banyan::sdk {

class SchedulerDriver;

/// What a framework decides. THREADS: called on the driver's own thread, one call at a time; do not block in it.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  /// The first subscription. Keep the id: with it the framework can come back.
  virtual void registered(SchedulerDriver&, const mesos::v1::FrameworkID&, const mesos::v1::MasterInfo&) {}
  /// Every later one (also the first, when FrameworkInfo brought an id): reconcile now.
  virtual void reregistered(SchedulerDriver&, const mesos::v1::MasterInfo&) {}
  /// The master cannot be reached; the driver is trying. Offers are void.
  virtual void disconnected(SchedulerDriver&) {}
  /// Offers not accepted, declined or held when this returns are declined by the driver.
  virtual void resource_offers(SchedulerDriver&, const std::vector<mesos::v1::Offer>&) = 0;
  virtual void offer_rescinded(SchedulerDriver&, const mesos::v1::OfferID&) {}
  /// Acknowledged when this returns, unless DriverOptions says otherwise.
  virtual void status_update(SchedulerDriver&, const mesos::v1::TaskStatus&) = 0;
  virtual void framework_message(SchedulerDriver&, const mesos::v1::ExecutorID&, const mesos::v1::AgentID&,
                                 const std::string& /*data*/) {}
  virtual void agent_lost(SchedulerDriver&, const mesos::v1::AgentID&) {}
  virtual void executor_lost(SchedulerDriver&, const mesos::v1::ExecutorID&, const mesos::v1::AgentID&,
                             int /*wait_status*/) {}
  /// The driver has aborted: failed over, removed, or refused.
  virtual void error(SchedulerDriver&, const std::string&) {}
};

/// Runs a Scheduler on a thread of its own.
///
/// THREADS: any. Calls made while not subscribed are dropped (what they were for is decided anew in reregistered()).
/// LIFETIME: the scheduler outlives the driver; the destructor aborts and joins, and must not run on the driver's
/// thread.
class SchedulerDriver {
 public:
  struct Options {
    std::vector<std::string> masters;  ///< host:port or unix:/path
    mesos::v1::FrameworkInfo framework;
    bool implicit_acknowledgements = true;  ///< false: the scheduler calls acknowledge()
    bool auto_decline = true;               ///< false: it declines by itself
  };

  SchedulerDriver(Scheduler& scheduler, Options options);
  ~SchedulerDriver();
  SchedulerDriver(const SchedulerDriver&) = delete;
  SchedulerDriver& operator=(const SchedulerDriver&) = delete;

  DriverStatus start();
  /// Ends the framework (TEARDOWN); with `failover` only this scheduler: the framework's tasks run on, and a scheduler
  /// with the same framework id can take them over within failover_timeout.
  DriverStatus stop(bool failover = false);
  /// Ends this scheduler at once; join() then returns `aborted`.
  DriverStatus abort();
  DriverStatus join();
  DriverStatus run() { return start() == DriverStatus::running ? join() : status(); }
  [[nodiscard]] DriverStatus status() const;
  /// Valid after registered().
  [[nodiscard]] mesos::v1::FrameworkID framework_id() const;

  DriverStatus accept_offers(const std::vector<mesos::v1::OfferID>& offers,
                             const std::vector<mesos::v1::Offer::Operation>& operations,
                             const mesos::v1::Filters& filters = {});
  /// All offers must be of one agent.
  DriverStatus launch_tasks(const std::vector<mesos::v1::OfferID>& offers,
                            const std::vector<mesos::v1::TaskInfo>& tasks, const mesos::v1::Filters& filters = {});
  DriverStatus decline_offer(const mesos::v1::OfferID& offer, const mesos::v1::Filters& filters = {});
  /// This offer is answered later, from outside resource_offers(): not declined until then.
  DriverStatus hold_offer(const mesos::v1::OfferID& offer);
  DriverStatus revive_offers();
  DriverStatus suppress_offers();
  /// False: nothing is wanted, offers are suppressed; true: revived. Says it only when it changes, and again to a new
  /// master.
  DriverStatus want(bool anything);
  DriverStatus kill_task(const mesos::v1::TaskID& task, const std::optional<mesos::v1::KillPolicy>& policy = {});
  DriverStatus acknowledge(const mesos::v1::TaskStatus& status);
  /// Empty: all the master knows of.
  DriverStatus reconcile_tasks(const std::vector<mesos::v1::TaskStatus>& tasks);
  DriverStatus send_framework_message(const mesos::v1::ExecutorID& executor, const mesos::v1::AgentID& agent,
                                      const std::string& data);
  /// A hint that orders the next offers.
  DriverStatus request_resources(const std::vector<mesos::v1::Request>& requests);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace banyan::sdk
