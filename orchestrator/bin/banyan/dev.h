// `banyan dev`: one parent that starts and restarts master, agent and root on this machine.
#pragma once

#include <string>

namespace banyan::root {

struct DevOptions {
  std::string state;        ///< folder of this cluster: dev.json, cluster.json, databases, sandboxes, logs
  std::string resources;    ///< the agent's, in Mesos' text form; empty: detected
  bool background = false;  ///< started by `up`: ends with its last stack; logs go to files only
  int ready_fd = -1;
};

/// Runs until SIGTERM or SIGINT, then ends its daemons; tasks go on. The program's exit code: 4 if another runs here.
int run_dev(const DevOptions& options);

}  // namespace banyan::root
