#include "tests/sim/root_process.h"

namespace banyan::sim {

using namespace std::chrono_literals;

RootProcess::RootProcess(const Surroundings& around, Disk& disk, std::function<MasterProcess*()> master,
                         std::function<void()> died)
    : kernel_(around.kernel),
      master_(std::move(master)),
      died_(std::move(died)),
      store_(*FakeStore::open(disk, planner_.syncs(disk))),
      waker_(kernel_, [this] { deliver(root::Tick{}); }) {
  root::Setup setup;
  setup.masters = {MasterProcess::address()};
  setup.executor = {"banyan-framework-executor", "http://root/executor", std::string(64, 'a')};
  setup.service_scheduler = {"banyan-service-scheduler", "http://root/service", std::string(64, 'b')};
  setup.nodes_folder = "/nodes";
  setup.task_user = "nobody";
  driver_ = std::make_unique<Driver<root::Core, RootProcess>>(root::Core(now(), setup, *store_->load()), *this);
  SchedulerLink::Callbacks callbacks;
  callbacks.event = [this, &around](const mesos::v1::scheduler::Event& event) {
    using Event = mesos::v1::scheduler::Event;
    if (event.type() == Event::SUBSCRIBED) deliver(root::Subscribed{});
    if (event.type() == Event::UPDATE) {
      around.heard(root::root_framework, event.update().status());
      deliver(root::Updated{event.update().status()});
    }
    if (event.type() == Event::FAILURE && event.failure().has_executor_id())
      deliver(root::ExecutorEnded{event.failure().executor_id().value()});
    if (event.type() == Event::OFFERS)
      deliver(root::Offered{{event.offers().offers().begin(), event.offers().offers().end()}});
  };
  callbacks.disconnected = [this](const std::string& reason, bool) { deliver(root::Disconnected{reason}); };
  callbacks.refused = [](const std::string&) {};
  link_ = std::make_unique<SchedulerLink>(planner_, Place::root, around.servers, std::vector{MasterProcess::address()},
                                          root::framework_info("root"), std::move(callbacks));
}

void RootProcess::deliver(const root::Core::Input& input) {
  driver_->deliver(input);
  driver_->core().check_invariants();
}

void RootProcess::up(const std::string& stack_text) {
  root::UpAsked asked;
  asked.request.mutable_bundle()->set_file("stack.yaml");
  asked.request.mutable_bundle()->set_text(stack_text);
  deliver(asked);
}

void RootProcess::down(const std::string& stack) {
  root::DownAsked asked;
  asked.request.set_stack(stack);
  deliver(asked);
}

void RootProcess::on(root::Answer& e) {
  if (const auto* reply = std::get_if<root::UpReply>(&e.reply)) {
    refusal_ = reply->conflict();
    for (const auto& text : reply->errors()) refusal_ += text;
  }
}

void RootProcess::on(root::TearDown& e) {
  planner_.after(kernel_.between(1ms, 5ms), [this, e] {
    MasterProcess* master = master_();
    const bool there = kernel_.network().reaches({Place::root, Place::master}, kernel_.now().mono);
    if (master == nullptr || !there) return deliver(root::TornDown{e.stack, e.node, "no answer of the master"});
    master->tear_down(e.framework_id, [this, weak = std::weak_ptr(life_), e](unsigned status) {
      if (weak.expired()) return;
      // 400: the master knows no such framework, so there is nothing left to tear down.
      deliver(root::TornDown{e.stack, e.node, status == 200 || status == 400 ? "" : "HTTP " + std::to_string(status)});
    });
  });
}

void RootProcess::on(root::ReleaseRole& e) {
  planner_.after(1ms, [this, e] { deliver(root::Released{e.stack, e.node, ""}); });
}

}  // namespace banyan::sim
