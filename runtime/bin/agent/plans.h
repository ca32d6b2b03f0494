// From what a framework wrote (TaskInfo, ExecutorInfo, CommandInfo) to what a container is made of.
#pragma once

#include <string>

#include "mesos/v1/mesos.pb.h"
#include "runtime/adapters/posix/plan.h"
#include "runtime/adapters/posix/sandbox.h"
#include "runtime/core/agent/effect.h"
#include "runtime/core/agent/state.h"

namespace banyan::agent {

/// What every executor is told of its agent.
struct Surroundings {
  std::string endpoint;       ///< ip:port
  std::string domain_socket;  ///< path of the unix socket
  std::string recovery_timeout = "15mins";
};

[[nodiscard]] posix::ContainerPlan plan_container(const LaunchContainer& launch, const posix::Layout& layout,
                                                  const Surroundings& surroundings);
/// The check of a command task, run in that task's sandbox.
[[nodiscard]] posix::ContainerPlan plan_check(const RunCheck& check, const Run& run, const posix::Layout& layout,
                                              const Surroundings& surroundings);
/// The volumes of a further task of a running executor.
[[nodiscard]] posix::ContainerPlan plan_volumes(const LinkVolumes& link, const Run& run,
                                                const std::string& framework_info, const posix::Layout& layout);

}  // namespace banyan::agent
