#include "runtime/adapters/posix/users.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <vector>

namespace banyan::posix {
namespace {

constexpr std::size_t entry_bytes_max = 16384;

/// A uid or gid written as a number; the highest means "unchanged" to the kernel and names nobody.
std::optional<id_t> number_of(const std::string& text) {
  id_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || number == static_cast<id_t>(-1))
    return std::nullopt;
  return number;
}

/// A number need not be in the machine's user table; such a user's group has the same number.
Result<User> look_up_user(const std::string& text) {
  std::vector<char> buffer(entry_bytes_max);
  passwd entry{};
  passwd* found = nullptr;
  const auto number = number_of(text);
  const int failure = number ? ::getpwuid_r(*number, &entry, buffer.data(), buffer.size(), &found)
                             : ::getpwnam_r(text.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (failure == 0 && found != nullptr) return User{true, entry.pw_uid, entry.pw_gid, text};
  if (number) return User{true, *number, *number, text};
  return error("user '" + text + "' does not exist on this agent");
}

Result<gid_t> look_up_group(const std::string& text) {
  if (const auto number = number_of(text)) return *number;
  std::vector<char> buffer(entry_bytes_max);
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(text.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return error("group '" + text + "' does not exist on this agent");
  return entry.gr_gid;
}

/// "kafka", "65534", "1000:1000", "kafka:staff".
Result<User> look_up(const std::string& text) {
  const auto colon = text.find(':');
  auto user = look_up_user(text.substr(0, colon));
  if (!user || colon == std::string::npos) return user;
  const auto group = look_up_group(text.substr(colon + 1));
  if (!group) return tl::unexpected(group.error());
  user->gid = *group;
  return user;
}

}  // namespace

Result<User> choose_user(const UserPolicy& policy, const std::string& command_user, const std::string& framework_user) {
  if (::geteuid() != 0) return User{false, ::geteuid(), ::getegid(), {}};
  std::string name = command_user.empty() ? framework_user : command_user;
  if (name.empty() || (command_user.empty() && name == "root" && !policy.allow_root)) name = policy.task_user;
  auto user = look_up(name);
  if (user && (user->uid == 0 || user->gid == 0) && !policy.allow_root)
    return error("tasks do not run as root on this agent (name another user, or start it with --allow-root-tasks)");
  return user;
}

}  // namespace banyan::posix
