#include "runtime/adapters/posix/users.h"

#include <pwd.h>
#include <unistd.h>

#include <vector>

namespace banyan::posix {
namespace {

Result<User> look_up(const std::string& name) {
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return error("user '" + name + "' does not exist on this agent");
  return User{true, entry.pw_uid, entry.pw_gid, name};
}

}  // namespace

Result<User> choose_user(const UserPolicy& policy, const std::string& command_user, const std::string& framework_user) {
  if (::geteuid() != 0) return User{false, ::geteuid(), ::getegid(), {}};
  std::string name = command_user.empty() ? framework_user : command_user;
  if (name.empty() || (command_user.empty() && name == "root" && !policy.allow_root)) name = policy.task_user;
  auto user = look_up(name);
  if (user && user->uid == 0 && !policy.allow_root)
    return error("tasks do not run as root on this agent (name another user, or start it with --allow-root-tasks)");
  return user;
}

}  // namespace banyan::posix
