// The classic drivers, a custom executor and command tasks on a real master and agent, each of which is killed in turn.
#include <gmock/gmock.h>
#include <pwd.h>

#include <fstream>

#include "banyan/handover.pb.h"
#include "tests/system/sdk/cluster.h"
#include "tests/system/sdk/recorder.h"

namespace banyan::system_test {
namespace {

using namespace mesos::v1;
using sdk::DriverStatus;
using sdk::SchedulerDriver;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto framework_id = "drivers.test.1";

FrameworkInfo framework_info() {
  FrameworkInfo info;
  info.set_user(::getuid() == 0 ? "nobody" : ::getpwuid(::getuid())->pw_name);
  info.set_name("drivers");
  info.mutable_id()->set_value(framework_id);
  info.add_roles("drivers.test");
  info.set_checkpoint(true);
  info.set_failover_timeout(3600);
  for (const auto capability :
       {FrameworkInfo::Capability::MULTI_ROLE, FrameworkInfo::Capability::RESERVATION_REFINEMENT,
        FrameworkInfo::Capability::PARTITION_AWARE})
    info.add_capabilities()->set_type(capability);
  return info;
}

void add_scalar(google::protobuf::RepeatedPtrField<Resource>& resources, const std::string& name, double amount) {
  auto* resource = resources.Add();
  resource->set_name(name);
  resource->set_type(Value::SCALAR);
  resource->mutable_scalar()->set_value(amount);
}

TaskInfo task_of(const std::string& id) {
  TaskInfo task;
  task.set_name(id);
  task.mutable_task_id()->set_value(id);
  task.mutable_agent_id()->set_value("");  // the offer's, once there is one
  add_scalar(*task.mutable_resources(), "cpus", 0.1);
  add_scalar(*task.mutable_resources(), "mem", 32);
  return task;
}
TaskInfo shell_task(const std::string& id, const std::string& script) {
  TaskInfo task = task_of(id);
  task.mutable_command()->set_value(script);
  return task;
}

struct Drivers : testing::Test {
  Drivers() : driver(scheduler, {.masters = {cluster.api}, .framework = framework_info()}) {
    EXPECT_TRUE(cluster.start());
    driver.start();
    EXPECT_TRUE(scheduler.until([](const auto& seen) { return seen.reregistered == 1; }));
  }
  ~Drivers() override {
    if (driver.status() == DriverStatus::running) driver.stop();
    driver.join();
    for (const auto pid : pids) EXPECT_TRUE(ends(pid)) << pid;  // TEARDOWN leaves nothing behind
  }
  TaskInfo echo_task(const std::string& id) const {
    TaskInfo task = task_of(id);
    auto* executor = task.mutable_executor();
    executor->set_type(ExecutorInfo::CUSTOM);
    executor->mutable_executor_id()->set_value("echo");
    executor->mutable_command()->set_shell(false);
    executor->mutable_command()->set_value(cluster.folder / "test-executor");
    executor->mutable_command()->add_arguments("test-executor");
    add_scalar(*executor->mutable_resources(), "cpus", 0.1);
    add_scalar(*executor->mutable_resources(), "mem", 32);
    return task;
  }
  /// Launches a task of the echo executor; the executor's pid.
  pid_t launch_echo(const std::string& id) {
    scheduler.want(driver, echo_task(id));
    const auto status = scheduler.update(id, TASK_RUNNING);
    EXPECT_FALSE(status.data().empty());
    agent_id = status.agent_id();
    const pid_t pid = std::atoi(status.data().c_str());
    pids.push_back(pid);
    return pid;
  }
  void say(const std::string& data) {
    ExecutorID echo;
    echo.set_value("echo");
    driver.send_framework_message(echo, agent_id, data);
  }
  static TaskID id_of(const std::string& task) {
    TaskID id;
    id.set_value(task);
    return id;
  }

