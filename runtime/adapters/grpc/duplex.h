// One bidirectional stream, the same at both ends: gRPC's reactor on its threads, our callbacks on the Loop's.
#pragma once

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/adapters/loop/loop.h"
#include "runtime/base/limits.h"

namespace banyan::grpc_link {

/// Queues between gRPC's threads and the Loop. `Reactor` is grpc::ServerBidiReactor or grpc::ClientBidiReactor.
/// Received messages wait in a bounded inbox: while it is full nothing is read, so the peer blocks (HTTP/2's flow
/// control). One post to the loop serves all that arrived meanwhile.
/// THREADS: send(), finish() and abandon() from the loop's; On… from gRPC's. LIFETIME: a shared_ptr; whoever derives
/// keeps it until OnDone.
template <class Reactor, class In, class Out>
class Duplex : public Reactor {
 public:
  using Receive = std::function<void(const In&)>;

  /// False when the peer is too far behind: the stream should be cancelled.
  [[nodiscard]] bool send(const Out& message) {
    const std::lock_guard lock(mutex_);
    if (ended_) return true;
    unsent_bytes_ += message.ByteSizeLong();
    outbox_.push_back(message);
    pump();
    return unsent_bytes_ <= limits::stream_backlog_bytes_max;
  }

  /// Ends the stream when all is sent.
  void finish() {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
    settle();
  }

 protected:
  Duplex(Loop& loop, Receive receive) : loop_(loop), receive_(std::move(receive)) {}

  /// Starts reading. REQUIRES: called once, before the stream starts.
  void start(std::weak_ptr<Duplex> self) {
    self_ = std::move(self);
    this->StartRead(&in_);
  }

  /// Called once, under the mutex: nothing more will be written, and the stream may be ended from this side.
  virtual void end() = 0;

  /// After a cancel: a read that waits for room in the inbox will not come.
  void abandon() {
    const std::lock_guard lock(mutex_);
    if (!reading_) read_ended_ = true;
    outbox_.resize(writing_ ? 1 : 0);  // its front belongs to gRPC while it is being written
    settle();
  }

  void OnReadDone(bool ok) final {
    const std::lock_guard lock(mutex_);
    if (!ok) {
      reading_ = false;
      read_ended_ = true;
      return settle();
    }
    inbox_.push_back(std::move(in_));
    in_.Clear();
    if (inbox_.size() == 1) loop_.post([weak = self_] { deliver(weak); });
    reading_ = inbox_.size() < inbox_max;
    if (reading_) this->StartRead(&in_);
  }

  void OnWriteDone(bool ok) final {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    unsent_bytes_ -= outbox_.front().ByteSizeLong();
    outbox_.pop_front();
    if (!ok) outbox_.clear();
    pump();
    settle();
  }

  Loop& loop_;

 private:
  static constexpr std::size_t inbox_max = 64;

  static void deliver(const std::weak_ptr<Duplex>& weak) {
    const auto self = weak.lock();
    if (!self) return;
    std::vector<In> batch;
    {
      const std::lock_guard lock(self->mutex_);
      batch.swap(self->inbox_);
      if (!self->reading_ && !self->read_ended_ && !self->ended_) {
        self->reading_ = true;
        self->StartRead(&self->in_);
      }
    }
    for (const auto& message : batch) self->receive_(message);
  }

  void pump() {
    if (writing_ || ended_ || outbox_.empty()) return;
    writing_ = true;
    this->StartWrite(&outbox_.front());
  }

  void settle() {
    if (ended_ || writing_) return;
    if (!read_ended_ && !(finishing_ && outbox_.empty())) return;
    ended_ = true;
    outbox_.clear();
    end();
  }

  const Receive receive_;
  std::weak_ptr<Duplex> self_;

  std::mutex mutex_;
  // All below: guarded by mutex_.
  In in_;
  std::vector<In> inbox_;
  std::deque<Out> outbox_;  // its front is being written while writing_
  std::size_t unsent_bytes_ = 0;
  bool reading_ = true;  // false while the inbox is full
  bool writing_ = false;
  bool read_ended_ = false;
  bool finishing_ = false;
  bool ended_ = false;
};

/// gRPC 1.51 aborts now and then (ref_counted.h: prior > 0) when the last user of its callback queue goes while its
/// threads still poll that queue. So each process that uses callbacks keeps the queue until it ends. Any thread.
void hold_callback_queue();

/// Settings that only work as a group: pings find a dead peer within 30 s, and neither end is thrown out for pinging.
inline constexpr int keepalive_time_ms = 20'000;
inline constexpr int keepalive_timeout_ms = 10'000;
inline constexpr int message_bytes_max = 64 << 20;

}  // namespace banyan::grpc_link
