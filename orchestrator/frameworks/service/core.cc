#include "orchestrator/frameworks/service/core.h"

#include <algorithm>

#include "specs/change.h"
#include "specs/names.h"
#include "specs/node_json.h"

namespace banyan::service {

namespace {

constexpr const char* instance_prefix = "instance/";
constexpr const char* framework_key = "framework";
constexpr const char* config_key = "config";  ///< the newest configuration taken

void earliest(std::optional<Instant>& a, const std::optional<Instant>& b) {
  if (b && (!a || *b < *a)) a = b;
}

}  // namespace

v1::FrameworkInfo framework_info(const Handover& handover) {
  using Capability = v1::FrameworkInfo::Capability;
  v1::FrameworkInfo info;
  info.set_user(handover.user());
  info.set_name(handover.stack() + "." + handover.node());
  info.mutable_id()->set_value(handover.framework_id());
  info.add_roles(handover.role());
  info.set_checkpoint(true);
  info.set_failover_timeout(seconds(std::chrono::hours(24 * 7)));
  for (const auto type : {Capability::MULTI_ROLE, Capability::RESERVATION_REFINEMENT, Capability::PARTITION_AWARE,
                          Capability::TASK_KILLING_STATE})
    info.add_capabilities()->set_type(type);
  return info;
}

Core::Core(std::map<std::string, std::string> stored) : stored_(std::move(stored)) {}

std::vector<Core::Effect> Core::step(Now now, const Input& input) {
  now_ = now;
  effects_.clear();
  if (exiting_) return {};
  std::visit([this](const auto& i) { on(i); }, input);
  settle();
  std::vector<Effect> all;
  if (!changes_.empty()) all.emplace_back(Persist{std::exchange(changes_, {})});
  std::move(effects_.begin(), effects_.end(), std::back_inserter(all));
  return all;
}

std::optional<Instant> Core::next_deadline() const {
  if (exiting_) return std::nullopt;
  if (!config_error_.empty()) return std::nullopt;  // nothing is decided until a configuration can be read
  std::optional<Instant> when = readiness_.next_deadline();
  for (const auto& i : instances_) {
    if (subscribed_) earliest(when, i.ask_again);
    earliest(when, i.backoff_until);
    earliest(when, proves_at(i));
    if (i.unreachable_since) earliest(when, *i.unreachable_since + unreachable_max);
  }
  for (const auto& l : leaving_)
    if (subscribed_) earliest(when, l.instance.ask_again);
  return when;
}

void Core::on(const Tick&) {
  for (auto& i : instances_) {
    if (i.backoff_until && *i.backoff_until <= now_.mono) i.backoff_until.reset();
    if (i.unreachable_since && *i.unreachable_since + unreachable_max <= now_.mono) move_lost(i);
    if (!i.ask_again || *i.ask_again > now_.mono || !subscribed_) continue;
    i.ask_backoff = ask_again.next(i.ask_backoff);
    if (i.phase == Phase::killing) send_kill(i);
    else reconcile(i);
  }
  for (auto& l : leaving_)
    if (subscribed_ && l.instance.ask_again && *l.instance.ask_again <= now_.mono) send_kill(l.instance);
}

void Core::on(const HandoverGiven& input) {
  if (handover_ && input.handover.version() <= handover_->version()) return;
  const bool masters_changed =
      !handover_ || !std::equal(handover_->masters().begin(), handover_->masters().end(),
                                input.handover.masters().begin(), input.handover.masters().end());
  if (handover_ && masters_changed)
    effects_.push_back(SetMasters{{input.handover.masters().begin(), input.handover.masters().end()}});
  take_config(input.handover);
}

void Core::take_config(const Handover& handover) {
  auto node = specs::node_from_json(handover.config());
  std::map<std::string, std::uint64_t> asked_before;
  for (const auto& i : instances_) asked_before[i.name] = restarts_wanted(i);
  if (handover_) note_broken();
  handover_ = handover;
  if (!node) {
    config_error_ = "the node's configuration cannot be read: " + node.error().message;
    return;
  }
  config_error_.clear();
  const auto known = stored_.find(framework_key);
  const bool same_life = known != stored_.end() && known->second == handover_->framework_id();
  if (const auto taken = stored_.find(config_key); same_life && taken != stored_.end())
    if (auto running = specs::node_from_json(taken->second)) {
      const auto change = specs::judge(*running, *node);
      const bool refused = change.effect == specs::Effect::refused;
      refused_ = refused ? specs::describe(change) : "";
      if (refused) node = std::move(running);
    }
  const bool changed = specs::hash(node_) != specs::hash(*node);
  const auto prints_before = std::move(fingerprints_);
  const auto before = std::exchange(node_, std::move(*node));
  put(config_key, specs::to_json(node_));
  make_instances(before);
  refresh_fingerprints();

  for (auto& i : instances_) {                // a new configuration, or a restart asked for, is a new chance
    if (i.ended_for_good() && outdated(i)) {  // also for one that an earlier scheduler saw end
      forgive(i);
      i.record.completed = false;
    }
    const auto asked = asked_before.find(i.name);
    if (asked == asked_before.end()) continue;
    const auto print = prints_before.find(i.name);
    const bool other = print != prints_before.end() && print->second != fingerprints_[i.name];
    const bool restart = restarts_wanted(i) > asked->second || other;
    if (restart) i.record.completed = false;
    if (restart || changed) forgive(i);
  }
}

/// Its past does not count any more: tried again at once.
void Core::forgive(Instance& i) {
  if (i.ended_for_good()) i.note.clear();
  i.record.quarantined = i.record.failed = false;
  i.record.why.clear();
  i.deaths.clear();
  i.streak = 0;
  i.backoff_until.reset();
}

/// The instances the node declares, known ones kept. Those scaled away are ended; their places stay reserved.
void Core::make_instances(const specs::Node& before) {
  std::vector<Instance> next;
  auto known = std::move(instances_);
  for (auto& l : leaving_) known.push_back(std::move(l.instance));  // perhaps wanted again
  const auto left = std::exchange(leaving_, {});
  for (std::size_t s = 0; s < node_.servers.size(); ++s)
    for (std::uint32_t index = 0; index < node_.servers[s].instances; ++index) {
      const auto name = specs::instance_name(node_.servers[s].name, index);
      const auto found = std::find_if(known.begin(), known.end(), [&](const auto& i) { return i.name == name; });
      if (found != known.end()) {
        next.push_back(std::move(*found));
        known.erase(found);
      } else {
        next.push_back(load_instance(s, index));
        if (next.back().phase == Phase::unknown) reconcile(next.back());
      }
      auto& i = next.back();
      i.server = s;
      std::erase_if(i.record.place.ports, [&](const auto& port) { return !server_of(i).ports.contains(port.first); });
    }
  for (auto& gone : known) {
    if (!gone.has_task()) continue;
    const auto already =
        std::find_if(left.begin(), left.end(), [&](const auto& l) { return l.instance.name == gone.name; });
    if (already != left.end()) {
      leaving_.push_back({std::move(gone), already->server, already->serial});
      continue;
    }
    const auto& server = before.servers[gone.server];
    gone.grace = server.stop.grace;
    leaving_.push_back({std::move(gone), server.name, server.stop.order == specs::StopOrder::serial});
  }
  instances_ = std::move(next);
  load_leaving();
}

/// Servers scaled away before our time whose end nobody has seen.
void Core::load_leaving() {
  for (const auto& [key, value] : stored_) {
    if (!key.starts_with(instance_prefix)) continue;
    const auto name = key.substr(std::string_view(instance_prefix).size());
    const auto same = [&](const Instance& i) { return i.name == name; };
    if (std::any_of(instances_.begin(), instances_.end(), same)) continue;
    if (std::any_of(leaving_.begin(), leaving_.end(), [&](const auto& l) { return same(l.instance); })) continue;
    const auto record = decode_record(value);
    const auto framework = stored_.find(framework_key);
    if (!record || record->task.empty() || framework == stored_.end() || framework->second != handover_->framework_id())
      continue;
    Leaving leaving;
    leaving.instance.name = name;
    leaving.instance.record = *record;
    leaving.instance.phase = Phase::unknown;
    leaving_.push_back(std::move(leaving));
  }
}

/// Rendered blind, so that other nodes' addresses do not count as a change.
void Core::refresh_fingerprints() {
  places_changed_ = false;
  fingerprints_.clear();
  for (auto& i : instances_) {
    const auto task = render(node_, server_of(i), *handover_, view_of(node_, *handover_, instances_, i, true));
    if (task && i.record.schema == 1) adopt(i, *task);
    fingerprints_[i.name] =
        task ? fingerprint(*task, server_of(i), i.record.place, specs::hash(node_, server_of(i))) : "";
  }
}

/// A record of schema 1: what it was launched with is today's specification iff its own kind of fingerprint says so.
void Core::adopt(Instance& i, const RenderedTask& task) {
  i.record.schema = Record{}.schema;
  if (i.record.attempt == 0 || i.record.fingerprint.empty()) return;
  const auto hash = specs::hash(node_, server_of(i));
  const bool same = i.record.fingerprint == fingerprint(task, server_of(i), i.record.place, "");
  i.record.launched = same ? hash : "unknown";
  if (same) i.record.fingerprint = fingerprint(task, server_of(i), i.record.place, hash);
}

Instance Core::load_instance(std::size_t server, std::uint32_t index) {
  Instance i;
  i.server = server;
  i.index = index;
  i.name = specs::instance_name(node_.servers[server].name, index);
  const auto found = stored_.find(instance_prefix + i.name);
  if (found == stored_.end()) return i;
  auto record = decode_record(found->second);
  if (!record) {
    effects_.push_back(Note{i.name + ": " + record.error().message + "; starting it as new"});
    return i;
  }
  i.record = std::move(*record);
  i.note = i.record.why;
  const auto framework = stored_.find(framework_key);
  if (framework != stored_.end() && framework->second == handover_->framework_id()) {
    if (!i.record.task.empty()) i.phase = Phase::unknown;
    return i;
  }
  // Another incarnation: its tasks are gone with it, its reservations may be (down --volumes).
  i.record.task.clear();
  i.record.launched.clear();
  i.record.quarantined = i.record.failed = i.record.completed = false;
  i.record.why.clear();
  i.note.clear();
  i.place_doubtful = true;
  return i;
}

void Core::on(const SchedulerEvent& input) {
  const auto& event = input.event;
  switch (event.type()) {
    case v1::scheduler::Event::SUBSCRIBED: return subscribed();
    case v1::scheduler::Event::OFFERS: return offers(event.offers());
    case v1::scheduler::Event::UPDATE: return update(event.update().status());
    case v1::scheduler::Event::FAILURE:
      if (event.failure().has_executor_id()) return;
      for (auto& i : instances_)  // its tasks' updates may never come (after a master's failover): ask
        if (i.has_task() && i.record.place.agent == event.failure().agent_id().value()) reconcile(i);
      return;
    case v1::scheduler::Event::ERROR: effects_.push_back(Note{"the master says: " + event.error().message()}); return;
    default: return;
  }
}

void Core::subscribed() {
  subscribed_ = true;
  suppressed_ = false;
  declined_ = false;
  wanted_.clear();
  put(framework_key, handover_->framework_id());
  for (auto& i : instances_) {
    if (!i.has_task()) continue;
    if (i.phase == Phase::launched) i.phase = Phase::unknown;  // the ACCEPT may have been lost with the stream
    i.ask_backoff = ask_again.min;
    if (i.phase == Phase::killing) send_kill(i);
    else reconcile(i);
  }
  for (auto& l : leaving_)
    if (l.instance.phase == Phase::killing) send_kill(l.instance);
  send(v1::scheduler::Call::RECONCILE);  // implicit: also tasks that no record knows
}

void Core::reconcile(Instance& i) {
  if (!subscribed_) return;
  v1::scheduler::Call call;
  auto* task = call.mutable_reconcile()->add_tasks();
  task->mutable_task_id()->set_value(i.record.task);
  if (!i.record.place.agent.empty()) task->mutable_agent_id()->set_value(i.record.place.agent);
  send(v1::scheduler::Call::RECONCILE, std::move(call));
  i.ask_backoff = std::max(i.ask_backoff, ask_again.min);
  i.ask_again = now_.mono + i.ask_backoff;
}

void Core::on(const Disconnected& input) {
  subscribed_ = false;
  if (!input.final) return;
  exiting_ = true;
  // Removed by the root's TEARDOWN while draining is what was wanted; anything else is for the executor to see.
  effects_.push_back(Exit{draining() ? 0 : 1, input.reason});
}

/// What an ACCEPT was for has perhaps not happened: ask.
void Core::on(const CallRefused& input) {
  if (input.call != "ACCEPT") return;
  for (auto& i : instances_) {
    if (i.phase == Phase::launched) reconcile(i);
    if (i.phase == Phase::idle) i.place_doubtful = true;
  }
  wanted_.clear();
  declined_ = true;
}

void Core::on(const ProbeResult& input) { readiness_.on(now_.mono, input); }

void Core::settle() {
  if (!handover_ || exiting_) return;
  if (config_error_.empty()) {
    if (places_changed_) refresh_fingerprints();
    for (auto& probe : readiness_.due(now_.mono, node_, instances_)) effects_.push_back(std::move(probe));
    note_serving();
    dismiss();
    if (draining()) drain();
    else roll();
    adjust_offers();
  }
  report();
  if (!drained_) return;
  send(v1::scheduler::Call::TEARDOWN);  // reservations and volumes stay
  effects_.push_back(Exit{0, "drained"});
  exiting_ = true;
}

Instance* Core::find_task(const std::string& task) {
  const auto found = std::find_if(instances_.begin(), instances_.end(),
                                  [&](const auto& i) { return i.has_task() && i.record.task == task; });
  return found == instances_.end() ? nullptr : &*found;
}

std::uint64_t Core::restarts_wanted(const Instance& instance) const {
  const auto found = handover_->restarts().find(server_of(instance).name);
  return found == handover_->restarts().end() ? 0 : found->second;
}

void Core::persist(const Instance& instance) { put(instance_prefix + instance.name, encode(instance.record)); }

void Core::put(const std::string& key, std::string value) {
  if (stored_[key] == value) return;
  stored_[key] = value;
  changes_.push_back({key, std::move(value)});
}

void Core::send(v1::scheduler::Call::Type type, v1::scheduler::Call call) {
  call.set_type(type);
  if (type == v1::scheduler::Call::RECONCILE) call.mutable_reconcile();
  effects_.push_back(Send{std::move(call)});
}

}  // namespace banyan::service
