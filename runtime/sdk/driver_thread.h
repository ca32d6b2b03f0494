// DriverThread: what the two classic drivers share — a loop on a thread, and a life of four states.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "runtime/adapters/loop/loop.h"
#include "runtime/sdk/driver_status.h"

namespace banyan::sdk {

/// THREADS: any, except the destructor, which must not run on the driver's thread.
class DriverThread {
 public:
  ~DriverThread() {
    finish(DriverStatus::aborted);
    if (thread_.joinable()) thread_.join();
  }

  /// Runs `begin` on the new thread, then the loop until finish(), then `end`. A second start does nothing.
  DriverStatus start(std::function<void()> begin, std::function<void()> end) {
    const std::lock_guard lock(mutex_);
    if (status_ != DriverStatus::not_started) return status_;
    status_ = DriverStatus::running;
    loop_.post(std::move(begin));
    thread_ = std::thread([this, end = std::move(end)] {
      loop_.run();
      end();
    });
    return status_;
  }

  /// running -> `how`; no callback begins after this turn.
  void finish(DriverStatus how) {
    const std::lock_guard lock(mutex_);
    if (status_ != DriverStatus::running) return;
    status_ = how;
    finished_.notify_all();
    loop_.stop();
  }

  /// Blocks until the driver runs no more; returns at once when it never ran.
  DriverStatus join() {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [this] { return status_ != DriverStatus::running; });
    return status_;
  }

  [[nodiscard]] DriverStatus status() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }

  /// Runs `task` on the driver's thread: now if this is it, else soon. Not at all unless running.
  DriverStatus perform(std::function<void()> task) {
    const auto now = status();
    if (now != DriverStatus::running) return now;
    if (std::this_thread::get_id() == thread_.get_id()) {
      task();
    } else {
      loop_.post(std::move(task));
    }
    return now;
  }

  [[nodiscard]] Loop& loop() { return loop_; }

 private:
  mutable std::mutex mutex_;
  std::condition_variable finished_;
  DriverStatus status_ = DriverStatus::not_started;  // guarded by mutex_
  Loop loop_;
  std::thread thread_;
};

}  // namespace banyan::sdk
