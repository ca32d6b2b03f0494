// A child scheduler's link to its framework executor: what it was handed, what it says about itself.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "banyan/handover.pb.h"
#include "runtime/base/result.h"

namespace banyan {
class Loop;
}

namespace banyan::sdk {

/// Speaks HTTP/JSON on the unix socket BANYAN_SOCKET (see handover.proto): a long poll for the handover on one
/// connection, reports on another. THREADS: the loop's. LIFETIME: not to be destroyed from within `handover`.
class Child {
 public:
  /// `handover` is called with the first one and after every change, versions rising.
  static std::unique_ptr<Child> connect(Loop& loop, const std::string& socket,
                                        std::function<void(const Handover&)> handover);
  virtual ~Child() = default;
  /// Says how the child is; the newest word wins, sent again until the executor has it. Equal words are sent once.
  virtual void report(const ChildStatus& status) = 0;
};

/// handover.json -> Handover, for a child that starts before its socket answers.
[[nodiscard]] Result<Handover> read_handover(const std::string& path);

/// Adds the endpoint to what the child reports, or replaces the one of that name.
void publish(ChildStatus& status, const Endpoint& endpoint);

}  // namespace banyan::sdk
