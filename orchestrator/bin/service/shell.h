// The service scheduler's world: performs what its core decides.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "orchestrator/frameworks/service/core.h"
#include "orchestrator/frameworks/service/probes/prober.h"
#include "runtime/adapters/loop/alarm.h"
#include "runtime/driver/driver.h"
#include "runtime/ports/store.h"
#include "runtime/sdk/artifact_server.h"
#include "runtime/sdk/child.h"
#include "runtime/sdk/scheduler_client.h"

namespace banyan::service {

/// THREADS: the loop's. LIFETIME: the loop and the store outlive it.
class Shell {
 public:
  Shell(Loop& loop, Store& store, std::map<std::string, std::string> stored, std::string socket);

  /// Valid once the loop has stopped.
  [[nodiscard]] int exit_code() const { return exit_code_; }

  // What Driver asks of a world.
  [[nodiscard]] Now now() const { return clock_now(); }
  void perform(Core::Effect effect);
  void commit(Changes changes, Store::Done done) { store_.commit(std::move(changes), std::move(done)); }
  void wake_at(std::optional<Instant> when) { alarm_.set(when); }
  void fatal(const Error& error);

 private:
  void taken(const Handover& handover);
  void subscribe(const Handover& handover);
  void serve(Launch& launch);
  void end(int code);

  void on(Send& effect);
  void on(Launch& effect);
  void on(Report& effect);
  void on(SetMasters& effect);
  void on(StartProbe& effect);
  void on(Note& effect);
  void on(Exit& effect);
  void on(Persist&) {}  ///< the driver keeps those

  Loop& loop_;
  Store& store_;
  Alarm alarm_;
  Driver<Core, Shell> driver_;
  std::unique_ptr<Prober> prober_;
  std::unique_ptr<sdk::ArtifactServer> artifacts_;
  std::unique_ptr<sdk::SchedulerClient> client_;
  std::unique_ptr<sdk::Child> child_;
  bool ending_ = false;
  int exit_code_ = 0;
};

}  // namespace banyan::service
