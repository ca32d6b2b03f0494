// Processes named so that none can be taken for another: by pidfd, and by number with start time and boot id.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/adapters/posix/fd.h"
#include "runtime/adapters/posix/shim_record.h"

namespace banyan::posix {

[[nodiscard]] const std::string& boot_id();
/// Start time in ticks since boot; 0: no such process.
[[nodiscard]] unsigned long long start_time(pid_t pid);
/// Not open when the process is gone, or its number is another's now.
[[nodiscard]] Fd open_process(const shim::Process& process);
/// A process number is only good while it is our unreaped child.
[[nodiscard]] Fd open_child(pid_t pid);
void send_signal(const Fd& pidfd, int number);
/// What a container's processes have in common when it has lost its shim and has no cgroup.
struct Marks {
  pid_t session = 0;        ///< of the task's first process; 0: that number may be a stranger's by now
  std::string environment;  ///< a NAME=value that only its processes were started with
};
/// Kills what bears either mark, and what descends from that. Returns how many there were; dead ones that nobody has
/// reaped do not count.
int kill_marked(const Marks& marks);

}  // namespace banyan::posix
