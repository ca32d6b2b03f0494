// What the root remembers, and how it takes up where it was.
#include <algorithm>
#include <set>
#include <utility>

#include "orchestrator/core/core.h"
#include "orchestrator/core/handover.h"
#include "orchestrator/core/stack_file.h"
#include "orchestrator/core/timeouts.h"
#include "runtime/base/check.h"
#include "runtime/base/fnv.h"
#include "specs/node_json.h"

namespace banyan::root {
namespace {

/// An endpoint that the node does not declare (any more) is offered to nobody. Another program's are its own.
void drop_undeclared(const specs::Node& spec, NodeRecord& record) {
  auto& endpoints = *record.mutable_endpoints();
  for (int i = endpoints.size(); i-- > 0;)
    if (spec.scheduler.service && !spec.endpoints.contains(endpoints[i].name())) endpoints.DeleteSubrange(i, 1);
}

/// A record that holds the handover itself, and tells by it how far a stop has come: from before they were kept apart.
void convert(NodeRecord& record) {
  if (!record.has_handover()) return;
  record.set_handover_version(record.handover().version());
  record.set_handover_hash(content_hash(record.handover()));
  if (record.state() == name(State::stopping)) record.set_stop(record.handover().drain() ? "drain" : "teardown");
  record.clear_handover();
}

}  // namespace

specs::Loaded load_bundle(const Bundle& bundle, const std::set<std::string>& programs) {
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
  source.is_program = [&programs](const std::string& path) { return programs.contains(path); };
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
      const bool read = record.ParseFromString(value);
      convert(record);
      if (read) past_[key.substr(5)] = std::move(record);
      else unreadable_[key.substr(5, key.find('.') - 5)] = "the record of " + key.substr(5) + " is damaged";
    } else if (key.starts_with("history/")) {
      histories_[key.substr(8)].ParseFromString(value);
    }
  }
  const bool again = !events_.empty();
  if (again) event_seq_ = events_.back().seq();
  for (auto& [name, record] : stack_records)
    if (!unreadable_.contains(name)) load_stack(name, std::move(record), stored);
  if (again) record_event("", "root.restarted", "what ran is asked for", "an earlier root has ended");
  for (auto& [stack_name, stack] : stacks_)
    for (auto& [node_name, node] : stack.nodes)
      if (auto* known = out(node.task)) known->asker = event_seq_;
  for (const auto& [name, why] : unreadable_) record_event(name, "stack.unreadable", why, "it is left as it is");
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
  stack.revision_deadline = now_.mono + time_left(stack.record);
  if (stack.record.schema() == 0) {
    store_configs(stack);
    save(stack);
  }
  bind(stack);
}

/// An earlier root lived up to its last event; what came after it counts against nobody.
Duration Core::time_left(const StackRecord& record) const {
  const auto& revision = record.revision();
  const auto last_alive = events_.empty() ? revision.opened_ms() : events_.back().wall_ms();
  const auto timeout = static_cast<std::int64_t>(revision.timeout_ms());
  return std::chrono::milliseconds(std::clamp<std::int64_t>(record.open_until_ms() - last_alive, 0, timeout));
}

/// Each node's configuration under its content, and in the stack's record by that name; the record is yet to be saved.
void Core::store_configs(Stack& stack) {
  const StackRecord old = stack.record;
  std::set<std::string> stored;
  for (const auto& node : old.nodes()) stored.insert(node.config());
  auto& record = stack.record;
  record.clear_bundle();
  record.clear_nodes();
  record.set_schema(record_schema);
  for (const auto& node : stack.spec.nodes) {
    std::string config = specs::to_json(node);
    auto* known = record.add_nodes();
    known->set_name(node.name);
    known->set_config(Fnv().add(config).hex());
    if (!stored.contains(known->config())) changes_.push_back({"config/" + known->config(), std::move(config)});
  }
  drop_configs(old);
}

/// Those that no stack names any more.
void Core::drop_configs(const StackRecord& old) {
  std::set<std::string> used;
  for (const auto& [name, stack] : stacks_)
    for (const auto& node : stack.record.nodes()) used.insert(node.config());
  for (const auto& node : old.nodes())
    if (!used.contains(node.config())) changes_.push_back({"config/" + node.config(), std::nullopt});
}

/// Ties nodes to the stack's spec and to each other: one per framework in it, with the record of an earlier life if
/// there is one. All of them are looked at next. REQUIRES: the stack is in no index.
void Core::bind(Stack& stack) {
  stack.order.clear();
  for (const auto& spec : stack.spec.nodes) {
    const auto [it, added] = stack.nodes.try_emplace(spec.name);
    Node& node = it->second;
    node.stack = &stack;
    node.spec = &spec;
    node.at = static_cast<std::uint32_t>(stack.order.size());
    node.needs.clear();
    node.dependants.clear();
    node.first_up = 0;
    node.patience = spec.goal == specs::Goal::completed ? timeouts::job : timeouts::starting;
    for (const auto& edge : spec.edges) {  // in topological order: what it needs is there
      Node& need = stack.nodes.at(edge.on);
      node.needs.push_back(&need);
      need.dependants.push_back(&node);
      need.patience = std::max(need.patience, edge.timeout);  // whoever waits for it longer than the usual decides
    }
    stack.order.push_back(&node);
    if (added) take_up(node);
    drop_undeclared(spec, node.record);
    node.stale = true;
    ++node.endpoints;
    node.target = target_of(spec, node.record);
  }
  for (Node* node : stack.order) {
    index(*node);
    mark(*node);
  }
}

/// Its life, by the record of an earlier one or by a fresh one.
void Core::take_up(Node& node) {
  const Stack& stack = *node.stack;
  if (auto past = past_.extract(stack.name() + "." + node.spec->name)) {
    node.record = std::move(past.mapped());
    if (node.record.state() == name(State::stopped) && !stack.down()) node.record.clear_state();
  }
  auto& record = node.record;
  if (record.incarnation() == 0) record.set_incarnation(1);
  node.since = node.begun = now_.mono;
  Life life = life_of(record, stack.down(), now_.mono, drain_limit(stack.record, *node.spec));
  node.state = life.state;
  node.task = std::move(life.task);
  node.stop = std::move(life.stop);
  if (out(node.task) != nullptr) tasks_[record.task_id()] = &node;
  if (node.state == State::serving) node.serving_since = now_.mono;
  if (node.state == State::launching) node.launched_at = now_.mono;
}

void Core::save(Node& node) {
  changes_.push_back({"node/" + node.stack->name() + "." + node.spec->name, node.record.SerializeAsString()});
}

void Core::save(Stack& stack) {
  if (stack.open())
    stack.record.set_open_until_ms(milliseconds(now_.wall.time_since_epoch() + (stack.revision_deadline - now_.mono)));
  changes_.push_back({"stack/" + stack.name(), stack.record.SerializeAsString()});
  if (const auto history = histories_.find(stack.name()); history != histories_.end())
    changes_.push_back({"history/" + stack.name(), history->second.SerializeAsString()});
}

}  // namespace banyan::root
