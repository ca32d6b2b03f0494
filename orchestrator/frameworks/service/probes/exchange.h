// One question to one address over plain TCP.
#pragma once

#include <functional>
#include <string>

#include "runtime/base/result.h"
#include "runtime/base/time.h"

namespace banyan {
class Loop;
}

namespace banyan::service {

/// Connects, sends `question` and gives everything the peer says until it closes. An empty question only connects.
/// `done` is called once, later, on the loop's thread. At most 1 MiB is read.
void exchange(Loop& loop, const std::string& address, const std::string& question, Duration timeout,
              std::function<void(Result<std::string>)> done);

}  // namespace banyan::service
