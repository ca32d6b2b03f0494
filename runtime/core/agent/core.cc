#include "runtime/core/agent/core.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace banyan::agent {

Core::Core(Options options, std::uint64_t seed, State state)
    : options_(options), rng_(seed), state_(std::move(state)) {}

std::vector<Effect> Core::step(Now now, const Input& input) {
  now_ = now;
  std::visit([this](const auto& what) { on(what); }, input);
  if (!changes_.empty()) effects_.insert(effects_.begin(), Persist{std::exchange(changes_, {})});
  return std::exchange(effects_, {});
}

Run* Core::find_run(const FrameworkId& framework, const ExecutorId& executor) {
  return const_cast<Run*>(std::as_const(*this).find_run(framework, executor));
}

const Run* Core::find_run(const FrameworkId& framework, const ExecutorId& executor) const {
  for (const auto& [id, run] : state_.runs)
    if (run.framework == framework && run.executor == executor) return &run;
  return nullptr;
}

Task* Core::find_task(const FrameworkId& framework, const TaskId& id) {
  const auto it = state_.tasks.find({framework, id});
  return it == state_.tasks.end() ? nullptr : &it->second;
}

std::vector<Task*> Core::tasks_of(const ContainerId& container) {
  std::vector<Task*> tasks;
  for (auto& [key, task] : state_.tasks)
    if (task.container == container) tasks.push_back(&task);
  return tasks;
}

Status Core::status(const Task& task, TaskState state) const {
  Status s;
  s.task = task.description.id;
  s.state = state;
  s.container = task.container;
  const auto run = state_.runs.find(task.container);
  if (run == state_.runs.end()) return s;
  s.pid = run->second.pid;
  // The built-in executor speaks as an executor does, and names itself.
  if (!run->second.custom) {
    s.from_executor = true;
    s.executor = run->second.executor;
  }
  return s;
}

TaskState Core::dropped(const FrameworkId& id) const {
  const auto framework = state_.frameworks.find(id);
  const bool aware = framework != state_.frameworks.end() && framework->second.partition_aware;
  return aware ? TaskState::dropped : TaskState::lost;
}

std::string Core::framework_info(const FrameworkId& id) const {
  const auto framework = state_.frameworks.find(id);
  return framework == state_.frameworks.end() ? std::string() : framework->second.info;
}

void Core::save(Changes changes) {
  for (auto& change : changes) save(std::move(change));
}

std::optional<Core::Refusal> Core::refuse(const FrameworkId& framework, const ExecutorId& executor,
                                          bool subscribe) const {
  if (!state_.frameworks.contains(framework)) return Refusal{400, "Framework cannot be found"};
  const Run* run = find_run(framework, executor);
  if (run == nullptr || !run->custom) return Refusal{400, "Executor cannot be found"};
  if (!subscribe && !run->connection) return Refusal{403, "Executor is not subscribed"};
  return std::nullopt;
}

std::string Core::summary() const {
  std::string text = registered_ ? "registered" : link_open_ ? "registering" : "alone";
  if (!state_.agent.empty()) text += " as " + state_.agent.str();
  text += "; runs:";
  for (const auto& [id, run] : state_.runs) {
    text += ' ' + run.executor.str() + (run.pid != 0 ? "" : "(launching)") + (run.stopping ? "(stopping)" : "");
    if (run.custom && run.pid != 0 && !run.connection) text += "(away)";
  }
  text += "; tasks:";
  for (const auto& [key, task] : state_.tasks) {
    text += ' ' + key.task.str() + '=' + std::string(name(task.last.state).substr(5));
    if (!task.unacknowledged.empty()) text += '+' + std::to_string(task.unacknowledged.size());
  }
  return text;
}

void Core::check_invariants() const {
  BANYAN_CHECK(link_open_ == silence_at_.has_value());
  for (const auto& [id, framework] : state_.frameworks) {
    const auto of = [&id](const auto& entry) { return entry.second.framework == id; };
    BANYAN_CHECK(std::any_of(state_.tasks.begin(), state_.tasks.end(), of) ||
                 std::any_of(state_.runs.begin(), state_.runs.end(), of));  // an idle one is forgotten
  }
  for (const auto& id : state_.gone) BANYAN_CHECK(state_.frameworks.contains(id));
  for (const auto& [key, task] : state_.tasks) {
    BANYAN_CHECK(key.framework == task.framework);
    BANYAN_CHECK(task.ended() || state_.runs.contains(task.container));  // an unfinished task has its container
    BANYAN_CHECK(!task.ended() || !task.unacknowledged.empty());         // an acknowledged end is forgotten
    for (std::size_t i = 0; i + 1 < task.unacknowledged.size(); ++i)
      BANYAN_CHECK(!is_terminal(task.unacknowledged[i].state));  // nothing after the end
    if (!task.unacknowledged.empty()) BANYAN_CHECK(task.unacknowledged.back().uuid == task.last.uuid);
    BANYAN_CHECK(task.resend_at.has_value() == (registered_ && !task.unacknowledged.empty()));  // until acknowledged
    BANYAN_CHECK(!task.ended() || !(task.kill_at || task.check_at || task.overrun_at));
  }
  for (const auto& [id, run] : state_.runs) {
    BANYAN_CHECK(id == run.id);
    BANYAN_CHECK(state_.frameworks.contains(run.framework));
    BANYAN_CHECK(find_run(run.framework, run.executor) == &run);  // one run per executor
    BANYAN_CHECK(!run.connection || !run.subscribe_by);
  }
  BANYAN_CHECK(state_.ended.size() <= options_.sandboxes_max);
}

}  // namespace banyan::agent
