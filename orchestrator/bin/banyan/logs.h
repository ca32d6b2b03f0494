// `logs`: reads sandboxes' stdout and stderr through the agents' file API, and follows them while somebody reads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "banyan/root.pb.h"
#include "orchestrator/api/server.h"

namespace banyan {
class Loop;
}

namespace banyan::root {
class Operator;

/// The nodes as they are known. Who follows asks for `status` again only when `news`, a number, is another one: a task
/// started meanwhile is followed too.
struct Known {
  std::function<Status()> status;
  std::function<std::uint64_t()> news;
};

/// Starts one reading. Keeps itself alive until everything was sent, or, following, until the reader goes.
/// THREADS: the loop's. LIFETIME: `agents` outlives it.
void read_logs(Loop& loop, Operator& agents, Known known, const LogsRequest& request, ApiServer::LogSink sink);

}  // namespace banyan::root
