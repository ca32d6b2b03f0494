// An agent core in a test: every input is a call, every effect becomes a line of text, the store is a map.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/core/agent/checkpoint.h"
#include "runtime/core/agent/core.h"
#include "tests/support/durable_first.h"
#include "tests/support/pass_time.h"
#include "tests/unit/agent/durable.h"

namespace banyan::agent {

inline constexpr int exited_0 = 0;
inline constexpr int exited_7 = 7 << 8;

/// Lines read "master: update t1 RUNNING", "container: launch t1"; a container is named by its executor.
class AgentHarness {
 public:
  explicit AgentHarness(Options options = {}) : options_(options) { boot(); }

  /// kill -9 and a new life: only what was persisted is left.
  void boot() {
    auto state = checkpoint::load(store_);
    if (!state) throw std::runtime_error(state.error().message);
    core_.emplace(options_, seed_++, std::move(*state));
    for (const auto& [id, run] : core_->state().runs) names_[id] = run.executor.str();
  }

  std::string give(const Input& input) {
    std::ostringstream text;
    const auto effects = core_->step(now_, input);
    expect_durable_first(effects, [](const Effect& e) { return !std::holds_alternative<Note>(e); });
    for (const auto& effect : effects) {
      std::visit([&](const auto& e) { print(text, e); }, effect);
      if (heard) heard(effect);
    }
    core_->check_invariants();
    const auto stored = checkpoint::load(store_);
    EXPECT_EQ(stored ? durable(*stored) : stored.error().message, durable(core_->state())) << "so would the next life";
    return text.str();
  }
  std::string advance(Duration by) {
    std::string text;
    pass_time(now_, by, [this] { return core_->next_deadline(); }, [&] { text += give(Tick{}); });
    return text;
  }
  std::string join(std::uint64_t epoch = 1) {
    std::string text = give(LinkOpened{});
    return text + give(Registered{AgentId("A1"), epoch, {}});
  }

  std::function<void(const Effect&)> heard;  ///< every effect, as it comes

  static Framework framework(const std::string& id = "F") { return {FrameworkId(id), true, false, "info of " + id}; }
  static TaskDescription command(const std::string& id) {
    TaskDescription t;
    t.id = TaskId(id);
    t.info = "info of " + id;
    return t;
  }
  static TaskDescription task_of(const std::string& id, const std::string& executor) {
    TaskDescription t = command(id);
    t.executor = ExecutorDescription{ExecutorId(executor), std::nullopt, {}, "info of " + executor};
    return t;
  }
  std::string run(const TaskDescription& task, const std::string& framework_id = "F") {
    return give(RunTask{framework(framework_id), task});
  }
  std::string started(const std::string& executor, std::int64_t pid = 100) {
    return give(ContainerStarted{container(executor), pid});
  }
  std::string ended(const std::string& executor, int wait_status) {
    return give(ContainerEnded{container(executor), wait_status, "", false, false});
  }
  std::string subscribe(const std::string& executor, ConnectionId connection = 1, std::set<TaskId> unacknowledged = {},
                        std::vector<Status> updates = {}) {
    return give(ExecutorSubscribe{connection, FrameworkId("F"), ExecutorId(executor), std::move(unacknowledged),
                                  std::move(updates)});
  }
  static Status says(const std::string& task, TaskState state, const std::string& uuid) {
    Status s;
    s.task = TaskId(task);
    s.state = state;
    s.uuid = uuid;
    return s;
  }
  std::string update(const std::string& executor, Status status) {
    return give(ExecutorUpdate{FrameworkId("F"), ExecutorId(executor), std::move(status)});
  }
  std::string kill(const std::string& task, std::optional<Duration> grace = {}) {
    return give(KillTask{FrameworkId("F"), TaskId(task), grace});
  }
  /// Acknowledges the update in flight.
  std::string acknowledge(const std::string& task, const std::string& framework_id = "F") {
    const auto& tasks = core_->state().tasks;
    const auto it = tasks.find({FrameworkId(framework_id), TaskId(task)});
    if (it == tasks.end() || it->second.unacknowledged.empty()) return "nothing in flight\n";
    return give(Acknowledge{FrameworkId(framework_id), TaskId(task), it->second.unacknowledged.front().uuid});
  }

  [[nodiscard]] ContainerId container(const std::string& executor) const {
    for (const auto& [id, run] : core_->state().runs)
      if (run.executor.str() == executor) return id;
    return ContainerId("no container of " + executor);
  }
  [[nodiscard]] std::string summary() const { return core_->summary(); }
  [[nodiscard]] const Core& core() const { return *core_; }
  [[nodiscard]] std::size_t records() const { return store_.size(); }
  [[nodiscard]] Now now() const { return now_; }
  /// Of a container that was ever launched: its executor's name.
  [[nodiscard]] std::string name_of(const ContainerId& id) const {
    const auto it = names_.find(id);
    return it == names_.end() ? "unknown" : it->second;
  }

