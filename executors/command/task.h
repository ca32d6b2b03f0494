// Starting the task: from a fork of the shim to the task's own first instruction.
#pragma once

#include "executors/command/options.h"

namespace banyan::shim {

struct Pipes {
  int out = -1;  ///< the task's stdout and stderr; -1: /dev/null
  int err = -1;
  int gate = -1;   ///< the child waits until it closes
  int error = -1;  ///< close-on-exec: carries errno when exec fails, ends silently when it succeeds
};

/// In the child. A session, the cgroup leaf, the user, the sandbox, no inherited descriptor, exec; never returns.
[[noreturn]] void become_task(const Options& options, int leaf, const Pipes& pipes);

}  // namespace banyan::shim
