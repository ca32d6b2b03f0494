// A server-side gRPC stream that can be written from the loop at any time: queued, one write under way.
#pragma once

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace banyan::root {

/// THREADS: push(), idle(), ended() and finish() from the loop; the On… from gRPC's. LIFETIME: keeps itself until
/// OnDone.
template <class Message>
class Stream final : public grpc::ServerWriteReactor<Message> {
 public:
  /// A reader this many messages behind is cut off, so that one stopped terminal cannot fill the root's memory.
  static constexpr std::size_t backlog_max = 100'000;

  /// `idle`: called from gRPC's thread whenever all that was pushed has been sent.
  static std::shared_ptr<Stream> open(std::function<void()> idle = {}) {
    std::shared_ptr<Stream> stream(new Stream(std::move(idle)));
    stream->self_ = stream;
    return stream;
  }

  /// False once the reader is gone.
  bool push(Message message) {
    const std::lock_guard lock(mutex_);
    if (ended_) return false;
    queue_.push_back(std::move(message));
    if (queue_.size() > backlog_max) {
      end(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "the reader is too far behind"));
      return false;
    }
    write_next();
    return true;
  }

  [[nodiscard]] bool idle() {
    const std::lock_guard lock(mutex_);
    return queue_.empty();
  }
  /// The reader is gone.
  [[nodiscard]] bool ended() {
    const std::lock_guard lock(mutex_);
    return ended_;
  }

  /// Ends the stream once all that was pushed has been sent.
  void finish(const grpc::Status& status = grpc::Status::OK) {
    const std::lock_guard lock(mutex_);
    finishing_ = status;
    if (!ended_ && queue_.empty()) end(status);
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!queue_.empty()) queue_.pop_front();
    if (ended_) return;
    if (!ok) return end(grpc::Status::CANCELLED);
    if (queue_.empty() && finishing_) return end(*finishing_);
    if (queue_.empty() && idle_) return idle_();
    write_next();
  }

  void OnCancel() override {
    const std::lock_guard lock(mutex_);
    if (!ended_) end(grpc::Status::CANCELLED);
  }

  void OnDone() override {
    std::shared_ptr<Stream> last;
    const std::lock_guard lock(mutex_);
    last.swap(self_);
  }

 private:
  explicit Stream(std::function<void()> idle) : idle_(std::move(idle)) {}

  void write_next() {
    if (writing_ || queue_.empty() || ended_) return;
    writing_ = true;
    this->StartWrite(&queue_.front());
  }
  void end(const grpc::Status& status) {
    ended_ = true;
    this->Finish(status);
  }

  const std::function<void()> idle_;
  std::mutex mutex_;
  std::deque<Message> queue_;  // front is being written while writing_
  bool writing_ = false;
  std::optional<grpc::Status> finishing_;  // how it ends once all has been sent
  bool ended_ = false;
  std::shared_ptr<Stream> self_;
};

}  // namespace banyan::root
