// One cgroup leaf per container, in the unified hierarchy (cgroup v2, also beside v1): what is in it can be killed at
// once.
#pragma once

#include <functional>
#include <string>

#include "runtime/base/result.h"

namespace banyan::posix {

enum class Isolation { automatic, cgroups, none };

/// THREADS: any.
class Cgroups {
 public:
  /// Tries it out: a leaf is made, entered by a child of ours, killed from and removed. When that does not work and
  /// isolation is automatic, containers are tracked by their process tree alone; description() says why.
  static Result<Cgroups> detect(Isolation isolation, const std::string& work_dir);

  [[nodiscard]] bool enabled() const { return !base_.empty(); }
  [[nodiscard]] const std::string& description() const { return description_; }

  /// The new leaf's path.
  [[nodiscard]] Result<std::string> make_leaf(const std::string& name) const;
  /// Removes empty leaves of containers that are no more: of an agent that died at the wrong moment.
  void remove_stale(const std::function<bool(const std::string& name)>& in_use) const;
  /// Unless a container still has a leaf in it.
  void remove_base() const;

 private:
  std::string base_;
  std::string description_;
};

/// True once the leaf (and its parent, when that was the last) is gone. EBUSY for some milliseconds after a kill.
bool remove_leaf(const std::string& leaf);
void kill_leaf(const std::string& leaf);

}  // namespace banyan::posix
