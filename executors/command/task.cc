#include "executors/command/task.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace banyan::shim {
namespace {

[[noreturn]] void give_up(int error_pipe) {
  const int code = errno;
  const ssize_t written = write(error_pipe, &code, sizeof code);
  _exit(written == sizeof code ? 127 : 126);
}

bool enter_leaf(int leaf) {
  if (leaf < 0) return true;
  const int file = openat(leaf, "cgroup.procs", O_WRONLY | O_CLOEXEC);
  return file >= 0 && write(file, "0", 1) == 1;  // closed by close_range below
}

bool become_user(const Options& o) {
  if (!o.switch_user) return true;
  if (setgroups(0, nullptr) != 0 || setresgid(o.group, o.group, o.group) != 0) return false;
  if (setresuid(o.user, o.user, o.user) != 0) return false;
  return o.user == 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;  // no way back through a setuid program
}

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

void become_task(const Options& options, int leaf, const Pipes& pipes) {
  const pid_t shim = getppid();
  char go = 0;
  setsid();
  if (read(pipes.gate, &go, 1) != 1) _exit(126);  // the shim died before it could record us
  if (!enter_leaf(leaf)) give_up(pipes.error);
  const int null = open("/dev/null", O_RDWR);
  if (dup2(null, 0) < 0 || dup2(pipes.out < 0 ? null : pipes.out, 1) < 0 ||
      dup2(pipes.err < 0 ? null : pipes.err, 2) < 0)
    give_up(pipes.error);
  if (!become_user(options)) give_up(pipes.error);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // after the change of user, which clears it: no task without its shim
  if (getppid() != shim) _exit(126);
  umask(022);
  if (chdir(options.sandbox) != 0) give_up(pipes.error);
  reset_signals();
  syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
  execvp(options.program, options.arguments);
  give_up(pipes.error);
}

}  // namespace banyan::shim
