// A root core alone in virtual time, with a master, executors and children played by the test.
#pragma once

#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/cli/received.h"
#include "orchestrator/core/core.h"
#include "tests/support/durable_first.h"
#include "tests/support/pass_time.h"

namespace banyan::root {

using namespace std::chrono_literals;

/// Steps a Core and keeps what it wanted done. Invariants are checked after every step; every Persist goes to `stored`
/// at once, so that a new core can be made of it at any moment, as after kill -9. Beside it stands one who watches:
/// what he knows by deltas must be what the core says as a whole.
class Harness {
 public:
  Harness() { restart(); }

  static Setup setup() {
    return {{"127.0.0.1:5050"},
            {"banyan-framework-executor", "http://h/e", "e5"},
            {"banyan-service-scheduler", "http://h/s", "5e"},
            "/state/nodes",
            "nobody",
            "http://h/artifacts/"};
  }

  void restart() {
    core.emplace(now, setup(), stored);
    shown = core->status(now);
    calls.clear();
    reviving = false;
  }

  void step(const Core::Input& input) {
    auto effects = core->step(now, input);
    expect_durable_first(effects, [](const Core::Effect& e) {
      return std::holds_alternative<SendCall>(e) || std::holds_alternative<Answer>(e) ||
             std::holds_alternative<TearDown>(e) || std::holds_alternative<ReleaseRole>(e);
    });
    for (auto& effect : effects) {
      if (heard) heard(effect);
      if (auto* changed = std::get_if<StatusChanged>(&effect)) cli::receive(shown, core->status(now, "", *changed), 0);
      if (auto* persist = std::get_if<Persist>(&effect))
        for (const auto& change : persist->changes) {
          if (change.value) stored[change.key] = *change.value;
          else stored.erase(change.key);
        }
      if (auto* call = std::get_if<SendCall>(&effect)) {
        calls.push_back(call->call);
        if (call->call.type() == mesos::v1::scheduler::Call::REVIVE) reviving = true;
        if (call->call.type() == mesos::v1::scheduler::Call::SUPPRESS) reviving = false;
        if (call->call.type() == mesos::v1::scheduler::Call::ACCEPT)
          for (const auto& task : call->call.accept().operations(0).launch().task_infos()) launched.push_back(task);
      }
      if (auto* answer = std::get_if<Answer>(&effect)) answers.push_back(answer->reply);
      if (auto* teardown = std::get_if<TearDown>(&effect)) teardowns.push_back(*teardown);
      if (auto* release = std::get_if<ReleaseRole>(&effect)) releases.push_back(*release);
      if (auto* announce = std::get_if<Announce>(&effect)) events.push_back(announce->event);
    }
    core->check_invariants();
    EXPECT_EQ(timeless(shown).SerializeAsString(), timeless(core->status(now)).SerializeAsString())
        << timeless(shown).DebugString() << timeless(core->status(now)).DebugString();
  }
  static Status timeless(Status status) {
    status.clear_delta();
    for (auto& stack : *status.mutable_stacks()) {
      stack.mutable_revision()->clear_age_ms();
      for (auto& node : *stack.mutable_nodes()) {
        node.clear_since_ms();
        node.clear_heard_ms();
      }
    }
    return status;
  }

  void advance(Duration by) {
    pass_time(now, by, [this] { return core->next_deadline(); }, [this] { step(Tick{}); });
  }

  void connect() {
    step(Subscribed{});
    reviving = true;
    answer_reconcile();
  }
  /// What a master would say to the reconciliation: every launched task that has not ended runs.
  void answer_reconcile() {
    for (const auto& [id, task] : running) update(id, mesos::v1::TASK_RUNNING, std::nullopt, true);
  }

  UpReply up(const std::string& text, bool dry_run = false) {
    UpAsked asked;
    asked.request.mutable_bundle()->set_file("stack.yaml");
    asked.request.mutable_bundle()->set_text(text);
    asked.request.set_dry_run(dry_run);
    asked.request.set_supersede(true);
    step(asked);
    return std::get<UpReply>(answers.back());
  }
  void down(const std::string& stack, bool volumes = false, bool at_once = false) {
    DownAsked asked;
    asked.request.set_stack(stack);
    asked.request.set_volumes(volumes);
    asked.request.set_now(at_once);
    step(asked);
  }

  /// An offer of plenty.
  void offer(double cpus = 64, double mem = 65536) {
    step(Offered{{make_offer("o" + std::to_string(++offers), cpus, mem)}});
  }
  static mesos::v1::Offer make_offer(const std::string& id, double cpus, double mem) {
    mesos::v1::Offer offer;
    offer.mutable_id()->set_value(id);
    offer.mutable_framework_id()->set_value(root_framework);
    offer.mutable_agent_id()->set_value("agent-1");
    offer.set_hostname("127.0.0.1");
    for (const auto& [name, value] : std::map<std::string, double>{{"cpus", cpus}, {"mem", mem}}) {
      auto* resource = offer.add_resources();
      resource->set_name(name);
      resource->set_type(mesos::v1::Value::SCALAR);
      resource->mutable_scalar()->set_value(value);
    }
    return offer;
  }

