// What this machine has, when the operator does not say.
#pragma once

#include <string>

namespace banyan::posix {

/// "cpus:2;mem:15000;disk:90000;ports:[31000-32000]", by Mesos' rules: all processors, memory less 1 GB and disk (of
/// the file system `work_dir` is on) less 5 GB, or half of it when there is little.
[[nodiscard]] std::string detect_resources(const std::string& work_dir);

}  // namespace banyan::posix
