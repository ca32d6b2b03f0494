#include "orchestrator/bin/banyan/daemon.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/adapters/loop/loop.h"
#include "runtime/base/backoff.h"
#include "runtime/base/limits.h"

namespace banyan::root {
namespace {

using namespace std::chrono_literals;
constexpr Backoff backoff{50ms, 5s};
constexpr Duration settled_after = 10s;  // a daemon that lived so long starts again without delay

int pidfd_open(int pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }
int pidfd_kill(int pidfd, int signal) {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

/// In the child, between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(char* const* argv, int parent, int log, int ready) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // the parent died before we asked
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGTERM, SIGINT, SIGCHLD, SIGPIPE, SIGHUP}) ::signal(signal, SIG_DFL);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  if (ready == 3) ::fcntl(3, F_SETFD, 0);
  else ::dup2(ready, 3);
  ::syscall(SYS_close_range, 4u, ~0u, 0u);
  ::execv(argv[0], argv);
  ::_exit(127);
}

}  // namespace

RotatingFile::RotatingFile(std::string path) : path_(std::move(path)) { open(); }
RotatingFile::~RotatingFile() {
  if (fd_ >= 0) ::close(fd_);
}

void RotatingFile::open() {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  struct stat info{};
  size_ = fd_ >= 0 && ::fstat(fd_, &info) == 0 ? static_cast<std::size_t>(info.st_size) : 0;
}

void RotatingFile::write(const char* data, std::size_t size) {
  if (size_ + size > limits::log_file_bytes_max) {
    if (fd_ >= 0) ::close(fd_);
    ::rename(path_.c_str(), (path_ + ".1").c_str());
    open();
  }
  if (fd_ >= 0 && ::write(fd_, data, size) > 0) size_ += size;
}

Daemon::Daemon(Loop& loop, std::string name, std::vector<std::string> argv, const std::string& log_path, bool echo,
               Callbacks callbacks)
    : loop_(loop),
      name_(std::move(name)),
      argv_(std::move(argv)),
      log_(log_path),
      echo_(echo),
      callbacks_(std::move(callbacks)) {
  for (const char* word : {"--ready-fd", "3"}) argv_.emplace_back(word);
}

Daemon::~Daemon() {
  for (const int fd : {log_fd_, ready_fd_})
    if (fd >= 0) {
      loop_.forget(fd);
      ::close(fd);
    }
  if (pidfd_ >= 0) ::close(pidfd_);
}

void Daemon::say(const std::string& text) {
  const std::string line = "[dev] " + name_ + " " + text + "\n";
  log_.write(line.data(), line.size());
  if (echo_) [[maybe_unused]]
    const auto written = ::write(2, line.data(), line.size());
}

void Daemon::start() {
  int log[2], ready[2];
  if (::pipe2(log, O_CLOEXEC) != 0 || ::pipe2(ready, O_CLOEXEC) != 0) return say(std::strerror(errno));
  std::vector<char*> argv;
  for (auto& word : argv_) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int parent = ::getpid();
  const int pid = ::fork();
  if (pid == 0) become(argv.data(), parent, log[1], ready[1]);
  ::close(log[1]);
  ::close(ready[1]);
  if (pid < 0) {
    ::close(log[0]);
    ::close(ready[0]);
    return say(std::string("cannot be started: ") + std::strerror(errno));
  }
  pid_ = pid;
  pidfd_ = pidfd_open(pid);
  started_ = mono_now();
  if (log_fd_ >= 0) pump_log();  // what its predecessor left
  log_fd_ = log[0];
  ready_fd_ = ready[0];
  loop_.when_readable(log_fd_, [this] { pump_log(); });
  loop_.when_readable(ready_fd_, [this] { heard_ready(); });
  say("started, pid " + std::to_string(pid));
  callbacks_.changed();
}

void Daemon::pump_log() {
  char buffer[16384];
  for (;;) {
    const auto n = ::read(log_fd_, buffer, sizeof buffer);
    if (n > 0) {
      log_.write(buffer, static_cast<std::size_t>(n));
      if (echo_) [[maybe_unused]]
        const auto written = ::write(2, buffer, static_cast<std::size_t>(n));
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return loop_.when_readable(log_fd_, [this] { pump_log(); });
    loop_.forget(log_fd_);
    ::close(log_fd_);
    log_fd_ = -1;
    return;
  }
}

void Daemon::heard_ready() {
  char buffer[16];
  const auto n = ::read(ready_fd_, buffer, sizeof buffer);
  loop_.forget(ready_fd_);
  ::close(ready_fd_);
  ready_fd_ = -1;
  if (n > 0) callbacks_.ready();
}

bool Daemon::reaped(int pid, int wait_status) {
  if (pid_ == 0 || pid != pid_) return false;
  say(WIFSIGNALED(wait_status) ? std::string("was killed by ") + ::strsignal(WTERMSIG(wait_status))
                               : "exited with " + std::to_string(WEXITSTATUS(wait_status)));
  pid_ = 0;
  ::close(pidfd_);
  pidfd_ = -1;
  if (ready_fd_ >= 0) heard_ready();
  if (log_fd_ >= 0) {  // read the rest; a child of it may still hold the pipe, so do not wait for its end
    loop_.forget(log_fd_);
    pump_log();
    if (log_fd_ >= 0) {
      loop_.forget(log_fd_);
      ::close(log_fd_);
      log_fd_ = -1;
    }
  }
  callbacks_.changed();
  if (ending_) return true;
  const bool settled = mono_now() - started_ >= settled_after;
  wait_ = settled ? Duration::zero() : backoff.next(wait_);
  loop_.after(wait_, [this] {
    if (!ending_) start();
  });
  return true;
}

void Daemon::end(Duration grace) {
  ending_ = true;
  if (pidfd_ < 0) return;
  pidfd_kill(pidfd_, SIGTERM);
  loop_.after(grace, [this] {
    if (pidfd_ >= 0) pidfd_kill(pidfd_, SIGKILL);
  });
}

}  // namespace banyan::root
