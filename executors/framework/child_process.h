// One child process: started, watched and signalled by pidfd.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "executors/framework/core/environment.h"
#include "runtime/base/result.h"

namespace banyan {
class Loop;
}

namespace banyan::framework_executor {

/// A child in a session of its own. It dies with this process (PR_SET_PDEATHSIG), whatever ends us.
/// THREADS: the one that runs the loop, and that one must have started the child. LIFETIME: destroying it kills and
/// reaps the child without calling back.
class ChildProcess {
 public:
  /// Returns once the program runs, or says why it does not ("kafka-scheduler: No such file or directory").
  /// `ended` is called once with the wait status, after whatever was left of its process group has been killed.
  static Result<std::unique_ptr<ChildProcess>> start(Loop& loop, const std::vector<std::string>& argv,
                                                     const Environment& environment,
                                                     std::function<void(int wait_status)> ended);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number, bool tree);

 private:
  ChildProcess(Loop& loop, pid_t pid, int pidfd) : loop_(loop), pid_(pid), pidfd_(pidfd) {}
  int reap();

  Loop& loop_;
  pid_t pid_;
  int pidfd_;  ///< -1 once reaped
};

}  // namespace banyan::framework_executor
