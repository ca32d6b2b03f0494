#include "runtime/adapters/posix/process.h"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>

#include <cstdlib>

#include "runtime/adapters/posix/files.h"

namespace banyan::posix {

const std::string& boot_id() {
  static const std::string id = [] {
    std::string text = read_file("/proc/sys/kernel/random/boot_id").value_or("unknown");
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }();
  return id;
}

unsigned long long start_time(pid_t pid) {
  const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  return stat ? shim::parse_start_time(stat->c_str()) : 0;
}

Fd open_child(pid_t pid) { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

Fd open_process(const shim::Process& process) {
  if (process.pid <= 0) return Fd();
  Fd fd = open_child(process.pid);  // first hold it, then look whom we hold
  if (fd.open() && start_time(process.pid) != process.start) fd.reset();
  return fd;
}

void send_signal(const Fd& pidfd, int number) {
  if (pidfd.open()) ::syscall(SYS_pidfd_send_signal, pidfd.get(), number, nullptr, 0);
}

int kill_session(pid_t session) {
  if (session <= 1) return 0;
  int count = 0;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return 0;
  while (const dirent* entry = ::readdir(proc)) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 1 || ::getsid(pid) != session) continue;
    const Fd held = open_child(pid);
    if (!held.open() || ::getsid(pid) != session) continue;
    send_signal(held, SIGKILL);
    ++count;
  }
  ::closedir(proc);
  return count;
}

}  // namespace banyan::posix
