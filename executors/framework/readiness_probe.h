// One try of a child's readiness: a program's exit status, or whether its framework is connected to a master.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "executors/framework/child_process.h"
#include "executors/framework/core/supervisor.h"
#include "runtime/adapters/http/client.h"

namespace banyan::framework_executor {

/// THREADS: the loop's. LIFETIME: destroying it ends the try without calling back.
class ReadinessProbe {
 public:
  using Done = std::function<void(std::string trouble)>;  ///< empty: ready; called once, never from the constructor
  ReadinessProbe(Loop& loop, const Probe& probe, Done done);

 private:
  void ask(std::size_t master);
  void run(const Probe& probe);
  void end(std::string trouble);
  void later(std::function<void()> task);  ///< unless this object is gone by then

  Loop& loop_;
  Registration framework_;
  Done done_;
  std::unique_ptr<ChildProcess> program_;
  std::unique_ptr<http::Client> master_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace banyan::framework_executor
