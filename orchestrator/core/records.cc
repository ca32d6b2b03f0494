// What the root remembers, and how it takes up where it was.
#include <cstdio>
#include <utility>

#include "orchestrator/core/core.h"
#include "orchestrator/core/patience.h"
#include "orchestrator/core/stack_file.h"
#include "runtime/base/check.h"
#include "runtime/base/limits.h"

namespace banyan::root {
namespace {

std::string event_key(std::uint64_t seq) {
  char key[32];
  std::snprintf(key, sizeof key, "event/%020llu", static_cast<unsigned long long>(seq));
  return key;
}

}  // namespace

specs::Loaded load_bundle(const Bundle& bundle) {
  specs::Source source;
  source.file = bundle.file();
  source.text = bundle.text();
  source.profile = bundle.profile();
  source.vars = {bundle.vars().begin(), bundle.vars().end()};
  source.read_file = [&bundle](const std::string& path) -> Result<std::string> {
    const auto found = bundle.files().find(path);
    if (found == bundle.files().end()) return error("the bundle does not hold " + path);
    return found->second;
  };
  source.digest_file = [&bundle](const std::string& path) -> Result<std::string> {
    const auto found = bundle.local_files().find(path);
    if (found == bundle.local_files().end()) return error("the bundle does not hold " + path);
    return found->second;
  };
  return specs::load(source);
}

void Core::load(const std::map<std::string, std::string>& stored) {
  std::vector<StackRecord> stack_records;
  for (const auto& [key, value] : stored) {
    if (key.starts_with("event/")) {
      Event event;
      if (event.ParseFromString(value)) events_.push_back(std::move(event));
    } else if (key.starts_with("stack/")) {
      StackRecord record;
      if (record.ParseFromString(value)) stack_records.push_back(std::move(record));
    } else if (key.starts_with("node/")) {
      NodeRecord record;
      if (record.ParseFromString(value)) past_[key.substr(5)] = std::move(record);
    }
  }
  if (!events_.empty()) event_seq_ = events_.back().seq();
  for (const auto& record : stack_records) load_stack(record);
}

void Core::load_stack(const StackRecord& record) {
  specs::Loaded loaded = load_bundle(record.bundle());
  BANYAN_CHECK(loaded.stack.has_value());  // it was accepted once, and its text has not changed
  Stack& stack = stacks_[loaded.stack->name];
  stack.record = record;
  stack.spec = std::move(*loaded.stack);
  bind(stack);
  for (auto& [node_name, node] : stack.nodes) {
    const bool out = !node.record.task_id().empty();
    node.state = state_named(node.record.state()).value_or(State::waiting);
    if (node.state == State::stopped && !record.down()) node.state = State::waiting;
    node.timed_out = node.record.timed_out();
    // What runs is not known yet: the record only says what to ask the master about.
    if (out) node.phase = node.state == State::launching ? TaskPhase::launched : TaskPhase::running;
    else if (node.state == State::launching || node.state == State::starting || node.state == State::serving ||
             node.state == State::degraded)
      node.phase = TaskPhase::wanted;
    if (node.state == State::serving) node.serving_since = now_.mono;
    if (node.state == State::launching) node.launched_at = now_.mono;
    if (node.state != State::stopping) continue;
    node.stop = node.record.handover().drain() && out ? StopStep::drain : StopStep::teardown;
    node.stop_deadline = now_.mono + patience::drain;
    node.torn_down = !node.record.used();
  }
}

/// Ties nodes to the stack's spec: one per framework in it, with the record of an earlier life if there is one.
void Core::bind(Stack& stack) {
  stack.dependants.clear();
  for (const auto& spec : stack.spec.nodes) {
    const auto [it, added] = stack.nodes.try_emplace(spec.name);
    Node& node = it->second;
    node.spec = &spec;
    node.dirty = true;
    stack.dependants[spec.name];
    for (const auto& edge : spec.edges) stack.dependants[edge.on].push_back(spec.name);
    if (!added) continue;
    if (const auto past = past_.extract(stack.spec.name + "." + spec.name)) {
      node.record = past.mapped();
      if (node.record.state() == name(State::stopped) && !stack.record.down()) node.record.clear_state();
    }
    if (node.record.incarnation() == 0) node.record.set_incarnation(1);
    for (Instant* clock : {&node.since, &node.phase_since, &node.begun}) *clock = now_.mono;
  }
}

void Core::save(const Stack& stack, Node& node) {
  node.touched = false;
  changes_.push_back({"node/" + stack.spec.name + "." + node.spec->name, node.record.SerializeAsString()});
}

void Core::save(const Stack& stack) {
  changes_.push_back({"stack/" + stack.spec.name, stack.record.SerializeAsString()});
}

void Core::tell(const std::string& stack, const std::string& node, const std::string& kind, const std::string& detail,
                const std::string& cause) {
  Event event;
  event.set_seq(++event_seq_);
  event.set_wall_ms(milliseconds(now_.wall.time_since_epoch()));
  event.set_mono_ms(static_cast<std::uint64_t>(milliseconds(now_.mono.time_since_epoch())));
  event.set_stack(stack);
  event.set_node(node);
  event.set_kind(kind);
  event.set_detail(detail);
  event.set_cause(cause);
  changes_.push_back({event_key(event.seq()), event.SerializeAsString()});
  events_.push_back(event);
  if (events_.size() > limits::event_log_max) {
    changes_.push_back({event_key(events_.front().seq()), std::nullopt});
    events_.pop_front();
  }
  effects_.emplace_back(Announce{std::move(event)});
}

}  // namespace banyan::root
