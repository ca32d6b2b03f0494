// What the operator says to an agent.
#pragma once

#include <string>

#include "runtime/adapters/posix/cgroups.h"

namespace banyan::agent {

struct Settings {
  std::string master;                     ///< host:port of the master's agent link
  std::string listen = "127.0.0.1:5051";  ///< HTTP: executors and operators
  std::string work_dir;
  std::string resources;  ///< empty: detected
  std::string attributes;
  std::string hostname = "127.0.0.1";
  std::string shim;  ///< empty: beside this program
  std::string task_user = "nobody";
  bool allow_root_tasks = false;
  posix::Isolation isolation = posix::Isolation::automatic;
  std::string socket_dir;  ///< empty: chosen, the same for the same work_dir
  double executor_reregistration_timeout_s = 15;
  std::size_t sandboxes_max = 100;
  int ready_fd = -1;
};

}  // namespace banyan::agent
