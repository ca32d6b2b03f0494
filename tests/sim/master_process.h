// A master: its core behind the real codec, serving simulated schedulers and agents.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "runtime/adapters/codec/master_events.h"
#include "runtime/core/master/core.h"
#include "runtime/driver/driver.h"
#include "tests/sim/api.h"
#include "tests/sim/link.h"

namespace banyan::sim {

class MasterProcess final : public Server {
 public:
  /// `died`: it has ended by itself, for it cannot write; whoever holds it lets it go.
  MasterProcess(Kernel& kernel, Disk& disk, MasterDoor& door, Servers& servers, std::function<void()> died);
  ~MasterProcess() override;  ///< kill -9

  void request(const std::string& path, const std::string& stream_id, const std::string& body,
               std::shared_ptr<Exchange> exchange) override;

  /// The operator's calls; `done` gets the HTTP status.
  void tear_down(const std::string& framework, std::function<void(unsigned)> done);
  void convert(const AgentId& agent, master::Conversion conversion, std::function<void(unsigned)> done);

  [[nodiscard]] const master::Core& core() const { return driver_->core(); }
  [[nodiscard]] static std::string address() { return "127.0.0.1:" + std::to_string(master_port); }

  // What Driver asks of a world.
  [[nodiscard]] Now now() const { return kernel_.now(); }
  void perform(master::Core::Effect effect);
  void commit(Changes changes, Store::Done done) { store_->commit(std::move(changes), std::move(done)); }
  void wake_at(std::optional<Instant> when) { waker_.at(when); }
  void fatal(const Error&) { planner_.soon(died_); }

 private:
  void deliver(const master::Input& input);
  void welcome(const Wire& wire);

  template <class Effect>
  void on(const Effect&) {}
  void on(const master::Answer& effect);
  void on(const master::OpenStream& effect);
  void on(const master::SendEvent& effect);
  void on(const master::CloseStream& effect);
  void on(const master::SendToAgent& effect);
  void on(const master::CloseLink& effect);

  Kernel& kernel_;
  MasterDoor& door_;
  Servers& servers_;
  std::function<void()> died_;
  Life life_ = std::make_shared<int>();
  Planner planner_{kernel_, life_};
  std::unique_ptr<FakeStore> store_;
  Waker waker_;
  codec::MasterFacts facts_;
  std::unique_ptr<Driver<master::Core, MasterProcess>> driver_;
  OpenExchanges open_;
  std::map<master::CallId, std::shared_ptr<Exchange>> calls_;
  std::map<master::CallId, std::function<void(unsigned)>> operator_calls_;
  std::map<StreamId, std::shared_ptr<Exchange>> streams_;
  std::map<master::LinkId, Wire> wires_;
  master::CallId next_call_ = 0;
  master::LinkId next_link_ = 0;
};

}  // namespace banyan::sim
