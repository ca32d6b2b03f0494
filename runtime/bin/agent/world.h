// The agent's world: performs what the core wants with real processes, files, sockets and a real master.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "mesos/v1/executor/executor.pb.h"
#include "mesos/v1/mesos.pb.h"
#include "runtime/adapters/grpc/agent_link.h"
#include "runtime/adapters/http/server.h"
#include "runtime/adapters/loop/alarm.h"
#include "runtime/adapters/posix/browse.h"
#include "runtime/adapters/posix/containers.h"
#include "runtime/bin/agent/options.h"
#include "runtime/bin/agent/plans.h"
#include "runtime/core/agent/core.h"
#include "runtime/driver/driver.h"
#include "runtime/ports/store.h"

namespace banyan::agent {

/// THREADS: the loop's.
class World {
 public:
  static Result<std::unique_ptr<World>> open(Loop& loop, const Settings& settings);
  ~World();  ///< an orderly end: tasks go on, nothing empty is left lying
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Takes back what runs, then connects to the master.
  void start();

  // what Driver asks of a world
  [[nodiscard]] Now now() const { return clock_now(); }
  void perform(Effect effect);
  void commit(Changes changes, Store::Done done) { store_->commit(std::move(changes), std::move(done)); }
  void wake_at(std::optional<Instant> deadline) { alarm_.set(deadline); }
  void fatal(const Error& error);

 private:
  World(Loop& loop, Settings settings)
      : loop_(loop), settings_(std::move(settings)), alarm_(loop, [this] { deliver(Tick{}); }) {}
  Result<void> open_parts();
  Result<void> open_store();
  Result<void> open_containers();
  Result<void> open_servers();
  void deliver(const Input& input);

  // HTTP
  void serve(const http::Request& request, const std::shared_ptr<http::Responder>& responder);
  void serve_executor(const http::Request& request, const std::shared_ptr<http::Responder>& responder);
  void subscribe(const mesos::v1::executor::Call& call, const std::shared_ptr<http::Responder>& responder);
  void tell(ConnectionId connection, const mesos::v1::executor::Event& event);

  // one per effect
  void on(const Persist&) {}  // the driver's own
  void on(const SendRegister& e);
  void on(const SendUpdate& e);
  void on(const SendExecutorMessage& e);
  void on(const SendExecutorExited& e);
  void on(const SendApplied& e);
  void on(const SendPong& e);
  void on(const ResetLink& e);
  void on(const TellSubscribed& e);
  void on(const TellLaunch& e);
  void on(const TellKill& e);
  void on(const TellAcknowledged& e);
  void on(const TellMessage& e);
  void on(const TellShutdown& e);
  void on(const CloseExecutor& e);
  void on(const LaunchContainer& e);
  void on(const LinkVolumes& e);
  void on(const TerminateContainer& e);
  void on(const DestroyContainer& e);
  void on(const RunCheck& e);
  void on(const ForgetContainer& e);
  void on(const RemoveSandbox& e);
  void on(const MakeVolume& e);
  void on(const RemoveVolume& e);
  void on(const Note& e);

  Loop& loop_;
  const Settings settings_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Driver<Core, World>> driver_;
  std::unique_ptr<posix::Containers> containers_;
  std::unique_ptr<posix::Browser> browser_;
  std::unique_ptr<AgentLinkClient> link_;
  std::unique_ptr<http::Server> tcp_;
  std::unique_ptr<http::Server> unix_;
  std::map<ConnectionId, std::shared_ptr<http::EventStream>> executors_;
  ConnectionId last_connection_ = 0;
  Alarm alarm_;
  mesos::v1::AgentInfo self_;
  Surroundings surroundings_;
};

}  // namespace banyan::agent
