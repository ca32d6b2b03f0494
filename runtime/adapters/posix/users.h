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

/// USER or USER:GROUP, each a name or a number: a number need not be in the user database. Without a group it is the
/// user's own there, else the one of the same number. Looks into the database: it may block.
[[nodiscard]] Result<User> find_user(const std::string& name);

/// CommandInfo.user, else FrameworkInfo.user, else the policy's. Never root unless the policy allows it: a framework of
/// root gets task_user, a command that asks for root by name or number is refused, and so is root's group. Call it on a
/// worker, as find_user().
[[nodiscard]] Result<User> choose_user(const UserPolicy& policy, const std::string& command_user,
                                       const std::string& framework_user);

}  // namespace banyan::posix
