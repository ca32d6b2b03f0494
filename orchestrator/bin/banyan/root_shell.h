// `banyan root`: the root core with its world around it.
#pragma once

#include <string>
#include <vector>

namespace banyan::root {

struct RootOptions {
  std::vector<std::string> masters;  ///< host:port
  std::string state;                 ///< folder of its database and lock
  std::string api;                   ///< where CLIs find it, "unix:/path"
  std::string programs;              ///< folder of Banyan's own programs; default: its own
  std::string nodes;                 ///< folder of the children's state; default: STATE/../nodes
  std::string artifacts;             ///< folder of the stacks' local files, by sha256; default: STATE/../artifacts
  std::string cluster_file;          ///< cluster.json, for pids in `status`; default: STATE/../cluster.json
  std::string host = "127.0.0.1";    ///< where agents reach its artifact server
  std::string task_user;             ///< default: nobody for root, else the agent's default
  int ready_fd = -1;
};

/// Waits for its election, then runs until SIGTERM or SIGINT. The program's exit code.
int run_root(const RootOptions& options);

}  // namespace banyan::root