  void update(const std::string& task, mesos::v1::TaskState state, const std::optional<ChildReport>& report,
              bool reconciled = false, const std::string& message = "") {
    mesos::v1::TaskStatus status;
    status.mutable_task_id()->set_value(task);
    status.mutable_agent_id()->set_value("agent-1");
    status.set_state(state);
    if (report) status.set_data(report->SerializeAsString());
    if (!message.empty()) status.set_message(message);
    status.set_source(reconciled ? mesos::v1::TaskStatus::SOURCE_MASTER : mesos::v1::TaskStatus::SOURCE_EXECUTOR);
    if (reconciled) status.set_reason(mesos::v1::TaskStatus::REASON_RECONCILIATION);
    else status.set_uuid("0123456789abcdef");
    if (state == mesos::v1::TASK_RUNNING) running[task] = state;
    else running.erase(task);
    step(Updated{status});
  }

  [[nodiscard]] std::string task_of(const std::string& node) const {
    const Status status = core->status(now);
    for (const auto& stack : status.stacks())
      for (const auto& n : stack.nodes())
        if (n.name() == node) return n.scheduler().task_id();
    return "";
  }
  [[nodiscard]] banyan::root::NodeStatus node(const std::string& name) const {
    const Status status = core->status(now);
    for (const auto& stack : status.stacks())
      for (const auto& n : stack.nodes())
        if (n.name() == name) return n;
    return {};
  }
  /// The newest handover sent to a node's present task, by launch or by message.
  [[nodiscard]] Handover handover(const std::string& node) const {
    Handover newest;
    const std::string task = task_of(node);
    for (const auto& info : launched)
      if (info.task_id().value() == task) take(info.data(), newest);
    for (const auto& call : calls)
      if (call.type() == mesos::v1::scheduler::Call::MESSAGE && call.message().executor_id().value() == task)
        take(call.message().data(), newest);
    return newest;
  }
  static void take(const std::string& data, Handover& newest) {
    ToExecutor words;
    words.ParseFromString(data);
    if (words.has_handover() && words.handover().version() >= newest.version()) newest = words.handover();
  }

  ChildReport report(const std::string& node_name, bool serving, const std::vector<std::string>& addresses = {}) {
    ChildReport report;
    report.set_pid(1000);
    report.set_managed(true);
    report.set_handover_version(handover(node_name).version());
    auto& child = *report.mutable_child();
    child.set_serving(serving);
    child.set_observed(handover(node_name).node_hash());
    if (!addresses.empty()) {
      auto* endpoint = child.add_endpoints();
      endpoint->set_name("e");
      for (const auto& address : addresses) endpoint->add_addresses(address);
    }
    return report;
  }
  void runs(const std::string& node_name) {
    ChildReport report;
    report.set_pid(1000);
    report.set_handover_version(handover(node_name).version());
    update(task_of(node_name), mesos::v1::TASK_RUNNING, report);
  }
  void serves(const std::string& node_name, const std::vector<std::string>& addresses = {"127.0.0.1:1"}) {
    update(task_of(node_name), mesos::v1::TASK_RUNNING, report(node_name, true, addresses));
  }
  /// The executor repeats its report, with the number that it was asked under.
  void answers_as_asked(const std::string& node_name) {
    advance(0s);
    auto answer = report(node_name, true, {"127.0.0.1:1"});
    for (const auto& call : calls) {
      ToExecutor words;
      words.ParseFromString(call.message().data());
      if (call.message().executor_id().value() == task_of(node_name) && words.has_asker())
        answer.set_asker(words.asker());
    }
    EXPECT_TRUE(answer.has_asker()) << "nobody asked it";
    update(task_of(node_name), mesos::v1::TASK_RUNNING, answer);
  }
  void ends(const std::string& node_name, mesos::v1::TaskState state = mesos::v1::TASK_FAILED,
            const std::string& message = "exit 1") {
    const std::string task = task_of(node_name);
    update(task, state, std::nullopt, false, message);
    step(ExecutorEnded{task});
  }
  /// A child that was asked to drain does so: drained, left the master, ended.
  void drains(const std::string& node_name) { ends(node_name, mesos::v1::TASK_FINISHED, ""); }
  void torn_down() {
    for (const auto& teardown : std::exchange(teardowns, {})) step(TornDown{teardown.stack, teardown.node, ""});
  }
  void released() {
    for (const auto& release : std::exchange(releases, {})) step(Released{release.stack, release.node, ""});
  }

  [[nodiscard]] std::vector<std::string> kinds(const std::string& prefix) const {
    std::vector<std::string> found;
    for (const auto& event : events)
      if (event.kind().starts_with(prefix)) found.push_back(event.kind() + " " + event.node());
    return found;
  }
  [[nodiscard]] std::size_t count(mesos::v1::scheduler::Call::Type type) const {
    return static_cast<std::size_t>(
        std::count_if(calls.begin(), calls.end(), [type](const auto& call) { return call.type() == type; }));
  }

  Now now{Instant(1000s), WallTime(1'700'000'000s)};
  std::map<std::string, std::string> stored;
  std::optional<Core> core;
  Status shown;                                    ///< known to a watcher
  std::function<void(const Core::Effect&)> heard;  ///< each effect, before anything comes of it
  std::vector<mesos::v1::scheduler::Call> calls;
  std::vector<mesos::v1::TaskInfo> launched;
  std::vector<std::variant<UpReply, DownReply, RestartReply>> answers;
  std::vector<TearDown> teardowns;
  std::vector<ReleaseRole> releases;
  std::vector<Event> events;
  std::map<std::string, mesos::v1::TaskState> running;
  int offers = 0;
  bool reviving = false;
};

}  // namespace banyan::root
