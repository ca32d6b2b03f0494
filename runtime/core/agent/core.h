// The agent: what runs on one machine, told from one thread.
//
// It takes tasks from the master, wants containers for them, passes calls between executors and the master, and keeps
// every status update until it is acknowledged. It never starts a process, opens a socket or looks at a clock: see
// runtime/adapters/posix and runtime/bin/agent.
//
// Rules, and where they come from:
//  - One step is one atomic write, and nothing the step says leaves before that write is durable (driver.h).
//  - A task id starts at most once: a second RunTask for a known id changes nothing.
//  - Updates of one task leave in order, one in flight, again with doubling pauses until acknowledged (Mesos' status
//    update manager).
//  - A task is over when ContainerEnded says that no process is left; then, and only then, its last status is made.
//  - An older master's word (epoch) is refused.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/limits.h"
#include "runtime/base/result.h"
#include "runtime/base/rng.h"
#include "runtime/core/agent/effect.h"
#include "runtime/core/agent/input.h"
#include "runtime/core/agent/state.h"

namespace banyan::agent {

struct Options {
  Duration executor_registration_timeout = limits::executor_registration_timeout;
  Duration executor_reregistration_timeout = limits::executor_reregistration_timeout;
  std::size_t sandboxes_max = 100;  ///< sandboxes of ended runs that are kept, oldest go first
};

/// THREADS: one.
class Core {
 public:
  using Input = agent::Input;
  using Effect = agent::Effect;

  /// `state`: what checkpoint::load() gave. The world then tells, for each of its runs, ContainerStarted (it still
  /// runs) or ContainerEnded, before it opens the link.
  Core(Options options, std::uint64_t seed, State state = {});

  std::vector<Effect> step(Now now, const Input& input);
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  /// Why a call of this executor is refused (the HTTP answer); nothing: deliver it.
  struct Refusal {
    unsigned status = 400;
    std::string text;
  };
  [[nodiscard]] std::optional<Refusal> refuse(const FrameworkId& framework, const ExecutorId& executor,
                                              bool subscribe) const;

  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] bool registered() const { return registered_; }
  /// The last ended tasks, oldest first, at most limits::completed_tasks_max.
  [[nodiscard]] const std::deque<Task>& completed() const { return completed_; }

  /// Why the master has refused this agent, until it takes it; empty: it has not.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  /// One line: what is registered, running, unacknowledged.
  [[nodiscard]] std::string summary() const;
  void check_invariants() const;

 private:
  // master.cc
  void on(const LinkOpened&);
  void on(const LinkClosed&);
  void on(const Registered&);
  void on(const Refused&);
  void on(const Ping&);
  void on(const SchedulerMessage&);
  void on(const UpdateFramework&);
  void on(const Apply&);
  void send_register();
  // tasks.cc
  void on(const RunTask&);
  void on(const KillTask&);
  void on(const CheckDone&);
  void run_command_task(const RunTask&);
  void run_executor_task(const RunTask&);
  void refuse_task(const RunTask&, TaskState, Reason, const std::string& message);
  void kill_command_task(Task&, Run&, std::optional<Duration> grace);
  void kill_executor_task(Task&, Run&, std::optional<Duration> grace);
  Task& add_task(const RunTask&, const ContainerId&);
  // executors.cc
  void on(const ShutdownExecutor&);
  void on(const ShutdownFramework&);
  void on(const ExecutorSubscribe&);
  void on(const ExecutorUpdate&);
  void on(const ExecutorMessage&);
  void on(const ExecutorDisconnected&);
  void take_back(Run&, const ExecutorSubscribe&);
  void deliver_tasks(Run&);
  void shut_down(Run&);
  void shut_down_framework(const FrameworkId&);
  // containers.cc
  void on(const ContainerStarted&);
  void on(const PortsChanged&);
  void take_back_running(Task&, const ContainerStarted&);
  void on(const ContainerEnded&);
  void destroy(Run&, Reason, std::string message);
  void end_command_task(const Run&, Task&, const ContainerEnded&);
  void end_executor_tasks(const Run&, const ContainerEnded&);
  void keep_sandbox(const Run&);
  Run& add_run(const RunTask&);
  // updates.cc
  void on(const Acknowledge&);
  void queue(Task&, Status);
  void drop_old_news(const TaskKey& key, Task& task);
  void queue_news(Task&, Status);
  void send_first(const TaskKey&, Task&);
  void send_all(const std::optional<FrameworkId>&);  ///< the first update of each task (of one framework) at once
  void forget_task(const TaskKey&);
  void forget_framework_if_idle(const FrameworkId&);
  // deadlines.cc
  void on(const Tick&);
  void tick_task(Task&);
  void tick_run(Run&);

  [[nodiscard]] Run* find_run(const FrameworkId&, const ExecutorId&);
  [[nodiscard]] const Run* find_run(const FrameworkId&, const ExecutorId&) const;
  [[nodiscard]] Task* find_task(const FrameworkId&, const TaskId&);
  [[nodiscard]] std::vector<Task*> tasks_of(const ContainerId&);
  [[nodiscard]] Status status(const Task&, TaskState) const;
  [[nodiscard]] TaskState dropped(const FrameworkId&) const;  ///< TASK_DROPPED or, for the unaware, TASK_LOST
  [[nodiscard]] std::string framework_info(const FrameworkId&) const;
  void save(Change change) { changes_.push_back(std::move(change)); }
  void save(Changes changes);
  void want(Effect effect) { effects_.push_back(std::move(effect)); }
  void heard();  ///< the master spoke
  void leave();  ///< no master takes updates any more

  Options options_;
  Rng rng_;
  State state_;
  std::deque<Task> completed_;
  bool link_open_ = false;
  bool registered_ = false;
  std::string refusal_;
  std::optional<Instant> silence_at_;  ///< the link is dropped then
  std::set<TaskKey> started_;          ///< ids that ran and were acknowledged: never again; bounded like completed_

  // of the present step
  Now now_{};
  Changes changes_;
  std::vector<Effect> effects_;
};

}  // namespace banyan::agent
