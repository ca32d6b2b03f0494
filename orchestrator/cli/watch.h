// Statuses as they change, without blocking the one who draws them.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "banyan/root.grpc.pb.h"

namespace banyan::cli {

/// Reads Root.Watch on a thread of its own. THREADS: next() from one. LIFETIME: the stub outlives it.
class Watch {
 public:
  Watch(root::Root::Stub& stub, const std::string& stack) {
    root::StatusRequest request;
    request.set_stack(stack);
    reader_ = stub.Watch(&context_, request);
    thread_ = std::thread([this] {
      root::Status status;
      while (reader_->Read(&status)) {
        const std::lock_guard lock(mutex_);
        newest_ = status;
        arrived_.notify_one();
      }
      const std::lock_guard lock(mutex_);
      ended_ = true;
      arrived_.notify_one();
    });
  }
  ~Watch() {
    context_.TryCancel();
    thread_.join();
    reader_->Finish();
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// The newest status not seen yet; nothing after `patience` or when the stream has ended.
  std::optional<root::Status> next(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, patience, [this] { return newest_ || ended_; });
    auto status = std::move(newest_);
    newest_.reset();
    return status;
  }
  bool ended() {
    const std::lock_guard lock(mutex_);
    return ended_ && !newest_;
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<root::Status>> reader_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::optional<root::Status> newest_;
  bool ended_ = false;
};

}  // namespace banyan::cli
