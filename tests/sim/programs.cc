#include "tests/sim/programs.h"

#include <csignal>

#include "tests/sim/agent_process.h"

namespace banyan::sim {

using namespace std::chrono_literals;
namespace fe = framework_executor;

void ServerProgram::terminate() {
  kernel_.after(kernel_.between(1ms, 200ms), [&machine = machine_, id = id_] { machine.exit(id, SIGTERM); });
}

namespace {

sdk::ExecutorCore executor_core(Kernel& kernel, const Machine& machine, const Container& container) {
  sdk::ExecutorCore::Options options;
  options.agent = agent_address(machine.number());
  options.framework_id = container.launch.framework.str();
  options.executor_id = container.launch.executor.str();
  options.recovery_timeout = 15min;
  return {options, kernel.fork()};
}

}  // namespace

ExecutorProgram::ExecutorProgram(const Surroundings& around, Machine& machine, const Container& container)
    : around_(around),
      machine_(machine),
      id_(container.launch.container),
      client_waker_(kernel_, [this] { client_.deliver(sdk::Tick{}); }),
      supervisor_waker_(kernel_, [this] { supervise(fe::Tick{}); }),
      link_(planner_, place_of(machine.number()), around.servers,
            {.opened = [this](auto e) { client_.deliver(std::move(e)); },
             .record = [this](auto e) { client_.deliver(std::move(e)); },
             .closed = [this](auto e) { client_.deliver(std::move(e)); },
             .answered = [this](auto e) { client_.deliver(std::move(e)); }}),
      client_(executor_core(kernel_, machine, container), client_world_),
      supervisor_(fe::Supervisor({}, {"/sandbox", "/sandbox/handover.json", "/run/child.sock"}, kernel_.fork()),
                  supervisor_world_) {
  client_.deliver(sdk::Tick{});
}

ExecutorProgram::~ExecutorProgram() = default;

void ExecutorProgram::terminate() { supervise(fe::ShutDownAsked{"the executor was told to end", false}); }

bool ExecutorProgram::kill_child() {
  if (!child_) return false;
  child_ended(child_run_, SIGKILL);
  return true;
}

void ExecutorProgram::take(const mesos::v1::executor::Event& event) {
  using mesos::v1::executor::Event;
  switch (event.type()) {
    case Event::LAUNCH: return supervise(fe::Launched{event.launch().task()});
    case Event::MESSAGE: return supervise(fe::MessageCame{event.message().data()});
    case Event::SHUTDOWN: return supervise(fe::ShutDownAsked{"the executor was shut down", false});
    case Event::KILL: return supervise(fe::KillAsked{event.kill().task_id().value(), {}});
    case Event::ACKNOWLEDGED:
      if (!client_.core().unacknowledged()) supervise(fe::Settled{});
      return;
    default: return;
  }
}

void ExecutorProgram::on(fe::WriteHandover& e) {
  handover_ = e.handover;
  planner_.soon([this, version = e.handover.version()] { supervise(fe::HandoverWritten{version, ""}); });
}

void ExecutorProgram::on(fe::StartChild& e) {
  planner_.after(kernel_.between(1ms, 20ms), [this, run = e.run, folder = e.environment["BANYAN_STORE"]] {
    ChildHost host;
    host.ask = [this](std::uint64_t after) {
      planner_.after(1ms, [this, after] { supervise(fe::HandoverAsked{++next_poll_, after}); });
    };
    host.report = [this](const ChildStatus& status) {
      planner_.after(1ms, [this, status] { supervise(fe::ChildSaid{status}); });
    };
    host.exited = [this, run](int code) { planner_.soon([this, run, code] { child_ended(run, code << 8); }); };
    child_run_ = run;
    child_ = std::make_shared<ChildProcess>(around_, place_of(machine_.number()), folder, host);
    supervise(fe::ChildStarted{run, static_cast<std::uint32_t>(20'000 + run)});
  });
}

void ExecutorProgram::child_ended(std::uint64_t run, int wait_status) {
  if (run != child_run_ || !child_) return;
  child_.reset();
  supervise(fe::ChildEnded{run, wait_status});
}

void ExecutorProgram::on(fe::SignalChild& e) {
  planner_.after(5ms, [this, run = child_run_, signal = e.signal] { child_ended(run, signal); });
}

void ExecutorProgram::on(fe::Probe& e) {
  planner_.soon([this, number = e.number] { supervise(fe::Probed{number, ""}); });
}

void ExecutorProgram::on(fe::AnswerPoll& e) {
  planner_.after(1ms, [weak = std::weak_ptr(child_), handover = e.handover] {
    if (const auto child = weak.lock()) child->handed(handover);
  });
}

void ExecutorProgram::on(fe::SendUpdate& e) { client_.deliver(sdk::UpdateTask{e.status}); }

void ExecutorProgram::on(fe::Exit&) {
  planner_.soon([this] { machine_.exit(id_, 0); });
}

}  // namespace banyan::sim
