// Statuses as they change, without blocking the one who draws them.
#pragma once

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "banyan/root.grpc.pb.h"
#include "orchestrator/cli/received.h"
#include "runtime/base/backoff.h"

namespace banyan::cli {

/// Reads Root.Watch, whole statuses and deltas, on a thread of its own, and again when the stream ends, with a
/// back-off. THREADS: next() and lost_for() from one. LIFETIME: the stub outlives it.
class Watch {
 public:
  using Clock = std::chrono::steady_clock;

  Watch(root::Root::Stub& stub, const std::string& stack) : stub_(stub) {
    request_.set_stack(stack);
    thread_ = std::thread([this] { read(); });
  }
  ~Watch() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      if (context_) context_->TryCancel();
      changed_.notify_all();
    }
    thread_.join();
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// The newest status not seen yet; nothing after `patience`.
  std::optional<root::Status> next(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [this] { return newest_.has_value(); });
    auto status = std::move(newest_);
    newest_.reset();
    return status;
  }
  /// For how long there has been no stream; zero while there is one.
  std::chrono::milliseconds lost_for() {
    const std::lock_guard lock(mutex_);
    return std::chrono::duration_cast<std::chrono::milliseconds>(lost_ ? Clock::now() - *lost_ : Clock::duration(0));
  }

 private:
  static constexpr Backoff backoff{std::chrono::milliseconds(50), std::chrono::seconds(1)};

  void read() {
    Duration pause{};
    for (std::unique_lock lock(mutex_); !ended_;) {
      context_ = std::make_unique<grpc::ClientContext>();
      lock.unlock();
      const auto reader = stub_.Watch(context_.get(), request_);
      for (root::Status status; reader->Read(&status);) {
        const std::lock_guard taken(mutex_);
        const auto now = Clock::now();
        receive(known_, status,
                static_cast<std::uint64_t>(
                    std::chrono::duration_cast<std::chrono::milliseconds>(now - std::exchange(heard_, now)).count()));
        newest_ = known_;
        say_unknown(*newest_);
        lost_.reset();
        pause = Duration::zero();
        changed_.notify_all();
      }
      reader->Finish();
      lock.lock();
      if (!lost_) lost_ = Clock::now();
      pause = backoff.next(pause);
      changed_.wait_for(lock, pause, [this] { return ended_; });
    }
  }

  root::Root::Stub& stub_;
  root::StatusRequest request_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<grpc::ClientContext> context_;
  root::Status known_;  // as received; the reader's own, as the time of it
  Clock::time_point heard_ = Clock::now();
  std::optional<root::Status> newest_;
  std::optional<Clock::time_point> lost_;
  bool ended_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace banyan::cli