 private:
  static std::string describe(const Status& s) {
    std::string text = s.task.str() + ' ' + std::string(name(s.state).substr(5));
    if (s.reason) text += " reason=" + std::to_string(static_cast<int>(*s.reason));
    if (s.pid != 0) text += " pid=" + std::to_string(s.pid);
    if (s.check) text += " check=" + (s.check->exit_code ? std::to_string(*s.check->exit_code) : "none");
    if (s.ports) text += " listens=" + s.ports->listens;
    if (s.ports && !s.ports->strangers.empty()) text += " strangers=" + s.ports->strangers;
    if (!s.message.empty()) text += " \"" + s.message + '"';
    return text;
  }

  void print(std::ostream&, const Persist& p) {
    for (const auto& change : p.changes) {
      if (change.value) store_[change.key] = *change.value;
      else store_.erase(change.key);
    }
  }
  void print(std::ostream& out, const SendRegister& r) {
    out << "master: register " << (r.agent.empty() ? "anew" : r.agent.str()) << " epoch=" << r.epoch_seen;
    for (const auto& task : r.tasks) {
      out << ' ' << task.info.substr(8) << '=' << name(task.state).substr(5);
      if (task.unacknowledged) out << '(' << name(task.unacknowledged->state).substr(5) << ')';
    }
    for (const auto& executor : r.executors) out << " executor:" << executor.info.substr(8);
    out << '\n';
  }
  void print(std::ostream& out, const SendUpdate& u) { out << "master: update " << describe(u.status) << '\n'; }
  void print(std::ostream& out, const SendExecutorMessage& m) {
    out << "master: message of " << m.executor.str() << ' ' << m.data << '\n';
  }
  void print(std::ostream& out, const SendExecutorExited& e) {
    out << "master: exited " << e.executor.str() << ' ' << e.wait_status << '\n';
  }
  void print(std::ostream& out, const SendApplied& a) {
    out << "master: applied " << a.operation << (a.error.empty() ? "" : ": " + a.error) << '\n';
  }
  void print(std::ostream& out, const SendPong&) { out << "master: pong\n"; }
  void print(std::ostream& out, const ResetLink&) { out << "link: reset\n"; }
  void print(std::ostream& out, const TellSubscribed& t) { out << "executor " << t.connection << ": subscribed\n"; }
  void print(std::ostream& out, const TellLaunch& t) {
    out << "executor " << t.connection << ": launch " << t.task_info.substr(8) << '\n';
  }
  void print(std::ostream& out, const TellKill& t) {
    out << "executor " << t.connection << ": kill " << t.task.str() << '\n';
  }
  void print(std::ostream& out, const TellAcknowledged& t) {
    out << "executor " << t.connection << ": acknowledged " << t.task.str() << '\n';
  }
  void print(std::ostream& out, const TellMessage& t) {
    out << "executor " << t.connection << ": message " << t.data << '\n';
  }
  void print(std::ostream& out, const TellShutdown& t) { out << "executor " << t.connection << ": shutdown\n"; }
  void print(std::ostream& out, const CloseExecutor& c) { out << "executor " << c.connection << ": close\n"; }
  void print(std::ostream& out, const LaunchContainer& l) {
    names_[l.container] = l.executor.str();
    out << "container: launch " << l.executor.str() << '\n';
  }
  void print(std::ostream& out, const LinkVolumes& l) { out << "container: link " << name_of(l.container) << '\n'; }
  void print(std::ostream& out, const TerminateContainer& t) {
    out << "container: terminate " << name_of(t.container) << '\n';
  }
  void print(std::ostream& out, const DestroyContainer& d) {
    out << "container: destroy " << name_of(d.container) << '\n';
  }
  void print(std::ostream& out, const RunCheck& c) { out << "container: check " << name_of(c.container) << '\n'; }
  void print(std::ostream& out, const ForgetContainer& f) {
    out << "container: forget " << name_of(f.container) << '\n';
  }
  void print(std::ostream& out, const RemoveSandbox& r) {
    out << "sandbox: remove " << r.agent.str() << '/' << r.framework.str() << '/' << r.executor.str() << '/'
        << name_of(r.container) << '\n';
  }
  void print(std::ostream& out, const MakeVolume& v) { out << "volume: make " << v.volume.id << '\n'; }
  void print(std::ostream& out, const RemoveVolume& v) { out << "volume: remove " << v.volume.id << '\n'; }
  void print(std::ostream&, const Note&) {}

  Options options_;
  std::uint64_t seed_ = 1;
  std::optional<Core> core_;
  std::map<std::string, std::string> store_;
  std::map<ContainerId, std::string> names_;
  Now now_{Instant{}, WallTime(std::chrono::hours(480'000))};
};

}  // namespace banyan::agent
