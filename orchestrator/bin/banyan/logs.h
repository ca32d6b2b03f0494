// `logs`: reads sandboxes' stdout and stderr through the agents' file API, and follows them while somebody reads.
#pragma once

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

/// Starts one reading. Keeps itself alive until everything was sent, or, following, until the reader goes.
/// `status` gives the present nodes: a task started meanwhile is followed too.
/// THREADS: the loop's. LIFETIME: `agents` outlives it.
void read_logs(Loop& loop, Operator& agents, std::function<Status()> status, const LogsRequest& request,
               ApiServer::LogSink sink);

}  // namespace banyan::root
