// Loop: the one thread on which a daemon's core and its sockets live.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>

#include "runtime/base/time.h"

namespace boost::asio {
class io_context;
}

namespace banyan {

/// CLOCK_BOOTTIME and the time of day, read now. Only adapters and `bin` call these.
[[nodiscard]] Instant mono_now();
[[nodiscard]] WallTime wall_now();
[[nodiscard]] inline Now clock_now() { return {mono_now(), wall_now()}; }

/// An event loop. THREADS: post() and stop() from any; everything else, and every callback, on the one that runs it.
class Loop {
 public:
  using TimerId = std::uint64_t;

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();
  void stop();
  /// Runs `task` later, never from within post(). Tasks keep their order.
  void post(std::function<void()> task);
  /// Runs `task` at the end of the present turn, once however often it is asked for (same key): how writes are batched.
  /// A turn is what was ready when the loop looked, at most some hundred callbacks. Asked at the end of a turn: at the
  /// end of the next, which then comes at once.
  void at_end_of_turn(const void* key, std::function<void()> task);

  TimerId at(Instant when, std::function<void()> task);
  TimerId after(Duration delay, std::function<void()> task) { return at(mono_now() + delay, std::move(task)); }
  void cancel(TimerId timer);

  /// Calls `ready` once when `fd` becomes readable (a pidfd: the process has ended). The caller keeps owning fd, which
  /// is made non-blocking. REQUIRES: epoll takes it (no regular file); not watched already.
  void when_readable(int fd, std::function<void()> ready);
  /// Takes back when_readable(fd). REQUIRED before closing an fd that is still watched.
  void forget(int fd);

  /// Calls `handler` each time one of these signals arrives.
  void on_signals(std::initializer_list<int> signals, std::function<void(int)> handler);

  /// For adapters that need Asio itself.
  [[nodiscard]] boost::asio::io_context& asio();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace banyan
