#include "runtime/adapters/loop/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

namespace banyan {
namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr int backlog = 4096;

const sockaddr* as_sockaddr(const SocketAddress& address) {
  return reinterpret_cast<const sockaddr*>(address.bytes.data());
}
socklen_t length(const SocketAddress& address) { return static_cast<socklen_t>(address.bytes.size()); }

std::string system_error() { return std::strerror(errno); }

int new_socket(int family) { return ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

void no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // fails on a unix socket, which needs it not
}

Result<std::vector<SocketAddress>> unix_address(const std::string& path) {
  sockaddr_un name{};
  if (path.empty() || path.size() >= sizeof name.sun_path)
    return error("unix socket path '" + path + "' must have 1 to 107 bytes");
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, path.size());
  return std::vector<SocketAddress>{{AF_UNIX, std::string(reinterpret_cast<const char*>(&name), sizeof name)}};
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

/// Nobody answers on it: a socket file that a killed process left.
bool stale(const SocketAddress& address, const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const int probe = new_socket(AF_UNIX);
  if (probe < 0) return false;
  const bool refused = ::connect(probe, as_sockaddr(address), length(address)) != 0 && errno == ECONNREFUSED;
  ::close(probe);
  return refused;
}

}  // namespace

bool is_unix(const std::string& address) { return address.starts_with(unix_prefix); }
std::string unix_path(const std::string& address) { return address.substr(unix_prefix.size()); }

Result<std::vector<SocketAddress>> resolve(const std::string& address) {
  if (is_unix(address)) return unix_address(unix_path(address));
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size())
    return error("address '" + address + "' is not HOST:PORT or unix:PATH");
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string port = address.substr(colon + 1);

  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  if (failed != 0) return error("address '" + address + "': " + ::gai_strerror(failed));
  const std::unique_ptr<addrinfo, FreeAddresses> owner(list);
  std::vector<SocketAddress> found;
  for (const addrinfo* a = list; a != nullptr; a = a->ai_next)
    found.push_back({a->ai_family, std::string(reinterpret_cast<const char*>(a->ai_addr), a->ai_addrlen)});
  return found;
}

Result<int> listen_on(const std::string& address) {
  const auto candidates = resolve(address);
  if (!candidates) return error(candidates.error().message);
  const SocketAddress& name = candidates->front();
  const int fd = new_socket(name.family);
  if (fd < 0) return error("cannot listen on " + address + ": " + system_error());
  const int on = 1;
  if (name.family != AF_UNIX) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  else if (stale(name, unix_path(address))) ::unlink(unix_path(address).c_str());
  if (::bind(fd, as_sockaddr(name), length(name)) != 0 || ::listen(fd, backlog) != 0) {
    const auto refused = error("cannot listen on " + address + ": " + system_error());
    ::close(fd);
    return refused;
  }
  return fd;
}

std::uint16_t local_port(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return 0;
  if (name.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&name)->sin_port);
  if (name.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&name)->sin6_port);
  return 0;
}

int accept_from(int listening) {
  const int fd = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0) no_delay(fd);
  return fd;
}

Result<int> connect_to(const SocketAddress& address) {
  const int fd = new_socket(address.family);
  if (fd < 0) return error(system_error());
  no_delay(fd);
  if (::connect(fd, as_sockaddr(address), length(address)) == 0 || errno == EINPROGRESS) return fd;
  const auto refused = error(errno == EAGAIN ? "the peer's queue of connections is full" : system_error());
  ::close(fd);
  return refused;
}

int connect_error(int fd) {
  int code = 0;
  socklen_t size = sizeof code;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno;
}

}  // namespace banyan
