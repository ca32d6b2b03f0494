// A folder that goes with the test, and containers run by the real shim on a real loop.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/posix/containers.h"
#include "runtime/adapters/posix/files.h"
#include "runtime/adapters/posix/process.h"

namespace banyan::posix {

class Folder {
 public:
  Folder() {
    std::string name = "/tmp/banyan-test-XXXXXX";
    path_ = ::mkdtemp(name.data());
    ::chmod(path_.c_str(), 0711);
  }
  ~Folder() { remove_tree(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + '/' + name; }
  void write(const std::string& name, const std::string& content) const { std::ofstream(*this / name) << content; }

 private:
  std::string path_;
};

inline std::string content_of(const std::string& path) { return read_file(path).value_or("cannot read " + path); }

/// Runs the loop until `done`; a test that waits for what never comes fails after a minute.
inline void run_until(Loop& loop, const std::function<bool()>& done) {
  bool late = false;
  const auto limit = loop.after(std::chrono::minutes(1), [&] {
    late = true;
    loop.stop();
  });
  std::function<void()> look = [&] {
    if (done() || late) return loop.stop();
    loop.after(std::chrono::milliseconds(1), look);
  };
  loop.post(look);
  loop.run();
  loop.cancel(limit);
  ASSERT_FALSE(late) << "gave up waiting";
}

/// One life of an agent's containers: destroying it is the agent's kill -9, as far as containers can tell.
class ContainerWorld {
 public:
  ContainerWorld(const Folder& folder, Isolation isolation)
      : folder_(folder), cgroups_(Cgroups::detect(isolation, folder.path())) {
    containers_ = std::make_unique<Containers>(
        loop_, ContainersOptions{folder.path(), std::string(BIN_DIR) + "/banyan-shim", {}, cgroups_.value()},
        Containers::Callbacks{[this](const ContainerId& id, pid_t pid, const std::optional<PortsHeld>& held) {
                                started[id.str()] = pid;
                                ports[id.str()] = held;
                              },
                              [this](const ContainerId& id, const PortsHeld& held) { ports[id.str()] = held; },
                              [this](const ContainerId& id, const Ended& e) { ended[id.str()] = e; }});
  }

  ContainerPlan plan(const std::string& id, const std::string& script) const {
    ContainerPlan p;
    p.id = ContainerId(id);
    p.sandbox = sandbox(id);
    p.command = {"/bin/sh", {"sh", "-c", script}, {{"PATH", "/usr/bin:/bin"}}};
    return p;
  }
  [[nodiscard]] std::string sandbox(const std::string& id) const {
    return containers_->layout().sandbox(AgentId("A"), FrameworkId("F"), ExecutorId("E"), ContainerId(id));
  }
  void launch(const std::string& id, const std::string& script) { containers_->launch(plan(id, script)); }
  Ended wait_end(const std::string& id) {
    run_until(loop_, [&] { return ended.contains(id); });
    return ended[id];
  }
  pid_t wait_start(const std::string& id) {
    run_until(loop_, [&] { return started.contains(id); });
    return started[id];
  }
  void wait_for_file(const std::string& path) {
    run_until(loop_, [&] { return std::filesystem::exists(path); });
  }
  [[nodiscard]] bool has_cgroups() const { return cgroups_->enabled(); }
  Containers& containers() { return *containers_; }
  Loop& loop() { return loop_; }

  std::map<std::string, pid_t> started;
  std::map<std::string, std::optional<PortsHeld>> ports;
  std::map<std::string, Ended> ended;

 private:
  const Folder& folder_;
  Loop loop_;
  Result<Cgroups> cgroups_;
  std::unique_ptr<Containers> containers_;
};

/// A process that is dead, or dead and not yet reaped by whoever inherited it.
inline bool is_gone(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat").value_or("");
  return stat.empty() || stat.find(") Z ") != std::string::npos;
}

}  // namespace banyan::posix
