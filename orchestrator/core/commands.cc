// What people ask for: up, down, restart. Each is checked whole before anything changes.
#include <utility>

#include "orchestrator/core/core.h"
#include "orchestrator/core/revision.h"
#include "orchestrator/core/stack_file.h"
#include "orchestrator/core/words.h"
#include "specs/change.h"
#include "specs/names.h"

namespace banyan::root {
namespace {

void plan_of(const specs::NodeChange& change, UpReply& reply) {
  const auto add = [&](const std::string& server, specs::Effect effect, const std::string& why,
                       const std::string& remedy) {
    auto* planned = reply.add_planned();
    planned->set_node(change.node);
    planned->set_server(server);
    planned->set_effect(std::string(specs::name(effect)));
    planned->set_why(why);
    planned->set_remedy(remedy);
  };
  if (change.whole || (change.servers.empty() && !change.why.empty()))
    add("", change.effect, change.why, change.remedy);
  for (const auto& server : change.servers) add(server.server, server.effect, server.why, server.remedy);
}

}  // namespace

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
  std::vector<specs::NodeChange> changes;
  if (running != nullptr) {
    changes = specs::judge(running->spec, *loaded.stack);
    for (const auto& change : changes)
      if (change.effect == specs::Effect::refused)
        reply.set_conflict("this change cannot be made while it runs: " + specs::describe(change));
      else if (change.whole && change.effect == specs::Effect::remove)
        reply.set_conflict("framework \"" + change.node +
                           "\" runs and is not in the file any more; removing or renaming one in a running stack is "
                           "not supported yet: take the stack down first");
    if (!reply.conflict().empty()) return answer();
  }
  reply_changes(running, *loaded.stack, changes, reply);
  if (input.request.dry_run()) return answer();
  const std::string hash = graph_hash(*loaded.stack);
  if (running != nullptr && open(*running)) {
    const auto& present = running->record.revision();
    *reply.mutable_revision() = shown(*running, now_);
    if (present.hash() == hash) {  // the same wish: both wait for it
      reply.set_event(event_seq_);
      return answer();
    }
    if (!input.request.supersede()) {
      reply.set_conflict("revision " + std::to_string(present.number()) + " of " + present.owner() + " is open for " +
                         words(std::chrono::milliseconds(reply.revision().age_ms())) + ": " + step_of(*running) +
                         "; wait for it, or say --supersede");
      return answer();
    }
    close_revision(*running, "superseded", "by " + owner_of(input.request));
  }
  tell(stack_name, "", "stack.accepted", bundle.file(), running == nullptr ? "up" : "up on a running stack");
  adopt(bundle.file(), std::move(*loaded.stack), changes);
  Stack& stack = stacks_.at(stack_name);
  open_revision(stack, input.request, hash);
  *reply.mutable_revision() = shown(stack, now_);
  reply.set_event(event_seq_);
  answer();
}

/// What `up` will do, in words.
void Core::reply_changes(const Stack* running, const specs::Stack& wanted,
                         const std::vector<specs::NodeChange>& changes, UpReply& reply) {
  for (const auto& change : changes)
    if (!change.whole && !change.why.empty()) reply.add_changes(specs::describe(change));
  for (const auto& spec : wanted.nodes) {
    if (running == nullptr || !running->nodes.contains(spec.name)) {
      reply.add_changes("add " + spec.name);
      continue;
    }
    const Node& node = running->nodes.at(spec.name);
    if (node.state == State::failed || node.state == State::quarantined)
      reply.add_changes("retry " + spec.name + ": " + node.record.reason());
  }
  for (const auto& change : changes) plan_of(change, reply);
  if (running != nullptr) return;
  for (const auto& spec : wanted.nodes) {
    auto* planned = reply.add_planned();
    planned->set_node(spec.name);
    planned->set_effect("add");
  }
}

/// Takes the file over: new nodes wait, changed ones get a new handover, given-up ones are tried again.
void Core::adopt(const std::string& file, specs::Stack spec, const std::vector<specs::NodeChange>& changes) {
  const bool fresh = !stacks_.contains(spec.name);
  Stack& stack = stacks_[spec.name];
  unreadable_.erase(spec.name);
  stack.spec = std::move(spec);
  stack.record.set_file(file);
  store_configs(stack);
  bind(stack);
  std::set<std::string> changed;
  for (const auto& change : changes) {
    if (change.whole || change.why.empty()) continue;
    changed.insert(change.node);
    tell(stack.spec.name, change.node, "node.changed", change.why, "up");
    if (change.scheduler == specs::Effect::restart) ask_scheduler(stack.nodes.at(change.node));
  }
  for (const auto& node_spec : stack.spec.nodes) {
    Node& node = stack.nodes.at(node_spec.name);
    if (node.record.state().empty()) {
      node.record.set_state(std::string(name(State::waiting)));
      node.touched = true;
      tell(stack.spec.name, node_spec.name, "node.waiting", "", fresh ? "up" : "added by up");
    } else if (node.state == State::failed || node.state == State::quarantined) {
      // A changed configuration is a new chance in itself; asking would restart those that are well, too.
      if (node.state == State::quarantined && !changed.contains(node_spec.name)) ask_servers(node);
      retry(stack, node, "asked for by up");
    } else if (node.state == State::completed && changed.contains(node_spec.name)) {
      retry(stack, node, "changed by up");
    }
  }
  changed_ = true;
}

void Core::on(const DownAsked& input) {
  DownReply reply;
  Stack* stack = find(input.request.stack());
  if (stack == nullptr && input.request.volumes() && !input.request.stack().empty()) return down_of_stopped(input);
  if (stack == nullptr) {
    reply.set_error(input.request.stack().empty() ? "which stack? there is not exactly one running; name it with -p"
                                                  : "no stack \"" + input.request.stack() + "\" is running");
  } else {
    auto& record = stack->record;
    const bool again = record.down();
    if (open(*stack)) close_revision(*stack, "superseded", "by down");
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

/// Its reservations and volumes are all that is left of a stack that is down; answered once they are gone.
void Core::down_of_stopped(const DownAsked& input) {
  const auto& name = input.request.stack();
  auto& waits = releasing_[input.call];
  for (const auto& [key, record] : past_)
    if (key.starts_with(name + ".")) waits.insert(key.substr(name.size() + 1));
  if (waits.empty()) {
    releasing_.erase(input.call);
    DownReply reply;
    reply.set_error("no stack \"" + name + "\" is running, and none of that name has left data");
    effects_.emplace_back(Answer{input.call, reply});
    return;
  }
  tell(name, "", "stack.released", "its volumes", "down");
  for (const auto& node : waits) {
    effects_.emplace_back(ReleaseRole{name, node, specs::role(name, node)});
    effects_.emplace_back(RemoveFolder{setup_.nodes_folder + "/" + name + "." + node});
  }
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
    if (request.scheduler()) ask_scheduler(node);
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

/// By a number that the executor acts on once. A task that is yet to start carries it as done.
void Core::ask_scheduler(Node& node) {
  node.record.set_scheduler_restarts(node.record.scheduler_restarts() + 1);
  node.touched = true;
  node.push_at = Instant::min();  // at once
  node.pushes = 0;
}

}  // namespace banyan::root
