// What a message may say. Each function gives the reason for a refusal, or "". Pure.
#pragma once

#include <string>

#include "runtime/core/master/inputs.h"

namespace banyan::master {

/// Ids: not empty, at most 255 bytes, no control characters, no '/' or '\', not "." or "..".
[[nodiscard]] std::string id_error(const std::string& what, const std::string& id);
/// Role names: not empty, no "." or ".." component, no leading '-', no whitespace.
[[nodiscard]] std::string role_error(const std::string& role);
/// Where a volume appears in a sandbox: relative, never above it.
[[nodiscard]] std::string container_path_error(const std::string& path);
/// Everything about a FrameworkInfo that a SUBSCRIBE is refused for.
[[nodiscard]] std::string framework_error(const FrameworkDescription& framework,
                                          const std::set<std::string>& suppressed_roles);
[[nodiscard]] std::set<std::string> roles_of(const FrameworkDescription& framework);
/// What is wrong with a task by itself (not whether it fits or is known).
[[nodiscard]] std::string task_error(const TaskDescription& task, const std::string& role);

}  // namespace banyan::master
