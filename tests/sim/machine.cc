#include "tests/sim/machine.h"

#include <csignal>

namespace banyan::sim {

void Machine::launch(const agent::LaunchContainer& launch) {
  Container container;
  container.launch = launch;
  container.task.ParseFromString(launch.task_info);
  container.custom = !launch.executor_info.empty();
  containers_[launch.container] = std::move(container);
  kernel_.after(kernel_.between(std::chrono::milliseconds(1), std::chrono::milliseconds(30)),
                [this, id = launch.container] { begin(id); });
}

void Machine::begin(const ContainerId& id) {
  const auto it = containers_.find(id);
  if (it == containers_.end() || it->second.pid != 0) return;
  Container& container = it->second;
  container.pid = ++next_pid_;
  container.running = true;
  container.started_at = kernel_.now().mono;
  witness_.started(number_, container);
  container.program = make_(*this, container);
  if (on_started) on_started(id, container.pid);
}

void Machine::terminate(const ContainerId& id) {
  const auto it = containers_.find(id);
  if (it != containers_.end() && it->second.program) it->second.program->terminate();
}

void Machine::destroy(const ContainerId& id) {
  kernel_.after(kernel_.between(std::chrono::milliseconds(1), std::chrono::milliseconds(20)),
                [this, id] { exit(id, SIGKILL); });
}

void Machine::shoot(const ContainerId& id) {
  if (const auto it = containers_.find(id); it != containers_.end() && it->second.running) it->second.shot = true;
  exit(id, SIGKILL);
}

void Machine::lose_power() {
  for (const auto& [id, container] : containers_) shoot(id);
}

void Machine::exit(const ContainerId& id, int wait_status) {
  const auto it = containers_.find(id);
  if (it == containers_.end()) return;
  Container& container = it->second;
  if (container.pid != 0 && !container.running) return;  // it is over already
  if (container.pid == 0) container.pid = ++next_pid_;   // destroyed before it began: never begins
  const bool ran = std::exchange(container.running, false);
  container.wait_status = wait_status;
  // The program may be the caller: it goes once it has returned.
  dead_.push_back(std::move(container.program));
  kernel_.after(Duration(0), [this] { dead_.clear(); });
  if (ran) witness_.ended(number_, container);
  if (on_ended) on_ended(id, wait_status);
}

}  // namespace banyan::sim
