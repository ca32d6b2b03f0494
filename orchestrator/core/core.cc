#include "orchestrator/core/core.h"

#include <utility>

#include "orchestrator/core/timeouts.h"

namespace banyan::root {
namespace {

/// Time in which nobody could be heard does not count against anybody.
void shift(Node& node, Duration away) {
  node.since += away;
  node.begun += away;
  if (node.serving_since) *node.serving_since += away;
  if (auto* running = std::get_if<task::Running>(&node.task)) running->since += away;
  if (auto* silent = std::get_if<task::Unreachable>(&node.task)) silent->since += away;
  if (auto* drain = std::get_if<stop::Drain>(&node.stop)) drain->deadline += away;
}

}  // namespace

Core::Core(Now now, Setup setup, const std::map<std::string, std::string>& stored)
    : setup_(std::move(setup)), now_(now) {
  load(stored);
  frozen_since_ = now.mono;
}

std::vector<Core::Effect> Core::step(Now now, const Input& input) {
  now_ = now;
  effects_.clear();
  changed_ = {};
  std::visit([this](const auto& in) { on(in); }, input);
  settle();
  std::vector<Effect> all;
  if (!changes_.empty()) all.emplace_back(Persist{std::exchange(changes_, {})});
  std::move(effects_.begin(), effects_.end(), std::back_inserter(all));
  if (!changed_.empty()) all.emplace_back(std::exchange(changed_, {}));
  return all;
}

std::optional<Instant> Core::next_deadline() const {
  if (!connected_) return std::nullopt;  // frozen
  const auto node = due_.first(), revision = revisions_due_.first();
  if (!node || !revision) return node ? node : revision;
  return std::min(*node, *revision);
}

void Core::on(const Tick&) {}

void Core::on(const Subscribed&) {
  if (connected_) return;
  const Duration away = frozen_since_ ? now_.mono - *frozen_since_ : Duration(0);
  connected_ = true;
  frozen_since_.reset();
  reviving_ = true;  // a subscription starts with offers flowing
  changed_.everything = true;
  record_event("", "master.connected", "", "");

  mesos::v1::scheduler::Call call;
  call.set_type(mesos::v1::scheduler::Call::RECONCILE);
  call.mutable_reconcile();
  send(call);  // implicit: shows tasks we do not know, to be killed
  for (auto& [stack_name, stack] : stacks_) {
    stack.revision_deadline += away;
    if (stack.open()) save(stack);
    for (auto& [node_name, node] : stack.nodes) {
      shift(node, away);
      mark(node);
      if (auto* teardown = std::get_if<stop::Teardown>(&node.stop)) teardown->asked = false;  // its answer may be lost
      task::Out* known = out(node.task);
      if (known == nullptr) continue;
      known->unknown_since.reset();
      reconcile(node);
      known->reconcile_at = now_.mono + timeouts::reconcile;
      known->report_wanted = in<task::Running>(node);
      if (known->report_wanted) known->push_at = now_.mono;
    }
  }
}

void Core::on(const Disconnected& input) {
  if (!connected_) return;
  connected_ = false;
  frozen_since_ = now_.mono;
  reviving_ = false;
  changed_.everything = true;
  record_event("", "master.disconnected", input.reason, "");
}

Stack* Core::find(const std::string& stack) {
  if (stack.empty() && stacks_.size() == 1) return &stacks_.begin()->second;
  const auto found = stacks_.find(stack);
  return found == stacks_.end() ? nullptr : &found->second;
}

Node* Core::find(const std::string& stack, const std::string& node) {
  Stack* known = find(stack);
  if (known == nullptr) return nullptr;
  const auto found = known->nodes.find(node);
  return found == known->nodes.end() ? nullptr : &found->second;
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
