// What people ask for: up, down, restart. Each is checked whole before anything changes.
#include <utility>

#include "orchestrator/core/core.h"
#include "orchestrator/core/stack_file.h"
#include "specs/plan.h"

namespace banyan::root {

void Core::on(const UpAsked& input) {
  UpReply reply;
  const Bundle& bundle = input.request.bundle();
  const auto answer = [&] { effects_.emplace_back(Answer{input.call, reply}); };
  specs::Loaded loaded = load_bundle(bundle);
  if (!loaded.stack) {
    for (const auto& diagnostic : loaded.diagnostics) reply.add_errors(specs::render(diagnostic, loaded));
    return answer();
  }
  for (const auto& warning : loaded.diagnostics) reply.add_warnings(specs::render(warning, loaded));
  const std::string stack_name = loaded.stack->name;
  Stack* running = stacks_.contains(stack_name) ? &stacks_.at(stack_name) : nullptr;
  if (running != nullptr && running->record.down()) {
    reply.set_conflict("stack \"" + stack_name + "\" is being taken down; wait for that to end");
    return answer();
  }
  std::vector<specs::StackChange> changes;
  if (running != nullptr) {
    changes = specs::compare(running->spec, *loaded.stack);
    for (const auto& change : changes)
      if (change.kind == specs::StackChange::Kind::remove)
        reply.set_conflict("framework \"" + change.node +
                           "\" runs and is not in the file any more; removing or renaming one in a running stack is "
                           "not supported yet: take the stack down first");
    if (!reply.conflict().empty()) return answer();
  }
  reply_changes(running, *loaded.stack, changes, reply);
  if (input.request.dry_run()) return answer();
  StackRecord record;
  *record.mutable_bundle() = bundle;
  tell(stack_name, "", "stack.accepted", bundle.file(), running == nullptr ? "up" : "up on a running stack");
  adopt(record, std::move(*loaded.stack), changes);
  reply.set_event(event_seq_);
  answer();
}

/// What `up` will do, in words.
void Core::reply_changes(const Stack* running, const specs::Stack& wanted,
                         const std::vector<specs::StackChange>& changes, UpReply& reply) {
  for (const auto& change : changes)
    if (change.kind == specs::StackChange::Kind::restart_servers)
      reply.add_changes("restart " + change.node + ": " + change.why);
  for (const auto& spec : wanted.nodes) {
    if (running == nullptr || !running->nodes.contains(spec.name)) {
      reply.add_changes("add " + spec.name);
      continue;
    }
    const Node& node = running->nodes.at(spec.name);
    if (node.state == State::failed || node.state == State::quarantined)
      reply.add_changes("retry " + spec.name + ": " + node.record.reason());
  }
}

/// Takes the file over: new nodes wait, changed ones get a new handover, given-up ones are tried again.
void Core::adopt(const StackRecord& record, specs::Stack spec, const std::vector<specs::StackChange>& changes) {
  const bool fresh = !stacks_.contains(spec.name);
  Stack& stack = stacks_[spec.name];
  stack.record = record;
  stack.spec = std::move(spec);
  bind(stack);
  for (const auto& change : changes) {
    if (change.kind != specs::StackChange::Kind::restart_servers) continue;
    tell(stack.spec.name, change.node, "node.changed", change.why, "up");
  }
  for (const auto& node_spec : stack.spec.nodes) {
    Node& node = stack.nodes.at(node_spec.name);
    if (node.record.state().empty()) {
      node.record.set_state(std::string(name(State::waiting)));
      node.touched = true;
      tell(stack.spec.name, node_spec.name, "node.waiting", "", fresh ? "up" : "added by up");
    } else if (node.state == State::failed || node.state == State::quarantined) {
      if (node.state == State::quarantined) ask_servers(node);
      retry(stack, node, "asked for by up");
    }
  }
  save(stack);
  changed_ = true;
}

void Core::on(const DownAsked& input) {
  DownReply reply;
  Stack* stack = find(input.request.stack());
  if (stack == nullptr) {
    reply.set_error(input.request.stack().empty() ? "which stack? there is not exactly one running; name it with -p"
                                                  : "no stack \"" + input.request.stack() + "\" is running");
  } else {
    auto& record = stack->record;
    const bool again = record.down();
    record.set_down(true);
    record.set_volumes(record.volumes() || input.request.volumes());
    record.set_now(record.now() || input.request.now());
    record.set_deadline_ms(input.request.deadline_ms());
    if (again && record.now())
      for (auto& [node_name, node] : stack->nodes)
        if (node.stop == StopStep::drain) node.stop_deadline = now_.mono;
    save(*stack);
    tell(stack->spec.name, "", "stack.stopping", record.volumes() ? "with its volumes" : "its data is kept", "down");
    reply.set_event(event_seq_);
    changed_ = true;
  }
  effects_.emplace_back(Answer{input.call, reply});
}

void Core::on(const RestartAsked& input) {
  RestartReply reply;
  const auto& request = input.request;
  Stack* stack = find(request.stack());
  if (stack == nullptr || !stack->nodes.contains(request.node())) {
    reply.set_error(stack == nullptr
                        ? "no such stack is running"
                        : "stack \"" + stack->spec.name + "\" has no framework \"" + request.node() + "\"");
  } else if (stack->record.down()) {
    reply.set_error("stack \"" + stack->spec.name + "\" is being taken down");
  } else {
    Node& node = stack->nodes.at(request.node());
    tell(stack->spec.name, request.node(), "node.restart", request.scheduler() ? "its scheduler" : "its servers",
         "restart");
    const bool given_up = node.state == State::failed || node.state == State::quarantined ||
                          (node.state == State::completed && node.phase == TaskPhase::none);
    if (request.scheduler() && node.phase == TaskPhase::running) ask_scheduler(node);
    else ask_servers(node);
    if (given_up) retry(*stack, node, "asked for by restart");
    reply.set_event(event_seq_);
  }
  effects_.emplace_back(Answer{input.call, reply});
}

/// A rolling restart of every server, by counters in the handover: said once, done once, whoever restarts meanwhile.
void Core::ask_servers(Node& node) {
  for (const auto& server : node.spec->servers) ++(*node.record.mutable_server_restarts())[server.name];
  node.dirty = true;
  node.touched = true;
}

void Core::ask_scheduler(const Node& node) {
  ToExecutor words;
  words.set_restart(true);
  mesos::v1::scheduler::Call call;
  call.set_type(mesos::v1::scheduler::Call::MESSAGE);
  call.mutable_message()->mutable_agent_id()->set_value(node.record.agent_id());
  call.mutable_message()->mutable_executor_id()->set_value(node.record.task_id());
  call.mutable_message()->set_data(words.SerializeAsString());
  send(call);
}

}  // namespace banyan::root
