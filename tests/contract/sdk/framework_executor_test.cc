// The real framework executor under a fake agent, and the SDK's Child at its socket.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "runtime/sdk/child.h"
#include "tests/contract/sdk/fake_agent.h"

namespace banyan::sdk {
namespace {

using namespace mesos::v1;
using testing::HasSubstr;
using testing::Not;

ToExecutor word_for(const std::string& script) {
  ToExecutor word;
  for (const auto* argument : {"sh", "-c", script.c_str()}) word.mutable_command()->add_argv(argument);
  word.mutable_command()->set_backoff_min_ms(1);
  word.mutable_command()->set_backoff_max_ms(2);
  auto* handover = word.mutable_handover();
  handover->set_version(1);
  handover->set_stack("logging");
  handover->set_node("kafka");
  handover->set_framework_id("logging.kafka.1");
  handover->set_role("logging.kafka");
  handover->add_masters("127.0.0.1:5050");
  return word;
}

struct AFrameworkExecutor : testing::Test {
  AFrameworkExecutor() : patience(loop), agent(loop, patience) {
    process = std::make_unique<Process>(
        BIN_DIR "/banyan-framework-executor",
        std::map<std::string, std::string>{{"PATH", "/usr/bin:/bin"},
                                           {"MESOS_AGENT_ENDPOINT", "127.0.0.1:" + std::to_string(agent.at)},
                                           {"MESOS_FRAMEWORK_ID", "banyan-root"},
                                           {"MESOS_EXECUTOR_ID", "executor"},
                                           {"MESOS_SLAVE_ID", "agent"},
                                           {"MESOS_CHECKPOINT", "1"},
                                           {"MESOS_RECOVERY_TIMEOUT", "15mins"},
                                           {"MESOS_SANDBOX", sandbox.path.string()},
                                           {"BANYAN_SOCKET_DIR", sockets.path.string()}},
        sandbox.path);
    EXPECT_TRUE(patience.until([&] { return agent.stream != nullptr; }));
  }
  void launch(const ToExecutor& word) { agent.launch("kafka.1", word.SerializeAsString()); }
  void launch(const std::string& script) { launch(word_for(script)); }

