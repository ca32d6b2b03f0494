// A peer that says bytes and hears bytes: for what a proper client would never send.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "runtime/adapters/http/http.h"
#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/loop/socket.h"
#include "runtime/base/check.h"

namespace banyan::http {

/// Runs the loop while it waits for the server, which lives on that loop.
class RawPeer {
 public:
  RawPeer(Loop& loop, const Address& address) : loop_(loop), fd_(*connect_to(resolve(address.text)->front())) {}
  ~RawPeer() {
    loop_.forget(fd_);
    ::close(fd_);
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  /// Gives the server a turn, too, when the socket is full.
  void say(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
      else if (errno == EAGAIN || errno == ENOTCONN) turn();
      else return;
    }
    turn();
  }

  /// What comes until it holds `end` or the peer closes.
  std::string talk(std::string_view bytes, std::string_view end) {
    say(bytes);
    return hear([end](const std::string& heard) { return heard.find(end) != std::string::npos; });
  }
  std::string talk_bytes(std::string_view bytes, std::size_t count) {
    say(bytes);
    return hear([count](const std::string& heard) { return heard.size() >= count; });
  }
  std::string talk_until_closed(std::string_view bytes) {
    say(bytes);
    return hear([](const std::string&) { return false; });
  }

 private:
  void turn() {
    loop_.after(std::chrono::milliseconds(0), [this] { loop_.stop(); });
    loop_.run();
  }

  template <class Enough>
  std::string hear(Enough enough) {
    std::string heard;
    while (!enough(heard)) {
      char bytes[4096];
      const auto n = ::recv(fd_, bytes, sizeof bytes, 0);
      if (n > 0) {
        heard.append(bytes, static_cast<std::size_t>(n));
      } else if (n < 0 && errno == EAGAIN) {
        loop_.when_readable(fd_, [this] { loop_.stop(); });
        loop_.run();
      } else {
        break;
      }
    }
    return heard;
  }

  Loop& loop_;
  const int fd_;
};

/// What a server that was killed leaves behind: a socket file nobody listens on.
inline void leave_stale_socket(const Address& address) {
  const auto name = resolve(address.text)->front();
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  BANYAN_CHECK(
      ::bind(fd, reinterpret_cast<const sockaddr*>(name.bytes.data()), static_cast<socklen_t>(name.bytes.size())) == 0);
  ::close(fd);
}

}  // namespace banyan::http
