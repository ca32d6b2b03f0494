// Containers: prepared on a worker, run by a shim, held by pidfd, found again after the agent's own death.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/posix/cgroups.h"
#include "runtime/adapters/posix/fetcher.h"
#include "runtime/adapters/posix/plan.h"
#include "runtime/adapters/posix/sandbox.h"
#include "runtime/adapters/posix/shim_record.h"
#include "runtime/adapters/posix/spawn.h"
#include "runtime/adapters/posix/users.h"
#include "runtime/adapters/posix/workers.h"

namespace banyan::posix {

struct ContainersOptions {
  std::string work_dir;
  std::string shim;  ///< path of banyan-shim
  UserPolicy users;
  Cgroups cgroups;
};

/// How a container ended; no process of it is left.
struct Ended {
  int wait_status = 0;
  std::string launch_error = {};
  bool never_started = false;
  bool shim_lost = false;
};

/// Who listens on the ports that a container was given; lists as in shim_record.h.
struct PortsHeld {
  std::string listens;
  std::string strangers;
  bool operator==(const PortsHeld&) const = default;
};

/// THREADS: the loop's. LIFETIME: destroying it leaves every container running.
class Containers {
 public:
  struct Callbacks {
    /// Nothing in `ports`: nobody looks (none were given, or an older shim).
    std::function<void(const ContainerId&, pid_t pid, const std::optional<PortsHeld>& ports)> started;
    std::function<void(const ContainerId&, const PortsHeld&)> ports;  ///< after started, on change
    std::function<void(const ContainerId&, const Ended&)> ended;      ///< once per container, last
  };
  Containers(Loop& loop, ContainersOptions options, Callbacks callbacks);
  ~Containers();
  Containers(const Containers&) = delete;
  Containers& operator=(const Containers&) = delete;

  void launch(ContainerPlan plan);
  /// After a restart: `started` or `ended` follows, from a later turn. A container that never began will never begin.
  void adopt(const ContainerId& id);
  void terminate(const ContainerId& id);  ///< SIGTERM to the group of the container's first process
  void destroy(const ContainerId& id);    ///< SIGKILL to everything in it
  /// Drops its records. REQUIRES: ended() was called for it.
  void forget(const ContainerId& id);
  /// Kills what runs but is in no record of the agent's: everything in WORK/runtime but `known`.
  void destroy_orphans(const std::function<bool(const ContainerId&)>& known);

  /// Runs a check's command beside the container's task, in its cgroup and as its user. `done` gets its exit code, or
  /// nothing when it did not end in time or could not run.
  void check(const ContainerPlan& plan, Duration timeout, std::function<void(std::optional<int>)> done);
  /// Links further volumes into a running container's sandbox.
  void link(const ContainerPlan& plan);
  void remove(const std::string& sandbox);
  void remove_volume(const std::string& path);

  [[nodiscard]] const Layout& layout() const { return layout_; }

 private:
  struct Container {
    ContainerId id;
    ContainerPlan plan;  // of a launch; empty when adopted
    std::atomic<bool> cancelled{false};
    User user;
    std::string leaf;
    Result<void> prepared;
    Fd process;  // the shim
    Fd report;
    std::string reported;
    shim::Process task;
    bool ours = false;    // the shim is our child
    bool gone = false;    // ended() was called
    int port_watch = -1;  // inotify's, on the runtime folder
    std::optional<PortsHeld> ports;
    int hunted = 0;  // times a lost shim's processes were looked for
  };
  using Handle = std::shared_ptr<Container>;

  void prepare(Container& container);  // on a worker
  void start(const Handle& container);
  void watch(const Handle& container);
  void on_report(const Handle& container);
  void tell_started(const Handle& container, pid_t pid);
  void watch_records();
  void on_records();
  void on_exit(const Handle& container);
  void on_lost(const Handle& container);
  void end(const Handle& container, const Ended& ended);
  void remove_leaf_soon(const std::string& leaf, int attempts);
  std::optional<Ended> find(const Handle& container);  // nothing: it lives
  Handle find_handle(const ContainerId& id) const;

  Loop& loop_;
  const ContainersOptions options_;
  Callbacks callbacks_;
  Layout layout_;
  Fetcher fetcher_;
  std::map<ContainerId, Handle> containers_;
  std::set<std::string> leaves_;  // of ended containers, still to be removed
  std::map<int, std::shared_ptr<struct CheckRun>> checks_;
  Fd records_;                          // inotify on the runtime folders of containers that were given ports
  std::map<int, ContainerId> watched_;  // by inotify's number
  Workers workers_;                     // last: its threads end first
};

}  // namespace banyan::posix
