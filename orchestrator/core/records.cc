// What the root remembers, and how it takes up where it was.
#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

#include "orchestrator/core/core.h"
#include "orchestrator/core/handover.h"
#include "orchestrator/core/patience.h"
#include "orchestrator/core/stack_file.h"
#include "runtime/base/check.h"
#include "runtime/base/fnv.h"
#include "runtime/base/limits.h"
#include "specs/node_json.h"

namespace banyan::root {
namespace {

std::string event_key(std::uint64_t seq) {
  char key[32];
  std::snprintf(key, sizeof key, "event/%020llu", static_cast<unsigned long long>(seq));
  return key;
}

/// An endpoint that the node does not declare (any more) is offered to nobody. Another program's are its own.
void drop_undeclared(const specs::Node& spec, NodeRecord& record) {
  auto& endpoints = *record.mutable_endpoints();
  for (int i = endpoints.size(); i-- > 0;)
    if (spec.scheduler.service && !spec.endpoints.contains(endpoints[i].name())) endpoints.DeleteSubrange(i, 1);
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
  std::map<std::string, StackRecord> stack_records;
  for (const auto& [key, value] : stored) {
    if (key.starts_with("event/")) {
      Event event;
      if (event.ParseFromString(value)) events_.push_back(std::move(event));
    } else if (key.starts_with("stack/")) {
      if (!stack_records[key.substr(6)].ParseFromString(value)) unreadable_[key.substr(6)] = "its record is damaged";
    } else if (key.starts_with("node/")) {
      NodeRecord record;
      if (record.ParseFromString(value)) past_[key.substr(5)] = std::move(record);
      else unreadable_[key.substr(5, key.find('.') - 5)] = "the record of " + key.substr(5) + " is damaged";
    } else if (key.starts_with("history/")) {
      histories_[key.substr(8)].ParseFromString(value);
    }
  }
  if (!events_.empty()) event_seq_ = events_.back().seq();
  for (auto& [name, record] : stack_records)
    if (!unreadable_.contains(name)) load_stack(name, std::move(record), stored);
  for (const auto& [name, why] : unreadable_) tell(name, "", "stack.unreadable", why, "it is left as it is");
}

/// The graph as it was resolved; of a record without schema, by its text once more. What cannot be read is named, and
/// keeps nobody else from starting.
void Core::load_stack(const std::string& name, StackRecord record, const std::map<std::string, std::string>& stored) {
  specs::Stack spec;
  if (record.schema() > record_schema) {
    unreadable_[name] = "it was written by a later version of Banyan (schema " + std::to_string(record.schema()) + ")";
    return;
  }
  if (record.schema() == 0) {
    specs::Loaded loaded = load_bundle(record.bundle());
    if (!loaded.stack) {
      unreadable_[name] = "this version does not accept its file any more: " + loaded.diagnostics.front().message;
      return;
    }
    spec = std::move(*loaded.stack);
    record.set_file(record.bundle().file());
  }
  spec.name = name;
  spec.file = record.file();
  for (const auto& node : record.nodes()) {
    const auto config = stored.find("config/" + node.config());
    auto read = config == stored.end() ? Result<specs::Node>(error("its configuration is missing"))
                                       : specs::node_from_json(config->second);
    if (!read) {
      unreadable_[name] = node.name() + ": " + read.error().message;
      return;
    }
    spec.nodes.push_back(std::move(*read));
  }
  Stack& stack = stacks_[name];
  stack.spec = std::move(spec);
  stack.record = std::move(record);
  if (stack.record.schema() == 0) store_configs(stack);
  stack.revision_deadline = now_.mono + time_left(stack.record);
  bind(stack);
  for (auto& [node_name, node] : stack.nodes) take_up(stack, node);
}

/// An earlier root lived up to its last event; what came after it counts against nobody.
Duration Core::time_left(const StackRecord& record) const {
  const auto& revision = record.revision();
  const auto last_alive = events_.empty() ? revision.opened_ms() : events_.back().wall_ms();
  const auto timeout = static_cast<std::int64_t>(revision.timeout_ms());
  return std::chrono::milliseconds(std::clamp<std::int64_t>(record.open_until_ms() - last_alive, 0, timeout));
}

/// The one way from a record to a state. What runs is not known yet: the record only says what to ask the master about.
void Core::take_up(const Stack& stack, Node& node) const {
  const auto& record = node.record;
  const bool out = !record.task_id().empty();
  node.state = state_named(record.state()).value_or(State::waiting);
  if (node.state == State::stopped && !stack.record.down()) node.state = State::waiting;
  node.timed_out = record.timed_out();
  node.failed_for_need = record.failed_for_need();
  node.confirmed = !out;
  if (out) node.phase = node.state == State::launching ? TaskPhase::launched : TaskPhase::running;
  else if (node.state == State::launching || node.state == State::starting || node.state == State::serving ||
           node.state == State::degraded)
    node.phase = TaskPhase::wanted;
  if (node.state == State::serving) node.serving_since = now_.mono;
  if (node.state == State::launching) node.launched_at = now_.mono;
  if (node.state != State::stopping) return;
  node.stop = record.handover().drain() ? StopStep::drain : StopStep::teardown;
  if (node.stop == StopStep::drain && !out)
    node.phase = TaskPhase::wanted;  // it died on the way: launched again for it
  node.stop_deadline = now_.mono + drain_limit(stack.record);
  node.torn_down = !record.used();
}

/// Each node's configuration under its content, and in the stack's record by that name.
void Core::store_configs(Stack& stack) {
  const StackRecord old = stack.record;
  auto& record = stack.record;
  record.clear_bundle();
  record.clear_nodes();
  record.set_schema(record_schema);
  for (const auto& node : stack.spec.nodes) {
    std::string config = specs::to_json(node);
    auto* known = record.add_nodes();
    known->set_name(node.name);
    known->set_config(Fnv().add(config).hex());
    changes_.push_back({"config/" + known->config(), std::move(config)});
  }
  drop_configs(old);
  save(stack);
}

/// Those that no stack names any more.
void Core::drop_configs(const StackRecord& old) {
  std::set<std::string> used;
  for (const auto& [name, stack] : stacks_)
    for (const auto& node : stack.record.nodes()) used.insert(node.config());
  for (const auto& node : old.nodes())
    if (!used.contains(node.config())) changes_.push_back({"config/" + node.config(), std::nullopt});
}

/// Ties nodes to the stack's spec: one per framework in it, with the record of an earlier life if there is one.
void Core::bind(Stack& stack) {
  stack.dependants.clear();
  for (const auto& spec : stack.spec.nodes) {
    const auto [it, added] = stack.nodes.try_emplace(spec.name);
    Node& node = it->second;
    node.spec = &spec;
    node.dirty = true;
    drop_undeclared(spec, node.record);
    stack.dependants[spec.name];
    for (const auto& edge : spec.edges) stack.dependants[edge.on].push_back(spec.name);
    if (!added) continue;
    if (const auto past = past_.extract(stack.spec.name + "." + spec.name)) {
      node.record = past.mapped();
      drop_undeclared(spec, node.record);
      if (node.record.state() == name(State::stopped) && !stack.record.down()) node.record.clear_state();
    }
    if (node.record.incarnation() == 0) node.record.set_incarnation(1);
    for (Instant* clock : {&node.since, &node.phase_since, &node.begun}) *clock = now_.mono;
  }
  for (auto& [node_name, node] : stack.nodes) node.target = target_of(*node.spec, node.record);
}

void Core::save(const Stack& stack, Node& node) {
  node.touched = false;
  changes_.push_back({"node/" + stack.spec.name + "." + node.spec->name, node.record.SerializeAsString()});
}

void Core::save(Stack& stack) {
  if (open(stack))
    stack.record.set_open_until_ms(milliseconds(now_.wall.time_since_epoch() + (stack.revision_deadline - now_.mono)));
  changes_.push_back({"stack/" + stack.spec.name, stack.record.SerializeAsString()});
  if (const auto history = histories_.find(stack.spec.name); history != histories_.end())
    changes_.push_back({"history/" + stack.spec.name, history->second.SerializeAsString()});
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
