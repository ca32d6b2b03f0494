// The shim's command line: `banyan-shim key=value… -- PROGRAM ARGV0 ARG…`, written by runtime/adapters/posix/spawn.cc.
#pragma once

#include <sys/types.h>

namespace banyan::shim {

constexpr int ports_max = 64;

struct Options {
  const char* runtime = nullptr;  ///< folder of the records; none: a check, which leaves none
  const char* sandbox = nullptr;
  const char* leaf = nullptr;  ///< the task's cgroup; none: plain tracking
  bool switch_user = false;
  uid_t user = 0;
  gid_t group = 0;
  int report = -1;  ///< descriptor for one line: started PID | exec ERRNO | exit STATUS | timeout
  long log_bytes = 16 << 20;
  int log_files = 2;
  unsigned short ports[ports_max] = {};  ///< given to the task; who listens on them is recorded
  int port_count = 0;                    ///< 0: nobody asks
  long timeout_ms = 0;                   ///< of a check; 0: none
  const char* program = nullptr;         ///< looked up in PATH when it holds no '/'
  char** arguments = nullptr;            ///< ends with a null
};

/// False when the line is not understood.
bool parse_options(int argc, char** argv, Options* options);

}  // namespace banyan::shim
