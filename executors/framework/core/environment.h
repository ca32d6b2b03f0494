// What a child scheduler finds in its environment. Pure.
#pragma once

#include <map>
#include <string>

#include "banyan/handover.pb.h"

namespace banyan::framework_executor {

using Environment = std::map<std::string, std::string>;

/// Where things lie in this sandbox.
struct Places {
  std::string sandbox;
  std::string handover;  ///< path of handover.json
  std::string socket;    ///< BANYAN_SOCKET
};

/// Own (without every MESOS_* and LIBPROCESS_*: they name the root's framework and this executor), then what the node
/// declares, then what the handover says: BANYAN_*, and the MESOS_* names that other frameworks look for.
[[nodiscard]] Environment child_environment(const Environment& own, const ChildCommand& command,
                                            const Handover& handover, const Places& places);

}  // namespace banyan::framework_executor
