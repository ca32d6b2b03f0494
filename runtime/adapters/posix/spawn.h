// Starting a shim.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/adapters/posix/fd.h"
#include "runtime/adapters/posix/plan.h"
#include "runtime/adapters/posix/users.h"
#include "runtime/base/time.h"

namespace banyan::posix {

struct ShimOptions {
  std::string shim;              ///< path of banyan-shim
  std::string runtime_dir = {};  ///< empty: a check
  std::string sandbox;
  std::string leaf;  ///< empty: no cgroup
  User user;
  Command command;
  std::vector<std::uint16_t> ports = {};  ///< see ContainerPlan
  Duration timeout = {};                  ///< of a check
};

struct Shim {
  Fd process;  ///< pidfd; readable when it has ended; it is our child and must be reaped
  Fd report;   ///< one line: "started PID", "exec ERRNO", "exit STATUS", "timeout 0"
};

/// A session of its own, default signals, no descriptor of ours but /dev/null and the report; its stderr goes to
/// runtime_dir/shim.err, so that nobody's pipe stays open for the life of a task.
[[nodiscard]] Result<Shim> spawn_shim(const ShimOptions& options);

}  // namespace banyan::posix
