#include "executors/command/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace banyan::shim {
namespace {

// One line of the process table. A machine with more processes than this is scanned again after the first are dead.
struct Entry {
  Process process;
  pid_t parent = 0;
  bool ours = false;
};
constexpr int entries_max = 32768;

bool read_entry(pid_t pid, Entry* entry) {
  char path[64];
  char stat[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t size = read(file, stat, sizeof stat - 1);
  close(file);
  if (size <= 0) return false;
  stat[size] = '\0';
  const char* after_name = strrchr(stat, ')');
  if (after_name == nullptr || sscanf(after_name + 1, " %*c %d", &entry->parent) != 1) return false;
  entry->process = {pid, parse_start_time(stat)};
  return true;
}

int scan(Entry* table) {
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return 0;
  int count = 0;
  while (const dirent* item = readdir(proc)) {
    const pid_t pid = atoi(item->d_name);
    if (pid > 0 && count < entries_max && read_entry(pid, &table[count])) ++count;
  }
  closedir(proc);
  return count;
}

void mark_descendants(Entry* table, int count) {
  const pid_t self = getpid();
  for (bool found = true; found;) {
    found = false;
    for (int i = 0; i < count; ++i) {
      if (table[i].ours) continue;
      bool child = table[i].parent == self;
      for (int k = 0; k < count && !child; ++k) child = table[k].ours && table[k].process.pid == table[i].parent;
      if (child) table[i].ours = found = true;
    }
  }
}

void kill_exactly(const Process& process) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0));
  if (fd < 0) return;
  if (identify(process.pid).start == process.start) syscall(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0);
  close(fd);
}

}  // namespace

Process identify(pid_t pid) {
  Entry entry;
  return read_entry(pid, &entry) ? entry.process : Process{pid, 0};
}

namespace {

template <class Deed>
void each_descendant(const Deed& deed) {
  auto* table = static_cast<Entry*>(calloc(entries_max, sizeof(Entry)));
  if (table == nullptr) return;
  const int count = scan(table);
  mark_descendants(table, count);
  for (int i = 0; i < count; ++i)
    if (table[i].ours) deed(table[i].process);
  free(table);
}

}  // namespace

int list_tree(int leaf, pid_t* pids, int max) {
  int count = 0;
  if (leaf < 0) {
    each_descendant([&](const Process& process) {
      if (count < max) pids[count++] = process.pid;
    });
    return count;
  }
  const int fd = openat(leaf, "cgroup.procs", O_RDONLY | O_CLOEXEC);
  FILE* file = fd < 0 ? nullptr : fdopen(fd, "r");
  if (file == nullptr) return 0;
  while (count < max && fscanf(file, "%d", &pids[count]) == 1) ++count;
  fclose(file);
  return count;
}

void kill_descendants() { each_descendant(kill_exactly); }

bool kill_leaf(int leaf) {
  const int file = openat(leaf, "cgroup.kill", O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool done = write(file, "1", 1) == 1;
  close(file);
  return done;
}

}  // namespace banyan::shim
