// Listening and connecting: addresses as text, descriptors out. Every descriptor is CLOEXEC and non-blocking.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace banyan {

/// One resolved address, as the kernel wants it (the bytes of a sockaddr).
struct SocketAddress {
  int family = 0;
  std::string bytes;
};

/// "127.0.0.1:5050", "[::1]:5050", "name:5050" (all its addresses, in the resolver's order), "unix:/path".
/// Numbers and unix sockets need no resolver; a name may block for as long as the resolver does.
[[nodiscard]] Result<std::vector<SocketAddress>> resolve(const std::string& address);

[[nodiscard]] bool is_unix(const std::string& address);
[[nodiscard]] std::string unix_path(const std::string& address);

/// A listening socket. A unix socket's file that nobody answers on is replaced. Never SO_REUSEPORT.
[[nodiscard]] Result<int> listen_on(const std::string& address);

/// Its port; 0 for a unix socket.
[[nodiscard]] std::uint16_t local_port(int fd);

/// The next waiting connection, with TCP_NODELAY. On failure errno says why.
[[nodiscard]] int accept_from(int listening);

/// Starts connecting, with TCP_NODELAY: connected when it becomes writable and `connect_error` is 0.
[[nodiscard]] Result<int> connect_to(const SocketAddress& address);
[[nodiscard]] int connect_error(int fd);

}  // namespace banyan
