// A custom executor for the tests: every task runs "inside" it, says the process' pid, and echoes messages.
#include <unistd.h>

#include <set>
#include <string>

#include "runtime/sdk/executor.h"

namespace {

using namespace mesos::v1;
using banyan::sdk::ExecutorDriver;

class EchoExecutor : public banyan::sdk::Executor {
 public:
  void launch_task(ExecutorDriver& driver, const TaskInfo& task) override {
    tasks_.insert(task.task_id().value());
    say(driver, task.task_id().value(), TASK_RUNNING);
  }
  void kill_task(ExecutorDriver& driver, const TaskID& task) override { end(driver, task.value(), TASK_KILLED); }
  /// "finish TASK" ends a task well, anything else comes back.
  void framework_message(ExecutorDriver& driver, const std::string& data) override {
    const std::string finish = "finish ";
    if (data.starts_with(finish)) return end(driver, data.substr(finish.size()), TASK_FINISHED);
    driver.send_framework_message("echo " + data);
  }
  void reregistered(ExecutorDriver& driver, const AgentInfo&) override {
    for (const auto& task : tasks_) say(driver, task, TASK_RUNNING, "back");
  }
  void shutdown(ExecutorDriver& driver) override {
    while (!tasks_.empty()) end(driver, *tasks_.begin(), TASK_KILLED);
  }

 private:
  void end(ExecutorDriver& driver, const std::string& task, TaskState state) {
    if (tasks_.erase(task) == 0) return;
    say(driver, task, state);
  }
  static void say(ExecutorDriver& driver, const std::string& task, TaskState state, const std::string& message = {}) {
    TaskStatus status;
    status.mutable_task_id()->set_value(task);
    status.set_state(state);
    status.set_message(message);
    status.set_data(std::to_string(::getpid()));
    driver.send_status_update(status);
  }

  std::set<std::string> tasks_;
};

}  // namespace

int main() {
  EchoExecutor executor;
  ExecutorDriver driver(executor);
  return driver.run() == banyan::sdk::DriverStatus::stopped ? 0 : 1;
}
