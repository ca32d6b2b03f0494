// Whom a task runs as.
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/base/result.h"

namespace banyan::posix {

struct UserPolicy {
  std::string task_user = "nobody";  ///< for tasks that name nobody, and for frameworks of root
  bool allow_root = false;
};

struct User {
  bool switch_to = false;  ///< false: the agent is no root, tasks run as itself
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;
};

/// CommandInfo.user, else FrameworkInfo.user, else the policy's. Never root unless the policy allows it: a framework of
/// root gets task_user, a command that asks for root by name is refused. Looks into the user database: call it on a
/// worker, it may block.
[[nodiscard]] Result<User> choose_user(const UserPolicy& policy, const std::string& command_user,
                                       const std::string& framework_user);

}  // namespace banyan::posix
