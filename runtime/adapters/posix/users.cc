#include "runtime/adapters/posix/users.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace banyan::posix {
namespace {

/// `text` as an id if it is all digits.
std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t id = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (id == UINT32_MAX) return std::nullopt;  // the kernel's "leave it as it is"
  return id;
}

Result<User> look_up(const std::string& name) {
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  const auto number = number_of(name);
  const int failed = number ? ::getpwuid_r(*number, &entry, buffer.data(), buffer.size(), &found)
                            : ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (failed == 0 && found != nullptr) return User{true, entry.pw_uid, entry.pw_gid, name};
  if (number) return User{true, *number, *number, name};
  return error("user '" + name + "' does not exist on this agent");
}

Result<gid_t> look_up_group(const std::string& name) {
  if (const auto number = number_of(name)) return *number;
  std::vector<char> buffer(65536);
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return error("group '" + name + "' does not exist on this agent");
  return entry.gr_gid;
}

}  // namespace

Result<User> find_user(const std::string& name) {
  const auto colon = name.find(':');
  auto user = look_up(name.substr(0, colon));
  if (!user || colon == std::string::npos) return user;
  const auto group = look_up_group(name.substr(colon + 1));
  if (!group) return tl::unexpected(group.error());
  user->gid = *group;
  user->name = name;
  return user;
}

Result<User> choose_user(const UserPolicy& policy, const std::string& command_user, const std::string& framework_user) {
  if (::geteuid() != 0) return User{false, ::geteuid(), ::getegid(), {}};
  std::string name = command_user.empty() ? framework_user : command_user;
  if (name.empty() || (command_user.empty() && name == "root" && !policy.allow_root)) name = policy.task_user;
  auto user = find_user(name);
  if (user && user->uid == 0 && !policy.allow_root)
    return error("tasks do not run as root on this agent (name another user, or start it with --allow-root-tasks)");
  if (user && user->gid == 0 && name.find(':') != std::string::npos && !policy.allow_root)
    return error("tasks do not run in root's group on this agent (name another, or start it with --allow-root-tasks)");
  return user;
}

}  // namespace banyan::posix
