#include "runtime/core/master/validation.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "runtime/base/limits.h"

namespace banyan::master {
namespace {

/// The pieces between the slashes.
std::vector<std::string> components(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  while (true) {
    const auto slash = path.find('/', from);
    parts.push_back(path.substr(from, slash - from));
    if (slash == std::string::npos) return parts;
    from = slash + 1;
  }
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string component_error(const std::string& part) {
  if (part.empty()) return "has an empty component";
  if (part == "." || part == "..") return "has the component '" + part + "'";
  if (part[0] == '-') return "component '" + part + "' is invalid because it starts with a dash";
  if (part == "*") return "has the component '*'";
  if (std::any_of(part.begin(), part.end(), [](char c) { return is_control(c) || c == ' '; }))
    return "component '" + part + "' contains whitespace or control characters";
  return "";
}

std::string allocation_error(const Resources& resources, const std::string& role) {
  for (const auto& [identity, amount] : resources.entries())
    if (!identity.allocation_role.empty() && identity.allocation_role != role)
      return "'" + identity.name + "' is allocated to '" + identity.allocation_role + "', the offer to '" + role + "'";
  return "";
}

}  // namespace

std::string id_error(const std::string& what, const std::string& id) {
  if (id.empty()) return "The " + what + " is empty";
  if (id.size() > limits::id_bytes_max)
    return "The " + what + " is longer than " + std::to_string(limits::id_bytes_max) + " bytes";
  if (id == "." || id == "..") return "The " + what + " '" + id + "' is not allowed";
  if (std::any_of(id.begin(), id.end(), [](char c) { return is_control(c) || c == '/' || c == '\\'; }))
    return "The " + what + " contains a slash, a backslash or a control character";
  return "";
}

std::string role_error(const std::string& role) {
  if (role == "*") return "";
  if (role.empty()) return "Role names cannot be empty";
  for (const auto& part : components(role))
    if (const auto why = component_error(part); !why.empty()) return "Role " + why;
  return "";
}

std::string container_path_error(const std::string& path) {
  if (path.empty()) return "a persistent volume needs a 'container_path'";
  if (path[0] == '/') return "the container path '" + path + "' is not relative";
  for (const auto& part : components(path))
    if (part == "..") return "the container path '" + path + "' leaves the sandbox";
  return "";
}

std::set<std::string> roles_of(const FrameworkDescription& framework) {
  if (framework.capabilities.multi_role) return {framework.roles.begin(), framework.roles.end()};
  return {framework.role.value_or("*")};
}

std::string framework_error(const FrameworkDescription& framework, const std::set<std::string>& suppressed_roles) {
  if (framework.capabilities.multi_role && framework.role)
    return "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable";
  if (!framework.capabilities.multi_role && !framework.roles.empty())
    return "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable";
  const auto roles = roles_of(framework);
  if (framework.capabilities.multi_role && roles.size() != framework.roles.size())
    return "'FrameworkInfo.roles' must not contain duplicate items";
  for (const auto& role : roles)
    if (const auto why = role_error(role); !why.empty()) return "'FrameworkInfo.role' is not a valid role: " + why;
  for (const auto& role : suppressed_roles)
    if (!roles.count(role)) return "Suppressed role '" + role + "' is not contained in the framework's roles";
  if (!framework.id.empty())
    if (const auto why = id_error("framework id", framework.id.str()); !why.empty()) return why;
  const double timeout = framework.failover_timeout_seconds;
  if (!std::isfinite(timeout) || std::abs(timeout) > 9e9)
    return "The framework failover_timeout is not a valid duration";
  return "";
}

std::string task_error(const TaskDescription& task, const std::string& role) {
  if (!task.invalid.empty()) return task.invalid;
  if (const auto why = id_error("task id", task.id.str()); !why.empty()) return why;
  if (task.has_command == task.executor.has_value())
    return "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present";
  if (task.resources.empty()) return "Task uses no resources";
  if (const auto why = allocation_error(task.resources, role); !why.empty()) return why;
  if (!task.executor) return "";
  if (const auto why = id_error("executor id", task.executor->id.str()); !why.empty()) return why;
  if (!task.executor->custom) return "The executor of a LAUNCH must be of type CUSTOM";
  if (!task.executor->has_command) return "'ExecutorInfo.command' must be set for a CUSTOM executor";
  return allocation_error(task.executor->resources, role);
}

}  // namespace banyan::master
