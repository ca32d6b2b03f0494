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
/// Kills the processes of one session (a task is a session leader): for a task that has lost its shim and has no
/// cgroup. Returns how many there were.
int kill_session(pid_t session);

}  // namespace banyan::posix
