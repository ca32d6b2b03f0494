// One daemon under `banyan dev`: spawned, held by pidfd, its log pumped into rotating files, restarted with back-off.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/time.h"

namespace banyan {
class Loop;
}

namespace banyan::root {

/// A log file that is renamed to NAME.1 when it has grown to limits::log_file_bytes_max.
class RotatingFile {
 public:
  explicit RotatingFile(std::string path);
  ~RotatingFile();
  RotatingFile(const RotatingFile&) = delete;
  RotatingFile& operator=(const RotatingFile&) = delete;
  void write(const char* data, std::size_t size);

 private:
  void open();
  std::string path_;
  int fd_ = -1;
  std::size_t size_ = 0;
};

/// The child dies with us (PDEATHSIG), its own children do not. THREADS: the loop's; spawn from the main thread only,
/// since PDEATHSIG watches the thread that forked.
class Daemon {
 public:
  struct Callbacks {
    std::function<void()> ready;    ///< it serves; once per start
    std::function<void()> changed;  ///< started or ended: pid() is new
  };
  /// `argv[0]` is a path; "--ready-fd N" is appended. `echo`: its log goes to our stderr too.
  Daemon(Loop& loop, std::string name, std::vector<std::string> argv, const std::string& log_path, bool echo,
         Callbacks callbacks);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  void start();
  /// SIGTERM; no restart any more. SIGKILL when it takes longer than `grace`.
  void end(Duration grace);
  [[nodiscard]] int pid() const { return pid_; }  ///< 0: not running
  [[nodiscard]] bool serves() const { return pid_ != 0 && ready_fd_ < 0; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Called with each child the parent has reaped; true if it was this one.
  bool reaped(int pid, int wait_status);

 private:
  void pump_log();
  void heard_ready();
  void say(const std::string& text);

  Loop& loop_;
  std::string name_;
  std::vector<std::string> argv_;
  RotatingFile log_;
  bool echo_;
  Callbacks callbacks_;
  int pid_ = 0;
  int pidfd_ = -1;
  int log_fd_ = -1;
  int ready_fd_ = -1;
  bool ending_ = false;
  Instant started_;
  Duration wait_{};  ///< before its last start
};

}  // namespace banyan::root
