#include "executors/framework/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "runtime/adapters/loop/loop.h"

namespace banyan::framework_executor {
namespace {

/// Pointers for exec, prepared before the fork: between fork and exec nothing may allocate.
class Strings {
 public:
  explicit Strings(std::vector<std::string> strings) : strings_(std::move(strings)) {
    for (auto& s : strings_) pointers_.push_back(s.data());
    pointers_.push_back(nullptr);
  }
  [[nodiscard]] char* const* get() const { return pointers_.data(); }

 private:
  std::vector<std::string> strings_;
  std::vector<char*> pointers_;
};

std::vector<std::string> assignments(const Environment& environment) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : environment) lines.push_back(name + "=" + value);
  return lines;
}

/// In the forked child: becomes the program, or reports errno through `failure` and goes.
[[noreturn]] void become(const Strings& argv, const Strings& environment, pid_t parent, int failure) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before prctl
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
  ::execvpe(argv.get()[0], argv.get(), environment.get());
  const int why = errno;
  [[maybe_unused]] const auto written = ::write(failure, &why, sizeof why);
  ::_exit(127);
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(Loop& loop, const std::vector<std::string>& argv,
                                                          const Environment& environment,
                                                          std::function<void(int wait_status)> ended) {
  const Strings arguments(argv);
  const Strings variables(assignments(environment));
  std::array<int, 2> failure{};
  if (::pipe2(failure.data(), O_CLOEXEC) != 0) return error(std::string("pipe: ") + std::strerror(errno));
  const pid_t self = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(arguments, variables, self, failure[1]);
  const int fork_errno = errno;
  ::close(failure[1]);
  int why = 0;
  const auto failed = pid > 0 ? ::read(failure[0], &why, sizeof why) : 0;  // ends with the exec, at the latest
  ::close(failure[0]);
  if (pid < 0) return error(std::string("fork: ") + std::strerror(fork_errno));
  if (failed > 0) {
    ::waitpid(pid, nullptr, 0);
    return error(argv[0] + ": " + std::strerror(why));
  }
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  std::unique_ptr<ChildProcess> child(new ChildProcess(loop, pid, pidfd));
  if (pidfd < 0) return error(std::string("pidfd_open: ") + std::strerror(errno));
  loop.when_readable(pidfd, [raw = child.get(), ended = std::move(ended)] { ended(raw->reap()); });
  return child;
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) reap();
}

void ChildProcess::signal(int number, bool tree) {
  if (pid_ <= 0) return;
  if (tree) {
    ::kill(-pid_, number);  // not reaped yet, so the number is still ours
  } else {
    ::syscall(SYS_pidfd_send_signal, pidfd_, number, nullptr, 0);
  }
}

int ChildProcess::reap() {
  ::kill(-pid_, SIGKILL);  // before the wait: until then the group's number cannot be anyone else's
  int wait_status = 0;
  ::waitpid(pid_, &wait_status, 0);
  if (pidfd_ >= 0) {
    loop_.forget(pidfd_);
    ::close(pidfd_);
  }
  pidfd_ = -1;
  pid_ = 0;
  return wait_status;
}

}  // namespace banyan::framework_executor
