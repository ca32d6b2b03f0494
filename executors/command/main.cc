// banyan-shim: the parent of one task. It outlives the agent, so it alone sees the true exit status, and writes it
// down.
//
//   start   lock the container, fork the task, record `started`, let it go
//   run     pump stdout and stderr into rotated files; SIGTERM: pass on to the task's group, once; SIGUSR1: kill all
//   end     the task's first process is gone: kill what is left of the tree, empty the pipes, record `exit`
//   stop    after SIGTERM the rest of the tree may end by itself, until SIGUSR1: `sh -c` dies at once of a SIGTERM that
//           the server behind it still obeys
//
// It stays outside the cgroup leaf it kills, and is the subreaper of everything in it. With no runtime folder it runs a
// check instead: no records, no logs, a deadline, and only its own descendants are killed.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <initializer_list>

#include "executors/command/logs.h"
#include "executors/command/options.h"
#include "executors/command/ports.h"
#include "executors/command/task.h"
#include "executors/command/tree.h"
#include "runtime/adapters/posix/shim_record.h"

namespace banyan::shim {
namespace {

struct Shim {
  Options options;
  int runtime = -1;  // folder of the records
  int leaf = -1;
  int signals = -1;
  int error = -1;  // see Pipes::error
  int timeout_ms = -1;
  Log out{.name = "stdout"};
  Log err{.name = "stderr"};
  PortWatch ports;
  long started_ms = 0;
  long look_ms = 0;  // when to look at the ports again
  pid_t task = -1;
  bool ended = false;     // its first process has
  bool stopping = false;  // SIGTERM was passed on: the tree is waited for
  bool killing = false;   // SIGUSR1 came: no more waiting
  bool empty = false;     // no process of the tree is left
  Exit exit;
};

[[noreturn]] void die(const char* what) {
  fprintf(stderr, "banyan-shim: %s: %s\n", what, strerror(errno));
  _exit(1);
}

void report(Shim* shim, const char* word, int value) {
  if (shim->options.report < 0) return;
  dprintf(shim->options.report, "%s %d\n", word, value);
  close(shim->options.report);
  shim->options.report = -1;
}

// Atomically; and on disk when `sync`.
bool write_record(int folder, const char* name, const char* line, bool sync) {
  char temporary[32];
  snprintf(temporary, sizeof temporary, "%s.new", name);
  const int file = openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return false;
  const size_t size = strlen(line);
  const bool written = write(file, line, size) == static_cast<ssize_t>(size) && (!sync || fsync(file) == 0);
  close(file);
  return written && renameat(folder, temporary, folder, name) == 0 && (!sync || fsync(folder) == 0);
}

// A recovering agent takes the lock and leaves `exit` behind to say "do not start"; so: first the lock, then look.
void lock_container(Shim* shim) {
  shim->runtime = open(shim->options.runtime, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (shim->runtime < 0) die(shim->options.runtime);
  const int lock = openat(shim->runtime, lock_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) die("the container's lock is taken");
  if (faccessat(shim->runtime, exit_file, F_OK, 0) == 0) _exit(1);
}

void open_logs(Shim* shim) {
  const int sandbox = open(shim->options.sandbox, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (sandbox < 0) die(shim->options.sandbox);
  for (Log* log : {&shim->out, &shim->err}) {
    log->folder = sandbox;
    log->owner = shim->options.user;
    log->group = shim->options.group;
    log->bytes_max = shim->options.log_bytes;
    log->files_max = shim->options.log_files;
    if (!open_log(log)) die(log->name);
  }
}

// A check's output is a help for people: where it cannot be kept, it is thrown away.
void open_check_output(Shim* shim) {
  Log& log = shim->out;
  log.name = check_output_file;
  log.folder = open(shim->options.sandbox, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  log.owner = shim->options.user;
  log.group = shim->options.group;
  log.bytes_max = check_output_bytes_max;
  log.files_max = 1;
  if (log.folder < 0 || !open_log(&log)) return;
  if (ftruncate(log.file, 0) == 0) log.size = 0;
}

void watch_signals(Shim* shim) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGUSR1, SIGCHLD, SIGINT, SIGHUP}) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  shim->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (shim->signals < 0) die("signalfd");
}

void record_ports(Shim* shim) {
  char line[sizeof(PortsHeld) + 32];
  format_ports(line, sizeof line, shim->ports.held);
  write_record(shim->runtime, ports_file, line, false);  // a full disk: it is out of date until the next change
}

void record_start(Shim* shim) {
  Started started;
  started.shim = identify(getpid());
  started.task = identify(shim->task);
  const int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  ssize_t size = read(file, started.boot_id, sizeof started.boot_id - 1);
  close(file);
  while (size > 0 && started.boot_id[size - 1] == '\n') started.boot_id[--size] = '\0';
  char line[160];
  format_started(line, sizeof line, started);
  if (!write_record(shim->runtime, started_file, line, false)) die("cannot record the start");
}

void start(Shim* shim) {
  int out[2] = {-1, -1};
  int err[2] = {-1, -1};
  int gate[2];
  int error[2];
  const bool is_task = shim->runtime >= 0;
  const bool both = !is_task && shim->out.file >= 0;  // a check's two streams lie in one file, as they came
  if ((is_task || both) && pipe2(out, O_CLOEXEC) != 0) die("pipe");
  if (is_task && pipe2(err, O_CLOEXEC) != 0) die("pipe");
  if (pipe2(gate, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0) die("pipe");
  shim->task = fork();
  if (shim->task < 0) die("fork");
  if (shim->task == 0) {
    close(gate[1]);
    become_task(shim->options, shim->leaf,
                {.out = out[1], .err = both ? out[1] : err[1], .gate = gate[0], .error = error[1]});
  }
  for (const int fd : {out[1], err[1], gate[0], error[1]})
    if (fd >= 0) close(fd);
  shim->out.pipe = out[0];
  shim->err.pipe = err[0];
  for (const int fd : {out[0], err[0]})
    if (fd >= 0) fcntl(fd, F_SETFL, O_NONBLOCK);
  shim->error = error[0];
  if (is_task && shim->options.port_count > 0) record_ports(shim);
  if (is_task) record_start(shim);
  if (write(gate[1], "g", 1) != 1) die("cannot let the task go");
  close(gate[1]);
}

void kill_tree(Shim* shim) {
  const bool is_task = shim->runtime >= 0;  // a check lives in its task's leaf, which must survive it
  if (!is_task || shim->leaf < 0 || !kill_leaf(shim->leaf)) kill_descendants();
}

// The shim is the subreaper of the tree, so the tree is empty when it has no child.
void reap(Shim* shim) {
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid == 0) return;
    if (pid < 0) {
      shim->empty = errno == ECHILD;
      return;
    }
    if (pid != shim->task) continue;
    shim->exit.wait_status = status;
    shim->ended = true;
  }
}

// Once, however often it is asked for: a second SIGTERM makes many servers drop what they are still doing. While the
// first process is not reaped, its number is nobody else's.
void stop_task(Shim* shim) {
  if (shim->ended || shim->stopping) return;
  shim->stopping = true;
  if (kill(-shim->task, SIGTERM) != 0) kill(shim->task, SIGTERM);
}

void on_signals(Shim* shim) {
  signalfd_siginfo info{};
  while (read(shim->signals, &info, sizeof info) == sizeof info) {
    switch (info.ssi_signo) {
      case SIGTERM: stop_task(shim); break;
      case SIGUSR1:
        shim->killing = true;
        kill_tree(shim);
        break;
      case SIGCHLD: reap(shim); break;
      default: break;  // a terminal's SIGINT and SIGHUP are not for tasks
    }
  }
}

// The outcome of exec: errno, or nothing at all.
void on_exec(Shim* shim) {
  int code = 0;
  const ssize_t size = read(shim->error, &code, sizeof code);
  close(shim->error);
  shim->error = -1;
  if (size == sizeof code) {
    shim->exit.launch_error = code;
    report(shim, "exec", code);
  } else if (shim->runtime >= 0) {
    report(shim, "started", shim->task);
  }
}

long now_ms() {
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// A server serves no sooner than it is seen to listen, so the pause is an eighth of its age while it starts, a
// hundredth when something is missing for long; once everything is held, only a closed socket is looked for.
long pause_ms(bool complete, long age) {
  constexpr long shortest = 5;
  constexpr long starting = 100;
  constexpr long missing = 1000;
  constexpr long held = 2000;
  if (complete) return held;
  const long late = age / 100 < missing ? age / 100 : missing;
  const long early = age / 8 < starting ? age / 8 : starting;
  const long pause = early > late ? early : late;
  return pause > shortest ? pause : shortest;
}

void look_at_ports(Shim* shim, long now) {
  if (look(shim->options, shim->leaf, &shim->ports)) record_ports(shim);
  shim->look_ms = now + pause_ms(shim->ports.complete, now - shim->started_ms);
}

// Milliseconds for poll(); -1: for ever.
long time_left(const Shim& shim, long now, long deadline) {
  long left = deadline == 0 ? -1 : deadline - now;
  if (shim.options.port_count > 0 && !shim.ended) {
    const long to_look = shim.look_ms > now ? shim.look_ms - now : 0;
    if (left < 0 || to_look < left) left = to_look;
  }
  return left;
}

bool is_over(const Shim& shim) {
  if (!shim.ended) return false;
  return !shim.stopping || shim.killing || shim.empty;
}

void run(Shim* shim) {
  shim->started_ms = now_ms();
  shim->look_ms = shim->started_ms + pause_ms(false, 0);
  const long deadline = shim->options.timeout_ms > 0 ? shim->started_ms + shim->options.timeout_ms : 0;
  while (!is_over(*shim)) {
    pollfd fds[4] = {
        {shim->signals, POLLIN, 0}, {shim->out.pipe, POLLIN, 0}, {shim->err.pipe, POLLIN, 0}, {shim->error, POLLIN, 0}};
    const long now = now_ms();
    if (deadline != 0 && deadline <= now) {
      report(shim, "timeout", 0);
      return;
    }
    if (shim->options.port_count > 0 && !shim->ended && shim->look_ms <= now) look_at_ports(shim, now);
    if (poll(fds, 4, static_cast<int>(time_left(*shim, now, deadline))) < 0) continue;
    if (fds[3].revents != 0) on_exec(shim);
    if (fds[1].revents != 0) pump(&shim->out);
    if (fds[2].revents != 0) pump(&shim->err);
    if (fds[0].revents != 0) on_signals(shim);
  }
}

// Kill first, drain after: a grandchild that keeps the pipe open must not keep us.
void finish(Shim* shim) {
  for (reap(shim); !shim->empty; reap(shim)) {
    kill_tree(shim);
    pollfd wait{shim->signals, POLLIN, 0};
    poll(&wait, 1, 20);  // a process in an uninterruptible state is waited for, however long
    signalfd_siginfo info{};
    while (read(shim->signals, &info, sizeof info) > 0) {
    }
  }
  if (shim->error >= 0) on_exec(shim);
  for (Log* log : {&shim->out, &shim->err})
    for (pollfd more{log->pipe, POLLIN, 0}; log->pipe >= 0 && poll(&more, 1, 0) > 0;) pump(log);
  if (shim->runtime < 0) return report(shim, "exit", shim->exit.wait_status);
  char line[64];
  format_exit(line, sizeof line, shim->exit);
  if (!write_record(shim->runtime, exit_file, line, true)) die("cannot record the exit");
  // The agent removes the leaf; this is for the day when no agent comes back. Its parent goes with the last leaf.
  if (shim->options.leaf == nullptr || rmdir(shim->options.leaf) != 0) return;
  char* parent = strdup(shim->options.leaf);
  *strrchr(parent, '/') = '\0';
  rmdir(parent);
}

}  // namespace
}  // namespace banyan::shim

int main(int argc, char** argv) {
  using namespace banyan::shim;
  Shim shim;
  if (!parse_options(argc, argv, &shim.options)) {
    fprintf(stderr, "banyan-shim is started by banyan-agent, not by hand; see executors/command/README.md\n");
    return 64;
  }
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  watch_signals(&shim);
  if (shim.options.report >= 0) fcntl(shim.options.report, F_SETFD, FD_CLOEXEC);
  if (shim.options.leaf != nullptr) {
    shim.leaf = open(shim.options.leaf, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (shim.leaf < 0) die(shim.options.leaf);
  }
  if (shim.options.runtime != nullptr) {
    lock_container(&shim);
    open_logs(&shim);
  } else {
    open_check_output(&shim);
  }
  start(&shim);
  run(&shim);
  finish(&shim);
  return 0;
}
