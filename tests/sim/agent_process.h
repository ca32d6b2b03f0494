// An agent: its core behind the real codec, on a simulated machine.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "banyan/agent_link.pb.h"
#include "mesos/v1/executor/executor.pb.h"
#include "mesos/v1/mesos.pb.h"
#include "runtime/core/agent/core.h"
#include "runtime/driver/driver.h"
#include "tests/sim/api.h"
#include "tests/sim/link.h"
#include "tests/sim/machine.h"

namespace banyan::sim {

class AgentProcess final : public Server {
 public:
  /// `died`: as MasterProcess'.
  AgentProcess(Kernel& kernel, Machine& machine, Disk& disk, MasterDoor& door, Servers& servers,
               mesos::v1::AgentInfo info, std::function<void()> died);
  ~AgentProcess() override;  ///< kill -9

  void request(const std::string& path, const std::string& stream_id, const std::string& body,
               std::shared_ptr<Exchange> exchange) override;

  [[nodiscard]] const agent::Core& core() const { return driver_->core(); }

  // What Driver asks of a world.
  [[nodiscard]] Now now() const { return kernel_.now(); }
  void perform(agent::Core::Effect effect);
  void commit(Changes changes, Store::Done done) { store_->commit(std::move(changes), std::move(done)); }
  void wake_at(std::optional<Instant> when) { waker_.at(when); }
  void fatal(const Error&) { planner_.soon(died_); }

 private:
  void deliver(const agent::Input& input);
  void recover();
  void connect();
  void lost();
  void send(const agent_link::FromAgent& message);
  void tell(agent::ConnectionId connection, const mesos::v1::executor::Event& event);

  template <class Effect>
  void on(const Effect&) {}  // sandboxes, volumes, notes: nothing here depends on them
  void on(const agent::SendRegister& effect);
  void on(const agent::SendUpdate& effect);
  void on(const agent::SendExecutorMessage& effect);
  void on(const agent::SendExecutorExited& effect);
  void on(const agent::SendApplied& effect);
  void on(const agent::SendPong& effect);
  void on(const agent::ResetLink& effect);
  void on(const agent::TellSubscribed& effect);
  void on(const agent::TellLaunch& effect);
  void on(const agent::TellKill& effect);
  void on(const agent::TellAcknowledged& effect);
  void on(const agent::TellMessage& effect);
  void on(const agent::TellShutdown& effect);
  void on(const agent::CloseExecutor& effect);
  void on(const agent::LaunchContainer& effect);
  void on(const agent::TerminateContainer& effect);
  void on(const agent::DestroyContainer& effect);
  void on(const agent::RunCheck& effect);

  Kernel& kernel_;
  Machine& machine_;
  MasterDoor& door_;
  Servers& servers_;
  mesos::v1::AgentInfo info_;
  std::string address_;
  std::function<void()> died_;
  Life life_ = std::make_shared<int>();
  Planner planner_{kernel_, life_};
  std::unique_ptr<FakeStore> store_;
  Waker waker_;
  std::unique_ptr<Driver<agent::Core, AgentProcess>> driver_;
  Wire wire_;
  OpenExchanges open_;
  std::map<agent::ConnectionId, std::shared_ptr<Exchange>> executors_;
  agent::ConnectionId next_connection_ = 0;
};

/// Where the executor API of that machine's agent is.
[[nodiscard]] std::string agent_address(int machine);

}  // namespace banyan::sim
