// banyan-framework-executor: hosts one child scheduler (see README.md). Wires the core to the world.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "executors/framework/child_process.h"
#include "executors/framework/child_socket.h"
#include "executors/framework/core/supervisor.h"
#include "executors/framework/readiness_probe.h"
#include "runtime/adapters/loop/alarm.h"
#include "runtime/adapters/loop/seed.h"
#include "runtime/adapters/posix/files.h"
#include "runtime/driver/driver.h"
#include "runtime/sdk/executor_client.h"
#include "runtime/sdk/json.h"

namespace banyan::framework_executor {
namespace {

/// The sandbox's stderr is this program's log.
void say(const std::string& line) { std::fprintf(stderr, "banyan-framework-executor: %s\n", line.c_str()); }

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Environment own_environment() {
  Environment own;
  for (char** line = environ; *line != nullptr; ++line) {
    const std::string assignment = *line;
    const auto equals = assignment.find('=');
    if (equals != std::string::npos) own[assignment.substr(0, equals)] = assignment.substr(equals + 1);
  }
  return own;
}

/// The Supervisor's world: a loop, the agent, the child, its socket and its handover file.
class Shell {
 public:
  Shell(Loop& loop, sdk::ExecutorOptions options, const Places& places)
      : loop_(loop),
        places_(places),
        alarm_(loop, [this] { driver_.deliver(Tick{}); }),
        driver_(Supervisor(own_environment(), places, Rng(random_seed())), *this) {
    sdk::ExecutorClient::Callbacks callbacks;
    callbacks.event = [this](const auto& event) { take(event); };
    callbacks.shutdown = [this](const std::string& reason) {
      say("ending: " + reason);
      driver_.deliver(ShutDownAsked{reason, true});
    };
    callbacks.refused = [this](const auto& status, const std::string& reason) {
      say("the agent refused an update of " + status.task_id().value() + ": " + reason);
      settle();  // else the next report would wait for an acknowledgement that never comes
    };
    agent_ = sdk::ExecutorClient::create(loop, std::move(options), std::move(callbacks));
    loop.on_signals({SIGTERM, SIGINT}, [this](int) { driver_.deliver(ShutDownAsked{"the executor was told to end"}); });
  }

  Result<void> listen() {
    auto socket =
        ChildSocket::listen(loop_, places_.socket,
                            {.asked = [this](auto poll, auto after) { driver_.deliver(HandoverAsked{poll, after}); },
                             .said = [this](const ChildStatus& status) { driver_.deliver(ChildSaid{status}); }});
    if (!socket) return tl::unexpected(socket.error());
    socket_ = std::move(*socket);
    return {};
  }

  // What Driver asks of a world.
  [[nodiscard]] Now now() const { return clock_now(); }
  void perform(const Supervisor::Effect& effect) {
    std::visit([this](const auto& what) { perform(what); }, effect);
  }
  void wake_at(std::optional<Instant> when) { alarm_.set(when); }

 private:
  void take(const mesos::v1::executor::Event& event) {
    using mesos::v1::executor::Event;
    switch (event.type()) {
      case Event::LAUNCH: return driver_.deliver(Launched{event.launch().task()});
      case Event::MESSAGE: return driver_.deliver(MessageCame{event.message().data()});
      case Event::SHUTDOWN: return driver_.deliver(ShutDownAsked{"the executor was shut down"});
      case Event::ACKNOWLEDGED: return settle();
      case Event::KILL: {
        KillAsked kill{event.kill().task_id().value(), {}};
        if (event.kill().kill_policy().has_grace_period())
          kill.grace = Duration(event.kill().kill_policy().grace_period().nanoseconds());
        return driver_.deliver(kill);
      }
      default: return;
    }
  }

  void settle() {
    if (!agent_->unacknowledged()) driver_.deliver(Settled{});
  }

  void perform(const WriteHandover& write) {
    const auto written = posix::write_file(places_.handover, sdk::to_json(write.handover), 0640);
    if (!written) say(written.error().message);
    driver_.deliver(HandoverWritten{write.handover.version(), written ? "" : written.error().message});
  }
  void perform(const StartChild& start) {
    child_.reset();
    auto child = ChildProcess::start(loop_, start.argv, start.environment, [this, run = start.run](int wait_status) {
      say("the child ended with wait status " + std::to_string(wait_status));
      driver_.deliver(ChildEnded{run, wait_status});
    });
    if (!child) {
      say(child.error().message);
      return driver_.deliver(ChildNotStarted{start.run, child.error().message});
    }
    child_ = std::move(*child);
    say("started " + start.argv[0] + " as pid " + std::to_string(child_->pid()));
    driver_.deliver(ChildStarted{start.run, static_cast<std::uint32_t>(child_->pid())});
  }
  void perform(const SignalChild& signal) {
    if (child_) child_->signal(signal.signal, signal.tree);
  }
  void perform(const Probe& probe) {
    probe_ = std::make_unique<ReadinessProbe>(loop_, probe, [this, number = probe.number](const std::string& trouble) {
      driver_.deliver(Probed{number, trouble});
    });
  }
  void perform(const DropProbe&) { probe_.reset(); }
  void perform(const AnswerPoll& answer) {
    socket_->answer(answer.poll, answer.handover ? &*answer.handover : nullptr);
  }
  void perform(const SendUpdate& update) {
    if (update.status.state() != mesos::v1::TASK_RUNNING)
      say(mesos::v1::TaskState_Name(update.status.state()) + ": " + update.status.message());
    agent_->update(update.status);
  }
  void perform(const Exit&) { loop_.stop(); }

  Loop& loop_;
  Places places_;
  Alarm alarm_;
  std::unique_ptr<sdk::ExecutorClient> agent_;
  std::unique_ptr<ChildSocket> socket_;
  std::unique_ptr<ChildProcess> child_;
  std::unique_ptr<ReadinessProbe> probe_;
  Driver<Supervisor, Shell> driver_;
};

int run() {
  const auto options = sdk::ExecutorOptions::from_environment(variable);
  if (options.agent.empty() || options.framework_id.empty() || options.executor_id.empty()) {
    say("is started by an agent, as a custom executor: MESOS_AGENT_ENDPOINT, MESOS_FRAMEWORK_ID and "
        "MESOS_EXECUTOR_ID must be set");
    return 2;
  }
  std::string sandbox = variable("MESOS_SANDBOX");
  if (sandbox.empty()) sandbox = ".";
  const auto folder = SocketFolder::make(variable("BANYAN_SOCKET_DIR"));
  if (!folder) {
    say(folder.error().message);
    return 1;
  }
  Loop loop;
  Shell shell(loop, options, {sandbox, sandbox + "/handover.json", folder->socket()});
  if (const auto listening = shell.listen(); !listening) {
    say(listening.error().message);
    return 1;
  }
  loop.run();
  return 0;
}

}  // namespace
}  // namespace banyan::framework_executor

int main() {
  ::signal(SIGPIPE, SIG_IGN);
  return banyan::framework_executor::run();
}
