#include "runtime/adapters/http/channel.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/loop/socket.h"
#include "runtime/base/limits.h"

namespace banyan::http {
namespace {

using Socket = boost::asio::generic::stream_protocol::socket;
using Failed = boost::system::error_code;

/// Where a thread's channels receive: an idle connection needs no buffer of its own.
thread_local std::array<char, 64u << 10> received;

int family_of(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) == 0 ? name.ss_family : AF_UNSPEC;
}

class SocketChannel final : public Channel {
 public:
  SocketChannel(Loop& loop, int fd, Callbacks callbacks, std::function<void()> connected)
      : loop_(loop),
        socket_(loop.asio()),
        callbacks_(std::make_shared<const Callbacks>(std::move(callbacks))),
        connected_(std::move(connected)) {
    socket_.assign(boost::asio::generic::stream_protocol(family_of(fd), 0), fd);
  }

  void start() {
    if (!connected_) return read();
    wait(Socket::wait_write, [](SocketChannel& self) { self.on_connected(); });
  }

  void send(std::string_view bytes) override {
    if (!open()) return;
    queued_ += bytes;
    if (unsent() > limits::stream_backlog_bytes_max) return fail("the peer does not keep up");
    if (flush_asked_ || writing_ || connected_) return;
    flush_asked_ = true;
    loop_.at_end_of_turn(this, [self = self()] {
      self->flush_asked_ = false;
      self->flush();
    });
  }

  std::size_t unsent() const override { return queued_.size() + writing_bytes_.size() - written_; }

  void pause(bool paused) override {
    if (paused_ == paused) return;
    paused_ = paused;
    if (!paused && !reading_ && open() && !connected_) read();
  }

  void finish() override {
    finishing_ = true;
    if (open() && unsent() == 0) close();
  }

  void close() override {
    Failed ignored;
    socket_.close(ignored);
    // Not here: what the callbacks hold may be the caller, or the last to hold this channel.
    loop_.post([old = std::exchange(callbacks_, {}), then = std::exchange(connected_, {})] {});
  }

  void fail(std::string reason) override {
    if (!open()) return;
    Failed ignored;
    socket_.close(ignored);
    loop_.post([self = self(), reason = std::move(reason)]() mutable {
      const auto callbacks = std::exchange(self->callbacks_, {});
      const auto connected = std::exchange(self->connected_, {});
      if (callbacks) callbacks->closed(std::move(reason));
    });
  }

 private:
  std::shared_ptr<SocketChannel> self() { return std::static_pointer_cast<SocketChannel>(shared_from_this()); }
  bool open() const { return socket_.is_open(); }

  template <class Then>
  void wait(Socket::wait_type what, Then then) {
    socket_.async_wait(what, [self = self(), then](const Failed& failed) {
      if (self->open() && failed != boost::asio::error::operation_aborted) then(*self);
    });
  }

  void on_connected() {
    if (const int code = connect_error(socket_.native_handle()); code != 0) return fail(std::strerror(code));
    const auto connected = std::exchange(connected_, {});
    connected();
    if (!open()) return;
    flush();
    if (open() && !paused_) read();
  }

  void read() {
    reading_ = true;
    wait(Socket::wait_read, [](SocketChannel& self) { self.on_readable(); });
  }

  void on_readable() {
    reading_ = false;
    if (paused_) return;
    const auto n = ::recv(socket_.native_handle(), received.data(), received.size(), MSG_DONTWAIT);
    if (n == 0) return fail("the peer closed the connection");
    if (n < 0 && errno != EAGAIN && errno != EINTR) return fail(std::strerror(errno));
    const auto callbacks = callbacks_;  // lives through its call, whatever that does
    if (n > 0) callbacks->bytes(std::string_view(received.data(), static_cast<std::size_t>(n)));
    if (open() && !paused_ && !reading_) read();
  }

  void flush() {
    while (open() && !writing_ && unsent() > 0) {
      if (written_ == writing_bytes_.size()) {
        writing_bytes_.clear();
        written_ = 0;
        std::swap(writing_bytes_, queued_);
      }
      const auto n = ::send(socket_.native_handle(), writing_bytes_.data() + written_, writing_bytes_.size() - written_,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n >= 0) {
        written_ += static_cast<std::size_t>(n);
      } else if (errno == EAGAIN) {
        writing_ = true;
        wait(Socket::wait_write, [](SocketChannel& self) {
          self.writing_ = false;
          self.flush();
        });
      } else if (errno != EINTR) {
        return fail(std::strerror(errno));
      }
    }
    if (open() && unsent() == 0) shrink();
    if (open() && finishing_ && unsent() == 0) close();
  }

  /// A big answer's memory is given back; a small one's is kept for the next.
  void shrink() {
    constexpr std::size_t kept_max = 64u << 10;
    if (writing_bytes_.capacity() > kept_max) writing_bytes_ = {};
    else writing_bytes_.clear();
    written_ = 0;
  }

  Loop& loop_;
  Socket socket_;
  std::shared_ptr<const Callbacks> callbacks_;  // none once closed
  std::function<void()> connected_;             // set while connecting
  std::string queued_;                          // said since the last write
  std::string writing_bytes_;                   // being written, up to written_
  std::size_t written_ = 0;
  bool flush_asked_ = false;
  bool writing_ = false;  // waits until the socket takes more
  bool reading_ = false;  // waits until the socket has some
  bool paused_ = false;
  bool finishing_ = false;
};

}  // namespace

std::shared_ptr<Channel> Channel::create(Loop& loop, int fd, Callbacks callbacks, std::function<void()> connected) {
  auto channel = std::make_shared<SocketChannel>(loop, fd, std::move(callbacks), std::move(connected));
  channel->start();
  return channel;
}

}  // namespace banyan::http
