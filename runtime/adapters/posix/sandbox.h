// Sandboxes and volumes on disk, laid out as Mesos does:
//
//   WORK/slaves/AGENT/frameworks/FRAMEWORK/executors/EXECUTOR/runs/{CONTAINER, latest}
//   WORK/volumes/roles/ROLE/ID
//   WORK/runtime/CONTAINER       the shim's records (the agent's alone)
//   WORK/cache                   fetched files
//
// A sandbox is made closed, filled, and only then given to the task's user (0750): whoever else runs as that user
// cannot plant links while the agent, as root, writes. Its parents are 0711.
#pragma once

#include <string>
#include <vector>

#include "runtime/adapters/posix/plan.h"
#include "runtime/adapters/posix/users.h"
#include "runtime/base/ids.h"
#include "runtime/base/result.h"

namespace banyan::posix {

class Layout {
 public:
  explicit Layout(std::string work_dir) : work_(std::move(work_dir)) {}

  [[nodiscard]] std::string sandbox(const AgentId& agent, const FrameworkId& framework, const ExecutorId& executor,
                                    const ContainerId& container) const;
  [[nodiscard]] std::string volumes() const { return work_ + "/volumes/roles"; }
  [[nodiscard]] std::string volume(const std::string& role, const std::string& id) const;
  [[nodiscard]] std::string runtime(const ContainerId& container) const { return runtimes() + '/' + container.str(); }
  [[nodiscard]] std::string sandboxes() const { return work_ + "/slaves"; }
  [[nodiscard]] std::string runtimes() const { return work_ + "/runtime"; }
  [[nodiscard]] std::string cache() const { return work_ + "/cache"; }

 private:
  std::string work_;
};

/// Makes the sandbox, closed, and points `latest` at it.
[[nodiscard]] Result<void> make_sandbox(const std::string& sandbox);
[[nodiscard]] Result<void> link_volumes(const std::vector<VolumeLink>& volumes, const std::string& sandbox,
                                        const User& user);
/// The task's from now on.
[[nodiscard]] Result<void> open_sandbox(const std::string& sandbox, const User& user);
/// And the folders above it, as far as they are empty.
void remove_sandbox(const std::string& sandbox);

}  // namespace banyan::posix
