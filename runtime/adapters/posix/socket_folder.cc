#include "runtime/adapters/posix/socket_folder.h"

#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/adapters/posix/fd.h"

namespace banyan::posix {
namespace {

constexpr std::size_t name_bytes_max = sizeof(sockaddr_un::sun_path) - 1;

}  // namespace

std::vector<std::string> socket_parents() {
  if (::geteuid() == 0) return {"/run", "/tmp"};
  const char* runtime = ::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime != '\0' && ::access(runtime, W_OK) == 0) return {runtime, "/tmp"};
  return {"/tmp"};
}

Result<std::string> make_socket_folder(const std::vector<std::string>& parents, std::string_view name,
                                       std::string_view socket) {
  errno = ENAMETOOLONG;
  for (const auto& parent : parents) {
    std::string path = parent + '/' + std::string(name) + "-XXXXXX";
    if (parent.empty() || path.size() + 1 + socket.size() > name_bytes_max) continue;
    if (::mkdtemp(path.data()) != nullptr) return path;
  }
  return system_error("cannot make a folder for " + std::string(socket));
}

}  // namespace banyan::posix
