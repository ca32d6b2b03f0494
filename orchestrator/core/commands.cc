// What people ask for: up, down, restart. Each is checked whole before anything changes.
#include <algorithm>
#include <utility>

#include "orchestrator/core/core.h"
#include "orchestrator/core/handover.h"
#include "orchestrator/core/left_behind.h"
#include "orchestrator/core/revision.h"
#include "orchestrator/core/stack_file.h"
#include "orchestrator/core/words.h"
#include "specs/change.h"
#include "specs/names.h"

namespace banyan::root {
namespace {

bool is_new(const specs::NodeChange& change) { return change.whole && change.effect == specs::Effect::add; }

/// One change, for programs and in words.
void tell_change(const specs::NodeChange& change, UpReply& reply) {
  const auto add = [&](const std::string& server, specs::Effect effect, const std::string& why,
                       const std::string& remedy) {
    auto* planned = reply.add_planned();
    planned->set_node(change.node);
    planned->set_server(server);
    planned->set_effect(std::string(specs::name(effect)));
    planned->set_why(why);
    planned->set_remedy(remedy);
  };
  if (change.why.empty()) return;
  if (change.servers.empty()) add("", change.effect, is_new(change) ? "" : change.why, change.remedy);
  for (const auto& server : change.servers) add(server.server, server.effect, server.why, server.remedy);
  if (change.effect != specs::Effect::keep)
    reply.add_changes(is_new(change) ? "add " + change.node : specs::describe(change));
}

/// What never ran, or has ended, is not restarted: it is tried again, or will be launched as it is wanted now.
void as_it_stands(const Node& node, specs::NodeChange& change) {
  const auto& servers = node.record.report().child().servers();
  const bool ran = node.state == State::completed || (node.record.served() && !given_up(node));
  if (ran || std::ranges::any_of(servers, [](const auto& server) { return server.pid() != 0; })) return;
  const auto replace = [&](specs::Effect& effect) {
    const bool restarts = effect == specs::Effect::restart || effect == specs::Effect::move;
    if (given_up(node) && (restarts || effect == specs::Effect::nothing)) effect = specs::Effect::retry;
    else if (restarts) effect = specs::Effect::nothing;
  };
  replace(change.effect);
  for (auto& server : change.servers) replace(server.effect);
}

/// Why it cannot be done to what runs; "" when it can.
std::string refusal_of(const std::vector<specs::NodeChange>& changes) {
  std::string refusal;
  for (const auto& change : changes)
    if (change.effect == specs::Effect::refused)
      refusal = "this change cannot be made while it runs: " + specs::describe(change);
    else if (change.whole && change.effect == specs::Effect::remove)
      refusal = "framework \"" + change.node +
                "\" runs and is not in the file any more; removing or renaming one in a running stack is not supported "
                "yet: take the stack down first";
  return refusal;
}

}  // namespace

/// What `up` will do: the difference, another try for whom was given up, and who is left behind by it.
std::vector<specs::NodeChange> Core::plan(const Stack* running, const specs::Stack& wanted) {
  auto changes = specs::judge(running == nullptr ? specs::Stack{} : running->spec, wanted);
  if (running == nullptr) return changes;
  for (auto& change : changes) {
    const auto known = running->nodes.find(change.node);
    if (known != running->nodes.end() && !change.whole && !change.why.empty()) as_it_stands(known->second, change);
  }
  for (const Node* node : running->order) {
    const auto known = std::ranges::find(changes, node->spec->name, &specs::NodeChange::node);
    const bool told = known != changes.end() && known->effect == specs::Effect::retry;
    if (given_up(*node) && !told)
      changes.push_back({node->spec->name, true, specs::Effect::retry, {}, node->record.reason(), "", {}});
  }
  for (auto& behind : left_behind(*running, wanted, changes)) changes.push_back(std::move(behind));
  return changes;
}

void Core::on(const UpAsked& input) {
  UpReply reply;
  const Bundle& bundle = input.request.bundle();
  const auto answer = [&] { effects_.emplace_back(Answer{input.call, reply}); };
  specs::Loaded loaded = load_bundle(bundle, input.programs);
  if (!loaded.stack) {
    for (const auto& diagnostic : loaded.diagnostics) reply.add_errors(specs::render(diagnostic, loaded));
    return answer();
  }
  std::vector<const specs::Stack*> others;
  for (const auto& [name, other] : stacks_)
    if (name != loaded.stack->name) others.push_back(&other.spec);
  const auto placement = judge_placement(*loaded.stack, bundle.file(), others, input.agents);
  for (const auto& error : placement.errors) reply.add_errors(specs::render(error, loaded));
  if (reply.errors_size() > 0) return answer();
  for (const auto& warning : loaded.diagnostics) reply.add_warnings(specs::render_line(warning));
  const std::string stack_name = loaded.stack->name;
  Stack* running = stacks_.contains(stack_name) ? &stacks_.at(stack_name) : nullptr;
  if (running != nullptr && running->down()) {
    reply.set_conflict("stack \"" + stack_name + "\" is being taken down; wait for that to end");
    return answer();
  }
  const auto changes = plan(running, *loaded.stack);
  if (reply.set_conflict(refusal_of(changes)); !reply.conflict().empty()) return answer();
  for (const auto& change : changes) tell_change(change, reply);
  for (const auto& warning : placement.warnings) reply.add_warnings(warning);
  if (!placement.refusals.empty()) {
    reply.set_conflict(placement.refusals.front());
    return answer();
  }
  if (input.request.dry_run()) return answer();
  const std::string hash = graph_hash(*loaded.stack);
  if (running != nullptr && running->open()) {
    const auto& present = running->record.revision();
    if (present.hash() == hash) {  // the same wish: both wait for it
      retry_given_up(*running, {});
      *reply.mutable_revision() = shown(*running, now_);
      reply.set_event(event_seq_);
      return answer();
    }
    *reply.mutable_revision() = shown(*running, now_);
    if (!input.request.supersede()) {
      reply.set_conflict("another `up` of this stack is under way");
      return answer();
    }
    close_revision(*running, "superseded", "by " + owner_of(input.request));
  }
  record_event(stack_name, "stack.accepted", bundle.file(), running == nullptr ? "up" : "up on a running stack");
  adopt(bundle.file(), std::move(*loaded.stack), changes);
  Stack& stack = stacks_.at(stack_name);
  open_revision(stack, input.request, hash);
  *reply.mutable_revision() = shown(stack, now_);
  reply.set_event(event_seq_);
  answer();
}

/// Takes the file over: new nodes wait, changed ones get a new handover, given-up ones are tried again.
void Core::adopt(const std::string& file, specs::Stack spec, const std::vector<specs::NodeChange>& changes) {
  const auto accepted = event_seq_;
  const bool fresh = !stacks_.contains(spec.name);
  Stack& stack = stacks_[spec.name];
  unreadable_.erase(spec.name);
  unindex(stack);
  stack.spec = std::move(spec);
  stack.record.set_file(file);
  store_configs(stack);
  bind(stack);
  changed_.everything = true;
  for (Node* node : stack.order) node->record.set_took_ms(0);  // what took how long is told of one revision
  std::set<std::string> changed;
  for (const auto& change : changes) {
    if (change.whole || change.why.empty() || change.effect == specs::Effect::keep) continue;
    changed.insert(change.node);
    Node& node = stack.nodes.at(change.node);
    node.story = accepted;
    node.launched_at = now_.mono;
    record_event(node, "node.changed", change.why, "up");
    if (change.scheduler == specs::Effect::restart) ask_scheduler(node);
  }
  for (Node* node : stack.order) {
    if (!node->record.state().empty()) continue;
    node->record.set_state(std::string(name(State::waiting)));
    node->story = accepted;
    touch(*node);
    record_event(*node, "node.waiting", "", fresh ? "up" : "added by up");
  }
  retry_given_up(stack, changed);
}

/// `changed`: nodes whose configuration is another one now.
void Core::retry_given_up(Stack& stack, const std::set<std::string>& changed) {
  const auto asked = event_seq_;
  for (Node* node : stack.order) {
    const bool is_changed = changed.contains(node->spec->name);
    const bool done_anew = node->state == State::completed && is_changed;
    if (!given_up(*node) && !done_anew) continue;
    // A changed configuration is a new chance in itself; asking would restart those that are well, too.
    if (node->state == State::quarantined && !is_changed) ask_servers(*node);
    node->story = asked;
    retry(*node, done_anew ? "changed by up" : "asked for by up");
  }
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
    if (stack->open()) close_revision(*stack, "superseded", "by down");
    record.set_down(true);
    record.set_volumes(record.volumes() || input.request.volumes());
    record.set_now(record.now() || input.request.now());
    record.set_deadline_ms(input.request.deadline_ms());
    if (again && record.now())
      for (auto& [node_name, node] : stack->nodes)
        if (auto* drain = std::get_if<stop::Drain>(&node.stop)) drain->deadline = now_.mono;
    save(*stack);
    for (auto& [node_name, node] : stack->nodes) mark(node);
    record_event(stack->name(), "stack.stopping", record.volumes() ? "with its volumes" : "its data is kept", "down");
    reply.set_event(event_seq_);
    changed_.everything = true;
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
  record_event(name, "stack.released", "its volumes", "down");
  for (const auto& node : waits) {
    effects_.emplace_back(ReleaseRole{name, node, specs::role(name, node)});
    effects_.emplace_back(RemoveFolder{setup_.nodes_folder + "/" + name + "." + node});
  }
}

void Core::on(const RestartAsked& input) {
  RestartReply reply;
  const auto& request = input.request;
  const Stack* stack = find(request.stack());
  Node* node = find(request.stack(), request.node());
  if (stack == nullptr) {
    reply.set_error("no such stack is running");
  } else if (node == nullptr) {
    reply.set_error("stack \"" + stack->name() + "\" has no framework \"" + request.node() + "\"");
  } else if (stack->down()) {
    reply.set_error("stack \"" + stack->name() + "\" is being taken down");
  } else {
    node->story = 0;  // what comes now was asked for
    record_event(*node, "node.restart", request.scheduler() ? "its scheduler" : "its servers", "restart");
    const bool job_again = node->state == State::completed && (in<task::None>(*node) || !request.scheduler());
    if (request.scheduler()) ask_scheduler(*node);
    else ask_servers(*node);
    if (given_up(*node) || job_again) retry(*node, "asked for by restart");
    reply.set_event(event_seq_);
  }
  effects_.emplace_back(Answer{input.call, reply});
}

/// A rolling restart of every server, by counters in the handover: said once, done once, whoever restarts meanwhile.
void Core::ask_servers(Node& node) {
  for (const auto& server : node.spec->servers) ++(*node.record.mutable_server_restarts())[server.name];
  node.target = target_of(*node.spec, node.record);
  node.stale = true;
  touch(node);
}

/// By a number that the executor acts on once. A task that is yet to start carries it as done.
void Core::ask_scheduler(Node& node) {
  node.record.set_scheduler_restarts(node.record.scheduler_restarts() + 1);
  touch(node);
  task::Out* known = out(node.task);
  if (known == nullptr) return;
  known->push_at = Instant::min();  // at once
  known->pushes = 0;
}

}  // namespace banyan::root
