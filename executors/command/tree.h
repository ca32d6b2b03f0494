// The processes of one task: everything that descends from the shim.
#pragma once

#include <sys/types.h>

#include "runtime/adapters/posix/shim_record.h"

namespace banyan::shim {

/// What /proc says of a process now; {pid, 0} when it is gone.
Process identify(pid_t pid);

/// Every process of the tree: of the cgroup leaf where there is one (leaf >= 0), else every descendant of this process.
/// Returns how many of them `pids` got, at most `max`.
int list_tree(int leaf, pid_t* pids, int max);

/// Kills every descendant of this process. The shim is their subreaper, so none can leave by dying parents; a process
/// is named by pidfd and checked again before the signal, so that a stranger with a reused number is never hit.
void kill_descendants();

/// Kills everything in the cgroup leaf at once, forks in flight included. False where the kernel cannot (before 5.14).
bool kill_leaf(int leaf);

}  // namespace banyan::shim