  /// Waits for an update of which `holds` is true, and returns its report.
  ChildReport report_when(const std::function<bool(const TaskStatus&, const ChildReport&)>& holds) {
    ChildReport report;
    EXPECT_TRUE(patience.until([&] {
      for (const auto& update : agent.updates)
        if (report.ParseFromString(update.data()) && holds(update, report)) return true;
      return false;
    }));
    return report;
  }
  ChildReport running() {
    return report_when([](const auto& status, const auto&) { return status.state() == TASK_RUNNING; });
  }
  TaskStatus ended() {
    EXPECT_TRUE(patience.until([&] { return !agent.updates.empty() && agent.updates.back().state() != TASK_RUNNING; }));
    return agent.updates.back();
  }
  std::string socket() const {
    for (const auto& folder : std::filesystem::directory_iterator(sockets.path)) return folder.path() / "child.sock";
    return "";
  }
  std::unique_ptr<Child> connect(std::vector<Handover>& seen) {
    return Child::connect(loop, socket(), [&](const Handover& handover) {
      seen.push_back(handover);
      patience.something_happened();
    });
  }
  static std::string content(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// What the child writes under that name, whole, when it gets to it.
  std::string written(const std::filesystem::path& path) {
    decltype(loop.after(Duration(0), [] {})) timer{};
    std::function<void()> look = [&] {
      patience.something_happened();
      timer = loop.after(std::chrono::milliseconds(5), look);
    };
    look();
    EXPECT_TRUE(patience.until([&] { return std::filesystem::exists(path); }));
    loop.cancel(timer);
    return content(path);
  }

  Loop loop;
  Patience patience;
  FakeAgent agent;
  Folder sandbox;
  Folder sockets;
  std::unique_ptr<Process> process;
};

TEST_F(AFrameworkExecutor, StartsTheChildWithItsHandoverAndItsOwnEnvironment) {
  launch("env > environment.new && mv environment.new environment && exec sleep 1000");
  EXPECT_EQ(running().handover_version(), 1u);
  const auto handover = read_handover(sandbox.path / "handover.json");
  ASSERT_TRUE(handover) << handover.error().message;
  EXPECT_EQ(handover->framework_id(), "logging.kafka.1");
  const auto environment = written(sandbox.path / "environment");
  EXPECT_THAT(environment, HasSubstr("MESOS_FRAMEWORK_ID=logging.kafka.1"));
  EXPECT_THAT(environment, HasSubstr("BANYAN_SOCKET=" + socket()));
  EXPECT_THAT(environment, Not(HasSubstr("MESOS_SLAVE_ID")));
}

TEST_F(AFrameworkExecutor, HandsTheChildEveryChangeAndTellsTheRootWhatTheChildSays) {
  launch("exec sleep 1000");
  const auto pid = running().pid();
  std::vector<Handover> seen;
  const auto child = connect(seen);
  ASSERT_TRUE(patience.until([&] { return seen.size() == 1; }));

  ChildStatus status;
  status.set_serving(true);
  status.set_handover_version(1);
  child->report(status);
  report_when([](const auto& update, const auto& report) { return update.healthy() && report.managed(); });

  ToExecutor change = word_for("");
  change.clear_command();
  change.mutable_handover()->set_version(2);
  agent.message(change.SerializeAsString());
  ASSERT_TRUE(patience.until([&] { return seen.size() == 2; }));
  EXPECT_EQ(seen[1].version(), 2u);
  const auto report = report_when([](const auto&, const auto& r) { return r.handover_version() == 2; });
  EXPECT_EQ(read_handover(sandbox.path / "handover.json")->version(), 2u);
  EXPECT_EQ(report.pid(), pid);
}

TEST_F(AFrameworkExecutor, RestartsAChildThatIsKilled) {
  launch("exec sleep 1000");
  const auto first = running().pid();
  ::kill(static_cast<pid_t>(first), SIGKILL);
  const auto report = report_when([&](const auto&, const auto& r) { return r.has_pid() && r.pid() != first; });
  EXPECT_EQ(report.restarts(), 1u);
}

TEST_F(AFrameworkExecutor, GivesUpWithAReasonWhenTheProgramIsMissing) {
  auto word = word_for("");
  word.mutable_command()->clear_argv();
  word.mutable_command()->add_argv("/nowhere/kafka-scheduler");
  launch(word);
  const auto end = ended();
  EXPECT_EQ(end.state(), TASK_FAILED);
  EXPECT_THAT(end.message(), HasSubstr("/nowhere/kafka-scheduler: No such file or directory"));
  EXPECT_EQ(process->wait(), 0);
}

TEST_F(AFrameworkExecutor, EndsTheChildOnKillAndLeavesNothingBehind) {
  launch("exec sleep 1000");
  const auto pid = static_cast<pid_t>(running().pid());
  agent.kill("kafka.1");
  EXPECT_EQ(ended().state(), TASK_KILLED);
  EXPECT_TRUE(ends(pid));
  EXPECT_EQ(process->wait(), 0);
  EXPECT_TRUE(std::filesystem::is_empty(sockets.path));
}

TEST_F(AFrameworkExecutor, KillsAChildThatDoesNotListenAfterItsGrace) {
  const std::string fifo = sandbox.path / "deaf";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  launch("trap '' TERM; echo now > " + fifo + "; while :; do sleep 1000; done");
  const auto pid = static_cast<pid_t>(running().pid());
  EXPECT_EQ(content(fifo), "now\n");  // opens when the child has reached that line
  mesos::v1::executor::Event kill;
  kill.set_type(mesos::v1::executor::Event::KILL);
  kill.mutable_kill()->mutable_task_id()->set_value("kafka.1");
  kill.mutable_kill()->mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(50'000'000);
  agent.send(kill);
  EXPECT_EQ(ended().state(), TASK_KILLED);
  EXPECT_TRUE(ends(pid));
}

TEST_F(AFrameworkExecutor, TakesTheChildWithItWhenItIsKilled) {
  launch("exec sleep 1000");
  const auto pid = static_cast<pid_t>(running().pid());
  ::kill(process->pid(), SIGKILL);
  process->wait();
  EXPECT_TRUE(ends(pid));
}

TEST_F(AFrameworkExecutor, ComesBackToARestartedAgentWithWhatHappenedMeanwhile) {
  agent.acknowledges = false;
  launch("exec sleep 1000");
  const auto pid = running().pid();
  agent.die();
  agent.acknowledges = true;
  agent.come_back();
  ASSERT_TRUE(patience.until([&] { return agent.subscribes.size() == 2; }));
  ASSERT_EQ(agent.subscribes[1].unacknowledged_tasks_size(), 1);
  ASSERT_EQ(agent.subscribes[1].unacknowledged_updates_size(), 1);
  ChildReport report;
  ASSERT_TRUE(report.ParseFromString(agent.subscribes[1].unacknowledged_updates(0).status().data()));
  EXPECT_EQ(report.pid(), pid);  // it ran on
}

}  // namespace
}  // namespace banyan::sdk
