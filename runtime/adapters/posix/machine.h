// What this machine has, when the operator does not say.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace banyan::posix {

/// "cpus:2;mem:15000;disk:90000;ports:[1024-32767, 61000-65535]", by Mesos' rules: all processors, memory less 1 GB and
/// disk (of the file system `work_dir` is on) less 5 GB, or half of it when there is little. Ports, so that fixed ones
/// can be reserved too: those that need no privilege, less the kernel's for outgoing connections and less `taken`.
[[nodiscard]] std::string detect_resources(const std::string& work_dir, const std::set<std::uint16_t>& taken = {});

}  // namespace banyan::posix
