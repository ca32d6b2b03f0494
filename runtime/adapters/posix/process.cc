#include "runtime/adapters/posix/process.h"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>

#include <cstdio>
#include <cstdlib>
#include <map>

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

namespace {

struct Entry {
  pid_t parent = 0;
  bool ours = false;
};

/// `variable` stands in the environment that `pid` was started with. An environment we may not read is a stranger's.
bool was_started_with(pid_t pid, const std::string& variable) {
  const std::string block = '\0' + read_file("/proc/" + std::to_string(pid) + "/environ").value_or("");
  return block.find('\0' + variable + '\0') != std::string::npos;
}

std::map<pid_t, Entry> living_processes(const Marks& marks) {
  std::map<pid_t, Entry> table;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return table;
  while (const dirent* entry = ::readdir(proc)) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 1) continue;
    const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat").value_or("");
    const auto after_name = stat.rfind(')');
    char state = 'X';
    int parent = 0;
    int session = 0;
    if (after_name == std::string::npos ||
        std::sscanf(stat.c_str() + after_name + 1, " %c %d %*d %d", &state, &parent, &session) != 3)
      continue;
    if (state == 'Z' || state == 'X') continue;
    const bool ours = (marks.session > 1 && session == marks.session) || was_started_with(pid, marks.environment);
    table[pid] = {parent, ours};
  }
  ::closedir(proc);
  return table;
}

void mark_descendants(std::map<pid_t, Entry>& table) {
  for (bool found = true; found;) {
    found = false;
    for (auto& [pid, entry] : table) {
      const auto parent = table.find(entry.parent);
      if (entry.ours || parent == table.end() || !parent->second.ours) continue;
      entry.ours = found = true;
    }
  }
}

}  // namespace

int kill_marked(const Marks& marks) {
  auto table = living_processes(marks);
  mark_descendants(table);
  int count = 0;
  for (const auto& [pid, entry] : table) {
    if (!entry.ours) continue;
    const shim::Process process{pid, start_time(pid)};
    ++count;
    send_signal(open_process(process), SIGKILL);
  }
  return count;
}

}  // namespace banyan::posix
