// What a container is made of: everything the posix side needs to know, as plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/ids.h"

namespace banyan::posix {

inline constexpr std::size_t ports_watched_max = 64;  ///< of one task; the shim's table

/// A file the task needs in its sandbox.
struct Fetch {
  std::string uri;               ///< absolute path, file://, http:// or https://
  std::string output_file = {};  ///< relative path; empty: the last part of the URI
  std::string sha256 = {};       ///< lower-case hex; empty: not checked
  bool executable = false;
  bool extract = true;  ///< when its name says it is an archive
  bool cache = false;
};

/// A folder that appears in the sandbox as a symbolic link.
struct VolumeLink {
  std::string container_path;  ///< relative
  std::string host_path;       ///< absolute
  bool persistent = false;     ///< made when missing, and given to the task's user
};

struct Command {
  std::string program;  ///< looked up in PATH when it holds no '/'
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;
};

struct ContainerPlan {
  ContainerId id;
  std::string sandbox;         ///< absolute
  std::string command_user;    ///< CommandInfo.user
  std::string framework_user;  ///< FrameworkInfo.user
  Command command;
  std::vector<Fetch> fetches;
  std::vector<VolumeLink> volumes;
  std::vector<std::uint16_t> ports = {};  ///< given to the task: who listens on them is told; empty: nobody asks
};

}  // namespace banyan::posix
