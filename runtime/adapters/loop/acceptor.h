// Acceptor: takes connections from a listening socket and survives running out of descriptors.
#pragma once

#include <cstdint>
#include <functional>

#include "runtime/adapters/loop/loop.h"

namespace banyan {

/// THREADS: the loop's. LIFETIME: the loop outlives it; `accepted` is not called after it.
class Acceptor {
 public:
  /// Takes `listening` and gives away each accepted descriptor. With none left to open (EMFILE, or no memory) it waits
  /// 100 ms and goes on: those who wait in the queue are served then.
  Acceptor(Loop& loop, int listening, std::function<void(int fd)> accepted);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] int listening() const { return listening_; }

 private:
  void wait();
  void accept();

  Loop& loop_;
  const int listening_;
  const std::function<void(int)> accepted_;
  Loop::TimerId pause_ = 0;
};

}  // namespace banyan