  Cluster cluster;
  Recorder scheduler;
  SchedulerDriver driver;
  AgentID agent_id;
  std::vector<pid_t> pids;
};

TEST_F(Drivers, LaunchATaskTalkBothWaysAndKillIt) {
  launch_echo("t1");
  say("hello");
  EXPECT_TRUE(scheduler.message("echo hello"));
  driver.kill_task(id_of("t1"));
  EXPECT_EQ(scheduler.update("t1", TASK_KILLED).task_id().value(), "t1");
}

TEST_F(Drivers, GiveSeveralTasksToOneExecutor) {
  const pid_t first = launch_echo("t1");
  EXPECT_EQ(launch_echo("t2"), first);
  say("finish t1");
  EXPECT_EQ(scheduler.update("t1", TASK_FINISHED).task_id().value(), "t1");
  say("still there");
  EXPECT_TRUE(scheduler.message("echo still there"));
}

TEST_F(Drivers, TellHowACommandEnded) {
  scheduler.want(driver, shell_task("fails", "exit 3"));
  EXPECT_THAT(scheduler.update("fails", TASK_FAILED).message(), HasSubstr("3"));
}

TEST_F(Drivers, KeepAnExecutorThroughTheDeathOfItsAgent) {
  const pid_t pid = launch_echo("t1");
  cluster.agent.kill();
  ASSERT_TRUE(cluster.agent.start());
  EXPECT_TRUE(scheduler.until([](const auto& seen) { return seen.updates.back().message() == "back"; }));
  EXPECT_TRUE(alive(pid));
  say("hello again");
  EXPECT_TRUE(scheduler.message("echo hello again"));
  driver.kill_task(id_of("t1"));
  EXPECT_EQ(scheduler.update("t1", TASK_KILLED).task_id().value(), "t1");
}

TEST_F(Drivers, LearnTheExitStatusOfATaskThatEndedWhileItsAgentWasDead) {
  const std::string gate = cluster.folder / "gate";
  ASSERT_EQ(::mkfifo(gate.c_str(), 0666), 0);
  ::chmod(gate.c_str(), 0666);
  scheduler.want(driver, shell_task("seven", "read line < " + gate + "; exit 7"));
  const auto running = scheduler.update("seven", TASK_RUNNING);
  ASSERT_TRUE(running.container_status().has_executor_pid());
  const auto pid = static_cast<pid_t>(running.container_status().executor_pid());
  cluster.agent.kill();
  ASSERT_TRUE(alive(pid));
  std::ofstream(gate) << "go\n";
  ASSERT_TRUE(ends(pid));
  ASSERT_TRUE(cluster.agent.start());
  EXPECT_THAT(scheduler.update("seven", TASK_FAILED).message(), HasSubstr("status 7"));
}

TEST_F(Drivers, KeepTheirIdAndTasksThroughTheDeathOfTheMaster) {
  const pid_t pid = launch_echo("t1");
  cluster.master.kill();
  ASSERT_TRUE(scheduler.until([](const auto& seen) { return seen.disconnected > 0; }));
  scheduler.forget();
  ASSERT_TRUE(cluster.master.start());
  ASSERT_TRUE(scheduler.until([](const auto& seen) { return seen.reregistered > 0; }));
  EXPECT_EQ(driver.framework_id().value(), framework_id);
  EXPECT_TRUE(alive(pid));
  launch_echo("t2");  // it offers again, so the agent is back, too
  driver.reconcile_tasks({});
  EXPECT_EQ(scheduler.update("t1", TASK_RUNNING).task_id().value(), "t1");
  driver.kill_task(id_of("t1"));
  EXPECT_EQ(scheduler.update("t1", TASK_KILLED).task_id().value(), "t1");
}

TEST_F(Drivers, AreFencedWhenASuccessorTakesOver) {
  const pid_t pid = launch_echo("t1");
  Recorder successor;
  SchedulerDriver next(successor, {.masters = {cluster.api}, .framework = framework_info()});
  next.start();
  ASSERT_TRUE(successor.until([](const auto& seen) { return seen.reregistered == 1; }));
  EXPECT_EQ(driver.join(), DriverStatus::aborted);
  EXPECT_TRUE(scheduler.until([](const auto& seen) { return !seen.errors.empty(); }));
  EXPECT_EQ(driver.kill_task(id_of("t1")), DriverStatus::aborted);  // says nothing to anyone
  EXPECT_TRUE(alive(pid));
  next.reconcile_tasks({});
  EXPECT_EQ(successor.update("t1", TASK_RUNNING).task_id().value(), "t1");
  next.kill_task(id_of("t1"));
  EXPECT_EQ(successor.update("t1", TASK_KILLED).task_id().value(), "t1");
  next.stop();
  EXPECT_EQ(next.join(), DriverStatus::stopped);
}

TEST_F(Drivers, LeaveTheirTasksToASuccessorWhenStoppedForFailover) {
  const pid_t pid = launch_echo("t1");
  driver.stop(true);
  EXPECT_EQ(driver.join(), DriverStatus::stopped);
  EXPECT_TRUE(alive(pid));
  Recorder successor;
  SchedulerDriver next(successor, {.masters = {cluster.api}, .framework = framework_info()});
  next.start();
  ASSERT_TRUE(successor.until([](const auto& seen) { return seen.reregistered == 1; }));
  next.reconcile_tasks({});
  EXPECT_EQ(successor.update("t1", TASK_RUNNING).task_id().value(), "t1");
  next.stop();
  EXPECT_EQ(next.join(), DriverStatus::stopped);
}

TEST_F(Drivers, EndTheFrameworkForGoodWhenStopped) {
  const pid_t pid = launch_echo("t1");
  driver.stop();
  EXPECT_EQ(driver.join(), DriverStatus::stopped);
  EXPECT_TRUE(ends(pid));
  Recorder late;
  SchedulerDriver again(late, {.masters = {cluster.api}, .framework = framework_info()});
  EXPECT_EQ(again.run(), DriverStatus::aborted);
  EXPECT_TRUE(late.until([](const auto& seen) { return !seen.errors.empty(); }));
}

TEST_F(Drivers, HostAChildSchedulerUnderTheFrameworkExecutor) {
  ToExecutor word;
  word.mutable_command()->add_argv("sleep");
  word.mutable_command()->add_argv("1000");
  auto* handover = word.mutable_handover();
  handover->set_version(1);
  handover->set_stack("logging");
  handover->set_node("kafka");
  handover->set_framework_id("logging.kafka.1");
  handover->set_role("logging.kafka");
  handover->add_masters(cluster.api);
  TaskInfo task = echo_task("kafka.1");
  task.mutable_executor()->mutable_executor_id()->set_value("kafka.1");
  task.mutable_executor()->mutable_command()->set_value(cluster.folder / "banyan-framework-executor");
  task.mutable_executor()->mutable_command()->set_arguments(0, "banyan-framework-executor");
  task.set_data(word.SerializeAsString());
  scheduler.want(driver, task);

  ChildReport report;
  ASSERT_TRUE(report.ParseFromString(scheduler.update("kafka.1", TASK_RUNNING).data()));
  const auto first = static_cast<pid_t>(report.pid());
  ASSERT_TRUE(alive(first));
  ::kill(first, SIGKILL);
  ASSERT_TRUE(scheduler.until([&](const auto& seen) {
    return report.ParseFromString(seen.updates.back().data()) && report.restarts() == 1 && report.has_pid();
  }));
  const auto second = static_cast<pid_t>(report.pid());
  EXPECT_NE(second, first);
  driver.kill_task(id_of("kafka.1"));
  EXPECT_EQ(scheduler.update("kafka.1", TASK_KILLED).task_id().value(), "kafka.1");
  EXPECT_TRUE(ends(second));
}

}  // namespace
}  // namespace banyan::system_test
