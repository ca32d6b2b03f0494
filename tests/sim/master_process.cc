#include "tests/sim/master_process.h"

#include "runtime/adapters/codec/master_agent_link.h"
#include "runtime/adapters/codec/master_calls.h"

namespace banyan::sim {

MasterProcess::MasterProcess(Kernel& kernel, Disk& disk, MasterDoor& door, Servers& servers, std::function<void()> died)
    : kernel_(kernel),
      door_(door),
      servers_(servers),
      died_(std::move(died)),
      store_(*FakeStore::open(disk, planner_.syncs(disk))),
      waker_(kernel, [this] { deliver(master::Tick{}); }) {
  auto registry = registry::read(*store_->load());
  BANYAN_CHECK(registry.has_value());
  driver_ = std::make_unique<Driver<master::Core, MasterProcess>>(
      master::Core({}, std::move(*registry), kernel.rng().next()), *this);
  facts_.id = driver_->core().state().master_id;
  deliver(master::Start{});
  servers_[address()] = this;
  door_.knock = [this](const Wire& wire) { welcome(wire); };
}

MasterProcess::~MasterProcess() {
  servers_.erase(address());
  door_.knock = nullptr;
  for (const auto& [link, wire] : wires_) drop_by_master(wire);
}

void MasterProcess::deliver(const master::Input& input) {
  driver_->deliver(input);
  driver_->core().check_invariants();
}

void MasterProcess::welcome(const Wire& wire) {
  const master::LinkId link = ++next_link_;
  wires_[link] = wire;
  wire->at_master = [this, link](const std::string& bytes) {
    agent_link::FromAgent message;
    BANYAN_CHECK(message.ParseFromString(bytes));
    const auto input = codec::decode(message, link);
    BANYAN_CHECK(input.has_value());
    deliver(*input);
  };
  wire->lost_by_master = [this, link] {
    if (wires_.erase(link) > 0) deliver(master::AgentClosed{link});
  };
}

void MasterProcess::request(const std::string&, const std::string& stream_id, const std::string& body,
                            std::shared_ptr<Exchange> exchange) {
  open_.add(exchange);
  const master::CallId call = ++next_call_;
  const auto input =
      codec::decode_scheduler_call(body, stream_id.empty() ? std::nullopt : std::optional(stream_id), call);
  if (!input) return exchange->answer(input.error().status, input.error().text);
  calls_[call] = std::move(exchange);
  deliver(*input);
}

void MasterProcess::tear_down(const std::string& framework, std::function<void(unsigned)> done) {
  operator_calls_[++next_call_] = std::move(done);
  deliver(master::OperatorTeardown{next_call_, FrameworkId(framework)});
}

void MasterProcess::convert(const AgentId& agent, master::Conversion conversion, std::function<void(unsigned)> done) {
  operator_calls_[++next_call_] = std::move(done);
  deliver(master::OperatorConvert{next_call_, agent, std::move(conversion)});
}

void MasterProcess::perform(master::Core::Effect effect) {
  std::visit([this](const auto& e) { on(e); }, effect);
}

void MasterProcess::on(const master::Answer& effect) {
  if (const auto node = calls_.extract(effect.call); !node.empty()) node.mapped()->answer(effect.status, effect.text);
  if (const auto node = operator_calls_.extract(effect.call); !node.empty()) node.mapped()(effect.status);
}

void MasterProcess::on(const master::OpenStream& effect) {
  const auto node = calls_.extract(effect.call);
  if (node.empty()) return;
  streams_[effect.stream] = node.mapped();
  node.mapped()->gone = [this, weak = std::weak_ptr(life_), stream = effect.stream] {
    if (!weak.expired() && streams_.erase(stream) > 0) deliver(master::StreamClosed{stream});
  };
  node.mapped()->open(effect.stream.str());
}

void MasterProcess::on(const master::SendEvent& effect) {
  const auto it = streams_.find(effect.stream);
  if (it != streams_.end())
    it->second->record(codec::encode(effect.event, facts_, kernel_.now().wall).SerializeAsString());
}

void MasterProcess::on(const master::CloseStream& effect) {
  const auto node = streams_.extract(effect.stream);
  if (!node.empty()) node.mapped()->close();
}

void MasterProcess::on(const master::SendToAgent& effect) {
  const auto it = wires_.find(effect.link);
  if (it == wires_.end()) return;
  const auto message = codec::encode(effect.order, facts_.id);
  const bool again = message.has_run_task() || message.has_kill_task() || message.has_acknowledge();
  send_down(it->second, message.SerializeAsString(), again);
}

void MasterProcess::on(const master::CloseLink& effect) {
  const auto node = wires_.extract(effect.link);
  if (!node.empty()) drop_by_master(node.mapped());
}

}  // namespace banyan::sim
