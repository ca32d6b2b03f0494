// A master and an agent as real processes, for one test.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/check.h"

namespace banyan::system_test {

/// A free TCP port. Taken a moment later by the daemon; the ephemeral range is wide enough for that to hold.
inline std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  BANYAN_CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
  BANYAN_CHECK(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

/// Waits until a process, ours or not, has ended.
inline bool ends(pid_t pid, int milliseconds_max = 30'000) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return errno == ESRCH;
  pollfd waiting{pidfd, POLLIN, 0};
  const bool ended = ::poll(&waiting, 1, milliseconds_max) == 1;
  ::close(pidfd);
  return ended;
}
inline bool alive(pid_t pid) { return !ends(pid, 0); }

/// One daemon that says when it is ready, through --ready-fd. Killed at the end.
class Daemon {
 public:
  Daemon(std::vector<std::string> command, std::filesystem::path log)
      : command_(std::move(command)), log_(std::move(log)) {}
  ~Daemon() { kill(); }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Returns once it serves; false when it ended instead, or took half a minute.
  bool start() {
    int ready[2];
    BANYAN_CHECK(::pipe2(ready, O_CLOEXEC) == 0);
    std::vector<std::string> arguments = command_;
    arguments.insert(arguments.end(), {"--ready-fd", "3"});
    std::vector<char*> pointers;
    for (auto& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      const int log = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      ::dup2(log, 1);
      ::dup2(log, 2);
      if (ready[1] == 3) ::fcntl(3, F_SETFD, 0);
      if (ready[1] != 3) ::dup2(ready[1], 3);
      ::syscall(SYS_close_range, 4U, ~0U, 0U);
      ::execv(pointers[0], pointers.data());
      ::_exit(127);
    }
    ::close(ready[1]);
    pollfd waiting{ready[0], POLLIN, 0};
    char word[8];
    const bool serving = ::poll(&waiting, 1, 30'000) == 1 && ::read(ready[0], word, sizeof word) > 0;
    ::close(ready[0]);
    return serving;
  }
  /// Orderly, so that it can clear up after itself.
  void stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ends(pid_, 10'000);
    kill();
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }

 private:
  std::vector<std::string> command_;
  std::filesystem::path log_;
  pid_t pid_ = 0;
};

/// Master and agent in a folder of their own. The daemons are ended with it; tasks are the test's to end.
struct Cluster {
  Cluster() {
    std::filesystem::copy_file(BIN_DIR "/../tests/helpers/test-executor", folder / "test-executor");
    std::filesystem::copy_file(BIN_DIR "/banyan-framework-executor", folder / "banyan-framework-executor");
  }
  ~Cluster() {
    agent.stop();
    master.stop();
    if (std::getenv("BANYAN_KEEP") == nullptr) std::filesystem::remove_all(folder);
  }
  bool start() { return master.start() && agent.start(); }

  static std::string local(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

  std::filesystem::path folder = fresh_folder();
  std::string api = local(free_port());   ///< of the master
  std::string link = local(free_port());  ///< where agents come
  std::string agent_api = local(free_port());
  Daemon master{{BIN_DIR "/banyan-master", "--listen", api, "--agent-listen", link, "--state", path("master")},
                path("master.log")};
  Daemon agent{
      {BIN_DIR "/banyan-agent", "--master", link, "--listen", agent_api, "--work-dir", path("agent"), "--socket-dir",
       path("run"), "--resources", "cpus:4;mem:4096;disk:4096;ports:[31000-32000]", "--shim", BIN_DIR "/banyan-shim"},
      path("agent.log")};

 private:
  static std::filesystem::path fresh_folder() {
    char name[] = "/tmp/banyan-system-XXXXXX";
    BANYAN_CHECK(::mkdtemp(name) != nullptr);
    ::chmod(name, 0755);  // tasks run as another user
    return name;
  }
  [[nodiscard]] std::string path(const std::string& name) const { return folder / name; }
};

}  // namespace banyan::system_test
