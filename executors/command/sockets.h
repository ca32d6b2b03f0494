// The kernel's list of sockets that take connections (TCP) or packets (UDP), in our own network namespace.
#pragma once

#include "executors/command/options.h"

namespace banyan::shim {

struct OpenSocket {
  bool udp = false;
  unsigned short port = 0;
  unsigned long inode = 0;
};

/// Those on the ports of `options`, at most `max`. Listening TCP sockets are asked for by netlink (0.1 ms); where that
/// is closed, they are read from /proc/net/tcp, which walks through the table of all connections (some ms).
int list_sockets(const Options& options, OpenSocket* sockets, int max);

}  // namespace banyan::shim
