#include "orchestrator/core/core.h"

#include <algorithm>
#include <utility>

#include "orchestrator/core/patience.h"
#include "runtime/base/check.h"

namespace banyan::root {

Core::Core(Now now, Setup setup, const std::map<std::string, std::string>& stored)
    : setup_(std::move(setup)), now_(now) {
  load(stored);
  frozen_since_ = now.mono;
}

std::vector<Core::Effect> Core::step(Now now, const Input& input) {
  now_ = now;
  effects_.clear();
  changed_ = false;
  std::visit([this](const auto& in) { on(in); }, input);
  settle();
  std::vector<Effect> all;
  if (!changes_.empty()) all.emplace_back(Persist{std::exchange(changes_, {})});
  std::move(effects_.begin(), effects_.end(), std::back_inserter(all));
  if (changed_) all.emplace_back(StatusChanged{});
  return all;
}

void Core::on(const Tick&) {}

void Core::on(const Subscribed&) {
  if (connected_) return;
  // Time in which nobody could be heard does not count against anybody.
  const Duration away = frozen_since_ ? now_.mono - *frozen_since_ : Duration(0);
  connected_ = true;
  frozen_since_.reset();
  reviving_ = true;  // a subscription starts with offers flowing
  changed_ = true;
  tell("", "", "master.connected", "", "");

  mesos::v1::scheduler::Call call;
  call.set_type(mesos::v1::scheduler::Call::RECONCILE);
  call.mutable_reconcile();
  send(call);  // implicit: shows tasks we do not know, to be killed
  for (auto& [stack_name, stack] : stacks_) {
    stack.revision_deadline += away;
    if (open(stack)) save(stack);
  }
  for (auto& [stack_name, stack] : stacks_)
    for (auto& [node_name, node] : stack.nodes) {
      for (Instant* clock : {&node.since, &node.phase_since, &node.begun, &node.stop_deadline}) *clock += away;
      if (node.serving_since) *node.serving_since += away;
      node.unknown_since.reset();
      if (node.record.task_id().empty()) continue;
      reconcile(node);
      node.reconcile_at = now_.mono + patience::reconcile;
      node.report_wanted = node.phase == TaskPhase::running;
      if (node.report_wanted) node.push_at = now_.mono;
    }
}

void Core::on(const Disconnected& input) {
  if (!connected_) return;
  connected_ = false;
  frozen_since_ = now_.mono;
  reviving_ = false;
  changed_ = true;
  tell("", "", "master.disconnected", input.reason, "");
}

std::optional<Instant> Core::next_deadline() const {
  if (!connected_) return std::nullopt;  // frozen
  std::optional<Instant> next;
  const auto consider = [&](std::optional<Instant> at) {
    // What the last step has seen pass and left alone will not be moved by another tick.
    if (at && *at > now_.mono && (!next || *at < *next)) next = at;
  };
  for (const auto& [stack_name, stack] : stacks_) {
    if (open(stack)) consider(stack.revision_deadline);
    for (const auto& [node_name, node] : stack.nodes)
      for (const auto at : deadlines_of(stack, node)) consider(at);
  }
  return next;
}

Core::Stack* Core::find(const std::string& stack) {
  if (stack.empty() && stacks_.size() == 1) return &stacks_.begin()->second;
  const auto found = stacks_.find(stack);
  return found == stacks_.end() ? nullptr : &found->second;
}

std::pair<Core::Stack*, Core::Node*> Core::find_task(const std::string& task_id) {
  for (auto& [stack_name, stack] : stacks_)
    for (auto& [node_name, node] : stack.nodes)
      if (!task_id.empty() && node.record.task_id() == task_id) return {&stack, &node};
  return {nullptr, nullptr};
}

std::string Core::summary() const {
  std::string text;
  for (const auto& [stack_name, stack] : stacks_) {
    if (!text.empty()) text += '\n';
    text += stack_name + ":";
    for (const auto& spec : stack.spec.nodes)
      text += " " + spec.name + "=" + std::string(name(stack.nodes.at(spec.name).state));
  }
  return text;
}

void Core::check_invariants() const {
  for (const auto& [stack_name, stack] : stacks_)
    for (const auto& [node_name, node] : stack.nodes) {
      BANYAN_CHECK(node.spec != nullptr);
      const bool out =
          node.phase == TaskPhase::launched || node.phase == TaskPhase::running || node.phase == TaskPhase::unreachable;
      BANYAN_CHECK(out == !node.record.task_id().empty());
      BANYAN_CHECK(!out || node.record.used());
      BANYAN_CHECK(node.state != State::stopped || !out);
      BANYAN_CHECK(node.state != State::waiting || node.phase == TaskPhase::none);
      BANYAN_CHECK(node.confirmed || out);  // what has no task cannot be unknown
      BANYAN_CHECK(!open(stack) || !stack.record.down());
      BANYAN_CHECK(node.record.handover().version() >= node.record.report().handover_version() ||
                   !node.record.has_handover());
      // Teardown is the reverse: nothing stops before all that need it have stopped.
      if (node.state == State::stopping || (stack.record.down() && node.state == State::stopped))
        for (const auto& dependant : stack.dependants.at(node_name))
          BANYAN_CHECK(stack.nodes.at(dependant).state == State::stopped);
    }
}

mesos::v1::FrameworkInfo framework_info(const std::string& user) {
  mesos::v1::FrameworkInfo info;
  info.set_user(user);
  info.set_name(root_framework);
  info.mutable_id()->set_value(root_framework);
  info.add_roles(root_framework);
  info.set_checkpoint(true);
  info.set_failover_timeout(7 * 24 * 3600);
  for (const auto type :
       {mesos::v1::FrameworkInfo::Capability::MULTI_ROLE, mesos::v1::FrameworkInfo::Capability::RESERVATION_REFINEMENT,
        mesos::v1::FrameworkInfo::Capability::PARTITION_AWARE})
    info.add_capabilities()->set_type(type);
  return info;
}

}  // namespace banyan::root
