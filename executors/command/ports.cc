#include "executors/command/ports.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executors/command/tree.h"

namespace banyan::shim {
namespace {

constexpr int processes_max = 4096;  // of one tree; sockets of further ones would be taken for strangers'

// Calls `found` with the inode of each socket that `pid` has open, as far as we may see that.
template <class Found>
void each_socket(pid_t pid, const Found& found) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd", pid);
  DIR* folder = opendir(path);
  if (folder == nullptr) return;
  while (const dirent* item = readdir(folder)) {
    char target[64];
    const ssize_t size = readlinkat(dirfd(folder), item->d_name, target, sizeof target - 1);
    if (size <= 0) continue;
    target[size] = '\0';
    unsigned long inode = 0;
    if (sscanf(target, "socket:[%lu]", &inode) == 1) found(inode);
  }
  closedir(folder);
}

// A stranger's socket may be handed to the tree (SCM_RIGHTS), which is rare: without a cgroup the tree costs a walk
// through /proc, so it is asked again now and then only.
bool is_open_question(const Socket& socket) {
  constexpr int looks_between = 20;
  return !socket.ours && (!socket.sought || socket.looks % looks_between == 0);
}

void find_ours(PortWatch* watch, int leaf) {
  int unknown = 0;
  for (int i = 0; i < watch->count; ++i) unknown += is_open_question(watch->sockets[i]) ? 1 : 0;
  if (unknown == 0) return;
  static pid_t tree[processes_max];
  const int processes = list_tree(leaf, tree, processes_max);
  for (int p = 0; p < processes && unknown > 0; ++p)
    each_socket(tree[p], [&](unsigned long inode) {
      for (int i = 0; i < watch->count; ++i) {
        if (watch->sockets[i].ours || watch->sockets[i].open.inode != inode) continue;
        watch->sockets[i].ours = true;
        --unknown;
      }
    });
}

void name_process(Socket* socket) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/comm", socket->pid);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  const ssize_t size = read(file, socket->name, sizeof socket->name - 1);
  close(file);
  socket->name[size > 0 ? size : 0] = '\0';
  socket->name[strcspn(socket->name, "\n")] = '\0';
  for (char* c = socket->name; *c != '\0'; ++c)  // a process may call itself anything; ',' and blanks separate
    if (isalnum(static_cast<unsigned char>(*c)) == 0 && strchr("._-:+", *c) == nullptr) *c = '_';
}

// Over all processes of the machine, so only once for each socket.
void find_strangers(PortWatch* watch) {
  bool wanted = false;
  for (int i = 0; i < watch->count; ++i) {
    Socket& socket = watch->sockets[i];
    if (socket.ours) continue;
    ++socket.looks;
    wanted = wanted || (socket.looks > 1 && !socket.sought);
  }
  DIR* proc = wanted ? opendir("/proc") : nullptr;
  if (proc == nullptr) return;
  while (const dirent* item = readdir(proc)) {
    const pid_t pid = atoi(item->d_name);
    if (pid <= 0) continue;
    each_socket(pid, [&](unsigned long inode) {
      for (int i = 0; i < watch->count; ++i) {
        Socket& socket = watch->sockets[i];
        if (socket.ours || socket.sought || socket.open.inode != inode || socket.pid != 0) continue;
        socket.pid = pid;
        name_process(&socket);
      }
    });
  }
  closedir(proc);
  for (int i = 0; i < watch->count; ++i) watch->sockets[i].sought = watch->sockets[i].looks > 1;
}

template <size_t size, class... Values>
void append(char (&text)[size], const char* format, Values... values) {
  const size_t used = strlen(text);
  if (used > 0) snprintf(text + used, size - used, ",");
  snprintf(text + strlen(text), size - strlen(text), format, values...);
}

// One word for each given port and protocol: ours if any socket of it is.
void describe(const Options& options, PortWatch* watch) {
  watch->held = {};
  watch->complete = true;
  for (int p = 0; p < options.port_count; ++p) {
    bool held = false;
    for (const bool udp : {false, true}) {
      const Socket* stranger = nullptr;
      bool ours = false;
      for (int i = 0; i < watch->count; ++i) {
        const Socket& socket = watch->sockets[i];
        if (socket.open.port != options.ports[p] || socket.open.udp != udp) continue;
        ours = ours || socket.ours;
        if (!socket.ours && socket.looks > 1) stranger = &socket;
      }
      const char* protocol = udp ? "udp" : "tcp";
      if (ours) append(watch->held.listens, "%s/%d", protocol, options.ports[p]);
      else if (stranger != nullptr)
        append(watch->held.strangers, "%s/%d=%d/%s", protocol, options.ports[p], stranger->pid, stranger->name);
      held = held || ours;
    }
    watch->complete = watch->complete && held;
  }
}

}  // namespace

bool look(const Options& options, int leaf, PortWatch* watch) {
  static OpenSocket open[sockets_max];
  static Socket now[sockets_max];
  const int count = list_sockets(options, open, sockets_max);
  for (int i = 0; i < count; ++i) {
    now[i] = Socket{};
    now[i].open = open[i];
    for (int k = 0; k < watch->count; ++k)
      if (watch->sockets[k].open.inode == open[i].inode) now[i] = watch->sockets[k];
  }
  for (int i = 0; i < count; ++i) watch->sockets[i] = now[i];
  watch->count = count;
  find_ours(watch, leaf);
  find_strangers(watch);
  const PortsHeld before = watch->held;
  describe(options, watch);
  return strcmp(before.listens, watch->held.listens) != 0 || strcmp(before.strangers, watch->held.strangers) != 0;
}

}  // namespace banyan::shim
