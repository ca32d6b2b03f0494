// What an agent says of itself, and where its unix socket lies.
#pragma once

#include <cstdint>
#include <string>

#include "mesos/v1/mesos.pb.h"
#include "runtime/base/result.h"
#include "runtime/bin/agent/options.h"

namespace banyan::agent {

/// AgentInfo without its id. Resources as declared, else as detected; attributes in Mesos' text form.
[[nodiscard]] Result<mesos::v1::AgentInfo> describe_self(const Settings& settings, std::uint16_t port);

/// As declared, else as detected: "cpus:4;mem:8192;…".
[[nodiscard]] std::string resources_text(const Settings& settings);

/// Path of the executors' socket: short (107 bytes are the limit), the same for the same work_dir so that executors
/// find a restarted agent, in a folder of ours alone that others may search but not write.
[[nodiscard]] Result<std::string> choose_socket(const Settings& settings);

/// banyan-shim beside this program, or as given.
[[nodiscard]] Result<std::string> find_shim(const std::string& given);

}  // namespace banyan::agent
