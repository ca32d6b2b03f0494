// A task's stdout or stderr: bytes come through a pipe, lie in a file, and the file rotates before it is too large.
#pragma once

#include <sys/types.h>

namespace banyan::shim {

/// The sandbox belongs to the task, so nothing in it is trusted: the file is held open, opened without following links,
/// and whatever else the task puts in its place is replaced. When the disk is full, bytes are dropped: the task is
/// never blocked by its own log.
struct Log {
  const char* name = nullptr;  ///< "stdout"; its predecessors are "stdout.1", …
  int folder = -1;             ///< the sandbox
  uid_t owner = 0;
  gid_t group = 0;
  off_t bytes_max = 0;
  int files_max = 2;  ///< the live one included
  int pipe = -1;      ///< our end of the task's stdout; -1 once it has ended
  int file = -1;
  off_t size = 0;
};

bool open_log(Log* log);

/// Moves what the pipe holds into the file. Returns false when the pipe has ended (and is closed).
bool pump(Log* log);

}  // namespace banyan::shim
