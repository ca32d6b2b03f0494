#include "runtime/adapters/loop/acceptor.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "runtime/adapters/loop/socket.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

constexpr Duration pause = 100ms;
constexpr int accepts_per_turn_max = 64;

}  // namespace

Acceptor::Acceptor(Loop& loop, int listening, std::function<void(int)> accepted)
    : loop_(loop), listening_(listening), accepted_(std::move(accepted)) {
  wait();
}

Acceptor::~Acceptor() {
  if (pause_ != 0) loop_.cancel(pause_);
  loop_.forget(listening_);
  ::close(listening_);
}

std::uint16_t Acceptor::port() const { return local_port(listening_); }

void Acceptor::wait() {
  pause_ = 0;
  loop_.when_readable(listening_, [this] { accept(); });
}

void Acceptor::accept() {
  for (int n = 0; n < accepts_per_turn_max; ++n) {
    const int fd = accept_from(listening_);
    if (fd >= 0) {
      accepted_(fd);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      pause_ = loop_.after(pause, [this] { wait(); });
      return;
    }  // else that one peer is gone again
  }
  wait();
}

}  // namespace banyan
