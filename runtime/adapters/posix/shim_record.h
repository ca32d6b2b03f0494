// What a shim and its agent leave for each other in a container's runtime folder. Plain C, for the shim is static and
// tiny.
//
//   lock     flock()ed by the shim for as long as it lives; by a recovering agent to rule out one that has not begun
//   started  one line, see format_started(); there before the task's first instruction
//   ports    one line, see format_ports(): who listens on the ports that the task was given; there before `started`,
//            replaced on change; missing: nobody looks
//   exit     one line, see format_exit(); there after the task's last process is gone
//
// `exit` is synced to disk: it must outlive the machine. `started` only has to outlive the agent — after a reboot the
// boot id in it says that the processes it names are gone — so it is written atomically and not synced.
#pragma once

#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <initializer_list>

namespace banyan::shim {

inline constexpr char lock_file[] = "lock";
inline constexpr char started_file[] = "started";
inline constexpr char ports_file[] = "ports";
inline constexpr char exit_file[] = "exit";

/// In the sandbox: what the last check printed, the last bytes of it.
inline constexpr char check_output_file[] = "check";
inline constexpr long check_output_bytes_max = 64 << 10;

/// A process that cannot be mistaken for a later one with the same number: start time in clock ticks since boot.
struct Process {
  pid_t pid = 0;
  unsigned long long start = 0;
};

struct Started {
  char boot_id[40] = {};
  Process shim;
  Process task;
};

struct PortsHeld {
  char listens[1408] = {};    ///< "tcp/31000,udp/5000": by the task's own processes
  char strangers[5120] = {};  ///< "tcp/31000=1234/python3": by somebody else; pid 0: cannot be seen
};

struct Exit {
  int wait_status = 0;         ///< of the task's first process, as waitpid() gave it
  int launch_error = 0;        ///< errno when the task could not be executed at all; then wait_status says nothing
  bool never_started = false;  ///< written by a recovering agent: no shim ever took this container
};

inline int format_started(char* line, size_t size, const Started& r) {
  return snprintf(line, size, "banyan-started 1 %s %d %llu %d %llu\n", r.boot_id, r.shim.pid, r.shim.start, r.task.pid,
                  r.task.start);
}
inline bool parse_started(const char* line, Started* r) {
  return sscanf(line, "banyan-started 1 %39s %d %llu %d %llu\n", r->boot_id, &r->shim.pid, &r->shim.start, &r->task.pid,
                &r->task.start) == 5;
}
inline int format_exit(char* line, size_t size, const Exit& r) {
  return snprintf(line, size, "banyan-exit 1 %d %d %d\n", r.wait_status, r.launch_error, r.never_started ? 1 : 0);
}
inline bool parse_exit(const char* line, Exit* r) {
  int never = 0;
  if (sscanf(line, "banyan-exit 1 %d %d %d\n", &r->wait_status, &r->launch_error, &never) != 3) return false;
  r->never_started = never != 0;
  return true;
}

inline int format_ports(char* line, size_t size, const PortsHeld& r) {
  const auto word = [](const char* list) { return *list == '\0' ? "-" : list; };
  return snprintf(line, size, "banyan-ports 1 %s %s\n", word(r.listens), word(r.strangers));
}
inline bool parse_ports(const char* line, PortsHeld* r) {
  if (sscanf(line, "banyan-ports 1 %1407s %5119s\n", r->listens, r->strangers) != 2) return false;
  for (char* list : {r->listens, r->strangers})
    if (strcmp(list, "-") == 0) *list = '\0';
  return true;
}

/// Field 22 of /proc/PID/stat, counted after the last ")": a process may call itself anything. 0: it cannot be read.
inline unsigned long long parse_start_time(const char* stat) {
  const char* at = strrchr(stat, ')');
  if (at == nullptr) return 0;
  unsigned long long start = 0;
  constexpr char fields[] = " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu";
  return sscanf(at + 1, fields, &start) == 1 ? start : 0;
}

}  // namespace banyan::shim
