// A scheduler for the tests: launches what it is told to, remembers what happens, lets the test wait for it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/sdk/scheduler.h"

namespace banyan::system_test {

class Recorder : public sdk::Scheduler {
 public:
  struct Seen {
    std::vector<mesos::v1::TaskStatus> updates;
    std::vector<std::string> messages;
    std::vector<std::string> errors;
    int registered = 0;
    int reregistered = 0;
    int disconnected = 0;
    int executors_lost = 0;
  };

  /// To be launched from the next offer.
  void want(sdk::SchedulerDriver& driver, const mesos::v1::TaskInfo& task) {
    {
      const std::lock_guard lock(mutex_);
      wanted_.push_back(task);
    }
    driver.want(true);
  }
  /// Waits until `condition` holds. False after half a minute.
  bool until(const std::function<bool(const Seen&)>& condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return condition(seen_); });
  }
  /// Waits for an update of that task in that state; an empty one when none came.
  mesos::v1::TaskStatus update(const std::string& task, mesos::v1::TaskState state) {
    mesos::v1::TaskStatus found;
    until([&](const Seen& seen) {
      for (const auto& status : seen.updates) {
        if (status.task_id().value() != task || status.state() != state) continue;
        found = status;
        return true;
      }
      return false;
    });
    return found;
  }
  bool message(const std::string& data) {
    return until([&](const Seen& seen) {
      return std::find(seen.messages.begin(), seen.messages.end(), data) != seen.messages.end();
    });
  }
  /// Forgets what was seen, so that the next wait is for something new.
  void forget() {
    const std::lock_guard lock(mutex_);
    seen_ = {};
  }

  void registered(sdk::SchedulerDriver&, const mesos::v1::FrameworkID&, const mesos::v1::MasterInfo&) override {
    note([](Seen& seen) { ++seen.registered; });
  }
  void reregistered(sdk::SchedulerDriver&, const mesos::v1::MasterInfo&) override {
    note([](Seen& seen) { ++seen.reregistered; });
  }
  void disconnected(sdk::SchedulerDriver&) override {
    note([](Seen& seen) { ++seen.disconnected; });
  }
  void resource_offers(sdk::SchedulerDriver& driver, const std::vector<mesos::v1::Offer>& offers) override {
    const std::lock_guard lock(mutex_);
    for (auto& task : wanted_) *task.mutable_agent_id() = offers.front().agent_id();
    if (!wanted_.empty()) driver.launch_tasks({offers.front().id()}, wanted_);
    wanted_.clear();
    driver.want(false);
  }
  void status_update(sdk::SchedulerDriver&, const mesos::v1::TaskStatus& status) override {
    note([&](Seen& seen) { seen.updates.push_back(status); });
  }
  void framework_message(sdk::SchedulerDriver&, const mesos::v1::ExecutorID&, const mesos::v1::AgentID&,
                         const std::string& data) override {
    note([&](Seen& seen) { seen.messages.push_back(data); });
  }
  void executor_lost(sdk::SchedulerDriver&, const mesos::v1::ExecutorID&, const mesos::v1::AgentID&, int) override {
    note([](Seen& seen) { ++seen.executors_lost; });
  }
  void error(sdk::SchedulerDriver&, const std::string& message) override {
    note([&](Seen& seen) { seen.errors.push_back(message); });
  }

 private:
  void note(const std::function<void(Seen&)>& change) {
    const std::lock_guard lock(mutex_);
    change(seen_);
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Seen seen_;                                // guarded by mutex_
  std::vector<mesos::v1::TaskInfo> wanted_;  // guarded by mutex_
};

}  // namespace banyan::system_test
