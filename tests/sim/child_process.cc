#include "tests/sim/child_process.h"

namespace banyan::sim {

using namespace std::chrono_literals;

ChildProcess::ChildProcess(const Surroundings& around, Place here, const std::string& folder, ChildHost host)
    : around_(around),
      here_(here),
      disk_name_(folder),
      disk_(around.disks[folder]),
      host_(std::move(host)),
      waker_(around.kernel, [this] { deliver(service::Tick{}); }) {
  campaign();
}

/// Its election: the lock of its store.
void ChildProcess::campaign() {
  auto store = FakeStore::open(disk_, planner_.syncs(disk_));
  if (!store) return planner_.after(20ms, [this] { campaign(); });
  store_ = std::move(*store);
  driver_ = std::make_unique<Driver<service::Core, ChildProcess>>(service::Core(*store_->load()), *this);
  host_.ask(0);
}

void ChildProcess::handed(const std::optional<Handover>& handover) {
  if (handover) {
    version_ = handover->version();
    deliver(service::HandoverGiven{*handover});
    if (!link_) subscribe(*handover);
  }
  host_.ask(version_);
}

void ChildProcess::subscribe(const Handover& handover) {
  SchedulerLink::Callbacks callbacks;
  callbacks.event = [this, id = handover.framework_id()](const mesos::v1::scheduler::Event& event) {
    if (event.has_update()) {
      const auto& status = event.update().status();
      around_.heard(id, status);
      kernel_.trace(id + " hears " + status.task_id().value() + " " + mesos::v1::TaskState_Name(status.state()));
    }
    deliver(service::SchedulerEvent{event});
  };
  callbacks.disconnected = [this](const std::string& reason, bool final) {
    if (final && ending_) return host_.exited(exit_code_);
    deliver(service::Disconnected{reason, final});
  };
  callbacks.refused = [this](const std::string& call) { deliver(service::CallRefused{call}); };
  link_ = std::make_unique<SchedulerLink>(
      planner_, here_, around_.servers, std::vector<std::string>(handover.masters().begin(), handover.masters().end()),
      service::framework_info(handover), std::move(callbacks));
}

void ChildProcess::on(service::Send& e) {
  kernel_.trace(disk_name_ + " sends " + mesos::v1::scheduler::Call::Type_Name(e.call.type()));
  if (link_) link_->send(std::move(e.call));
}
void ChildProcess::on(service::Launch& e) {
  if (link_) link_->send(std::move(e.call));
}
void ChildProcess::on(service::SetMasters& e) {
  if (link_) link_->set_masters(std::move(e.masters));
}

void ChildProcess::on(service::StartProbe& e) {
  planner_.after(kernel_.between(1ms, 20ms), [this, probe = e] {
    bool ready = true;
    for (const auto& address : probe.addresses) ready = ready && around_.answers(here_, address);
    deliver(service::ProbeResult{probe.id, ready, ready ? "" : "no answer"});
  });
}

void ChildProcess::on(service::Exit& e) {
  ending_ = true;
  exit_code_ = e.code;
  planner_.after(2s, [this] { host_.exited(exit_code_); });
}

}  // namespace banyan::sim
