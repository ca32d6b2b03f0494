// Makes the tries that the core asks for (StartProbe) against real servers.
#pragma once

#include <functional>
#include <memory>

#include "orchestrator/frameworks/service/readiness.h"

namespace banyan {
class Loop;
}

namespace banyan::service {

/// THREADS: the loop's. LIFETIME: after its destruction nothing is called back.
class Prober {
 public:
  using Done = std::function<void(ProbeResult)>;
  virtual ~Prober() = default;
  /// Calls `done` once, later, within the try's timeout (and a little).
  virtual void start(const StartProbe& probe, Done done) = 0;
};

/// tcp, http, zookeeper and elasticsearch on the loop's sockets; kafka by librdkafka on a thread of its own.
[[nodiscard]] std::unique_ptr<Prober> make_prober(Loop& loop);

}  // namespace banyan::service
