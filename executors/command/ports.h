// Who listens on the ports that the task was given: processes of its own tree, or strangers.
#pragma once

#include <sys/types.h>

#include "executors/command/options.h"
#include "executors/command/sockets.h"
#include "runtime/adapters/posix/shim_record.h"

namespace banyan::shim {

/// A socket on a given port, and what has been found out about it.
struct Socket {
  OpenSocket open;
  bool ours = false;    ///< a process of the tree holds it; never asked again for this inode
  int looks = 0;        ///< how often it was seen while it was not ours
  bool sought = false;  ///< its holder among all processes was looked for
  pid_t pid = 0;        ///< of a stranger; 0: cannot be seen
  char name[16] = "?";  ///< that process' name
};
constexpr int sockets_max = 256;  ///< further ones are not looked at

struct PortWatch {
  Socket sockets[sockets_max];
  int count = 0;
  PortsHeld held;         ///< as of the last look
  bool complete = false;  ///< the tree listens on every port it was given
};

/// Asks for the open sockets once, and looks at descriptors only for those not known to be ours. A socket counts as a
/// stranger's when two looks in a row find nobody of the tree: one that was only just opened is not misjudged. Returns
/// whether `held` has changed.
bool look(const Options& options, int leaf, PortWatch* watch);

}  // namespace banyan::shim
