#include "tests/sim/agent_process.h"

#include "runtime/adapters/codec/agent_executor.h"
#include "runtime/adapters/codec/agent_link.h"
#include "runtime/core/agent/checkpoint.h"

namespace banyan::sim {

std::string agent_address(int machine) { return "127.0.0.1:" + std::to_string(master_port + 1 + machine); }

AgentProcess::AgentProcess(Kernel& kernel, Machine& machine, Disk& disk, MasterDoor& door, Servers& servers,
                           mesos::v1::AgentInfo info, std::function<void()> died)
    : kernel_(kernel),
      machine_(machine),
      door_(door),
      servers_(servers),
      info_(std::move(info)),
      address_(agent_address(machine.number())),
      died_(std::move(died)),
      store_(*FakeStore::open(disk, planner_.syncs(disk))),
      waker_(kernel, [this] { deliver(agent::Tick{}); }) {
  auto state = agent::checkpoint::load(*store_->load());
  BANYAN_CHECK(state.has_value());
  driver_ = std::make_unique<Driver<agent::Core, AgentProcess>>(agent::Core({}, kernel.rng().next(), std::move(*state)),
                                                                *this);
  recover();
  servers_[address_] = this;
  connect();
}

AgentProcess::~AgentProcess() {
  servers_.erase(address_);
  machine_.on_started = nullptr;
  machine_.on_ended = nullptr;
  if (wire_) drop_by_agent(wire_);
}

void AgentProcess::deliver(const agent::Input& input) {
  driver_->deliver(input);
  driver_->core().check_invariants();
}

/// Tells the core of each container it had, as recovery by pidfd and exit records does.
void AgentProcess::recover() {
  machine_.on_started = [this](const ContainerId& id, std::int64_t pid) { deliver(agent::ContainerStarted{id, pid}); };
  machine_.on_ended = [this](const ContainerId& id, int wait_status) {
    agent::ContainerEnded ended;
    ended.container = id;
    ended.wait_status = wait_status;
    deliver(ended);
  };
  std::vector<ContainerId> known;
  for (const auto& [id, run] : driver_->core().state().runs) known.push_back(id);
  for (const auto& id : known) {
    const auto it = machine_.containers().find(id);
    agent::ContainerEnded ended;
    ended.container = id;
    if (it == machine_.containers().end()) {
      ended.never_started = true;
      deliver(ended);
    } else if (it->second.running) {
      deliver(agent::ContainerStarted{id, it->second.pid});
    } else if (it->second.pid != 0) {
      ended.wait_status = it->second.wait_status;
      deliver(ended);
    }  // else its shim is just starting: on_started follows
  }
}

void AgentProcess::connect() {
  const Place here = place_of(machine_.number());
  if (!door_.knock || !kernel_.network().reaches({here, Place::master}, kernel_.now().mono))
    return planner_.after(kernel_.between(std::chrono::milliseconds(50), std::chrono::seconds(1)),
                          [this] { connect(); });
  wire_ = std::make_shared<AgentWire>(kernel_, here);
  wire_->at_agent = [this](const std::string& bytes) {
    agent_link::ToAgent message;
    BANYAN_CHECK(message.ParseFromString(bytes));
    if (const auto input = codec::decode(message)) deliver(*input);
  };
  wire_->lost_by_agent = [this] { lost(); };
  door_.knock(wire_);
  deliver(agent::LinkOpened{});
}

void AgentProcess::lost() {
  wire_ = nullptr;
  deliver(agent::LinkClosed{});
  planner_.after(std::chrono::milliseconds(50), [this] { connect(); });
}

void AgentProcess::send(const agent_link::FromAgent& message) {
  if (wire_) send_up(wire_, message.SerializeAsString(), message.has_update());
}

void AgentProcess::request(const std::string&, const std::string&, const std::string& body,
                           std::shared_ptr<Exchange> exchange) {
  open_.add(exchange);
  mesos::v1::executor::Call call;
  if (!call.ParseFromString(body)) return exchange->answer(400, "Failed to parse body");
  if (const auto fault = codec::fault(call); !fault.empty()) return exchange->answer(400, fault);
  const bool subscribe = call.type() == mesos::v1::executor::Call::SUBSCRIBE;
  if (const auto refusal = driver_->core().refuse(FrameworkId(call.framework_id().value()),
                                                  ExecutorId(call.executor_id().value()), subscribe))
    return exchange->answer(refusal->status, refusal->text);
  const agent::ConnectionId connection = subscribe ? ++next_connection_ : 0;
  if (subscribe) {
    executors_[connection] = exchange;
    exchange->open("");
    exchange->gone = [this, weak = std::weak_ptr(life_), connection] {
      if (weak.expired() || executors_.erase(connection) == 0) return;
      deliver(agent::ExecutorDisconnected{connection});
    };
  } else {
    exchange->answer(202, "");
  }
  deliver(codec::decode(call, connection));
}

void AgentProcess::tell(agent::ConnectionId connection, const mesos::v1::executor::Event& event) {
  const auto it = executors_.find(connection);
  if (it != executors_.end()) it->second->record(event.SerializeAsString());
}

void AgentProcess::perform(agent::Core::Effect effect) {
  std::visit([this](const auto& e) { on(e); }, effect);
}

void AgentProcess::on(const agent::SendRegister& effect) { send(codec::encode(effect, info_)); }
void AgentProcess::on(const agent::SendUpdate& effect) { send(codec::encode(effect, core().state().agent)); }
void AgentProcess::on(const agent::SendExecutorMessage& effect) { send(codec::encode(effect)); }
void AgentProcess::on(const agent::SendExecutorExited& effect) { send(codec::encode(effect)); }
void AgentProcess::on(const agent::SendApplied& effect) { send(codec::encode(effect)); }
void AgentProcess::on(const agent::SendPong& effect) { send(codec::encode(effect)); }
void AgentProcess::on(const agent::ResetLink&) {
  if (!wire_) return;
  drop_by_agent(wire_);
  planner_.soon([this] { lost(); });
}

void AgentProcess::on(const agent::TellSubscribed& e) { tell(e.connection, codec::encode(e, info_)); }
void AgentProcess::on(const agent::TellLaunch& e) { tell(e.connection, codec::encode(e)); }
void AgentProcess::on(const agent::TellKill& e) { tell(e.connection, codec::encode(e)); }
void AgentProcess::on(const agent::TellAcknowledged& e) { tell(e.connection, codec::encode(e)); }
void AgentProcess::on(const agent::TellMessage& e) { tell(e.connection, codec::encode(e)); }
void AgentProcess::on(const agent::TellShutdown& e) { tell(e.connection, codec::encode(e)); }
void AgentProcess::on(const agent::CloseExecutor& e) {
  const auto node = executors_.extract(e.connection);
  if (!node.empty()) node.mapped()->close();
}

void AgentProcess::on(const agent::LaunchContainer& e) { machine_.launch(e); }
void AgentProcess::on(const agent::TerminateContainer& e) { machine_.terminate(e.container); }
void AgentProcess::on(const agent::DestroyContainer& e) { machine_.destroy(e.container); }
void AgentProcess::on(const agent::RunCheck& e) {
  planner_.after(std::chrono::milliseconds(10),
                 [this, id = e.container] { deliver(agent::CheckDone{id, agent::CheckResult{0}}); });
}

}  // namespace banyan::sim
