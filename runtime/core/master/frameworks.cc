// Subscriptions: who a framework is, which stream speaks for it, and when it is gone.
#include <algorithm>
#include <cstdio>

#include "runtime/core/master/core.h"
#include "runtime/core/master/validation.h"

namespace banyan::master {
namespace {

/// Mesos' form: the counter has at least four digits.
std::string numbered(const std::string& prefix, std::uint64_t n) {
  const std::string digits = std::to_string(n);
  return prefix + std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits;
}

std::string quoted(const std::string& text) { return "'" + text + "'"; }

}  // namespace

StreamId Core::open_stream(CallId call) {
  StreamId stream(rng_.uuid());
  emit(OpenStream{call, stream});
  return stream;
}

void Core::on(const Subscribe& subscribe) {
  const FrameworkDescription& description = subscribe.framework;
  std::string why = framework_error(description, subscribe.suppressed_roles);
  if (why.empty() && state_.completed.count(description.id)) why = "Framework has been removed";
  Framework* framework = find_framework(description.id);
  if (why.empty() && framework && framework->principal != description.principal)
    why = "Changing framework's principal is not allowed";
  if (!why.empty()) {
    const StreamId stream = open_stream(subscribe.call);
    emit(SendEvent{stream, events::Error{why}});
    emit(CloseStream{stream});
    note("framework " + quoted(description.name) + " is refused: " + why);
    return;
  }

  if (framework) {
    end_stream(*framework, "Framework failed over");
  } else {
    const FrameworkId id =
        description.id.empty() ? FrameworkId(numbered(state_.master_id + "-", next_framework_++)) : description.id;
    framework = &state_.frameworks[id];
    framework->id = id;
  }
  (framework->registered ? framework->reregistered : framework->registered) = now_.wall;
  describe(*framework, description);
  framework->suppressed = subscribe.suppressed_roles;
  attach(*framework, subscribe.call);
}

/// Ends the present subscription, if there is one: its offers and filters go with it.
void Core::end_stream(Framework& framework, const std::string& error) {
  drop_offers(framework);
  framework.filters.clear();
  framework.asked = false;
  if (framework.phase != Framework::Phase::connected) return;
  if (!error.empty()) tell(framework, events::Error{error});
  emit(CloseStream{framework.stream});
  streams_.erase(framework.stream);
  framework.stream = {};
  framework.phase = Framework::Phase::disconnected;
}

void Core::describe(Framework& framework, const FrameworkDescription& description) {
  framework.name = description.name;
  framework.user = description.user;
  framework.principal = description.principal;
  framework.roles = roles_of(description);
  framework.capabilities = description.capabilities;
  framework.checkpoint = description.checkpoint;
  framework.failover_timeout = from_seconds(std::max(0.0, description.failover_timeout_seconds));
  framework.info = std::make_shared<const std::string>(description.info);
}

void Core::attach(Framework& framework, CallId call) {
  framework.stream = open_stream(call);
  framework.phase = Framework::Phase::connected;
  framework.removal_due.reset();
  streams_[framework.stream] = framework.id;
  tell(framework, events::Subscribed{framework.id});
  tell(framework, events::Heartbeat{});
  arm(now_.mono + limits::heartbeat_interval, Beat{framework.stream});
  // Agents send again at once what the former scheduler has not acknowledged.
  tell_agents(framework);
  look_everywhere();
  note("framework " + framework.id.str() + " " + quoted(framework.name) + " subscribed");
}

void Core::on(const StreamClosed& closed) {
  const auto it = streams_.find(closed.stream);
  if (it == streams_.end()) return;
  Framework& framework = state_.frameworks.at(it->second);
  streams_.erase(it);
  framework.phase = Framework::Phase::disconnected;
  framework.stream = {};
  end_stream(framework, "");
  note("framework " + framework.id.str() + " disconnected");
  if (framework.failover_timeout <= Duration::zero())
    return remove_framework(framework, "it disconnected and has no failover timeout");
  framework.removal_due = now_.mono + framework.failover_timeout;
  watch_removal(framework);
}

void Core::on(const SchedulerCall& call) {
  Framework* framework = find_framework(call.framework);
  if (!framework) return answer(call.call, 400, "Framework cannot be found");
  if (framework->phase != Framework::Phase::connected) return answer(call.call, 403, "Framework is not subscribed");
  if (!call.stream)
    return answer(call.call, 400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header");
  if (*call.stream != framework->stream)
    return answer(call.call, 400,
                  "The stream ID '" + call.stream->str() +
                      "' included in this request didn't match the stream ID currently associated with framework ID " +
                      framework->id.str());
  std::visit([&](const auto& body) { handle(*framework, call.call, body); }, call.body);
}

void Core::handle(Framework&, CallId call, const calls::Ignored&) { answer(call); }

void Core::handle(Framework& framework, CallId call, const calls::Teardown&) {
  remove_framework(framework, "it asked for it");
  answer(call);
}

void Core::on(const OperatorTeardown& call) {
  Framework* framework = find_framework(call.framework);
  if (!framework) return answer(call.call, 400, "No framework found with specified ID");
  remove_framework(*framework, "an operator asked for it");
  answer(call.call, 200);
}

void Core::handle(Framework& framework, CallId call, const calls::UpdateFramework& update) {
  const FrameworkDescription& description = update.framework;
  const auto unsupported = [&](const std::string& field, const std::string& from, const std::string& to) {
    answer(call, 400,
           "FrameworkInfo update is not valid: Updating 'FrameworkInfo." + field +
               "' is unsupported; attempted to update from '" + from + "' to '" + to + "'");
  };
  if (description.user != framework.user) return unsupported("user", framework.user, description.user);
  if (description.principal != framework.principal)
    return unsupported("principal", framework.principal, description.principal);
  if (description.checkpoint != framework.checkpoint)
    return unsupported("checkpoint", framework.checkpoint ? "true" : "false",
                       description.checkpoint ? "true" : "false");
  if (const auto why = framework_error(description, update.suppressed_roles); !why.empty())
    return answer(call, 400, "FrameworkInfo update is not valid: " + why);

  answer(call, 200);
  describe(framework, description);
  framework.suppressed = update.suppressed_roles;
  std::vector<OfferId> stale;
  for (const auto& [id, offer] : state_.offers)
    if (offer.framework == framework.id && !framework.roles.count(offer.role)) stale.push_back(id);
  for (const auto& id : stale) rescind(id);
  tell_agents(framework);
  look_everywhere();
}

void Core::tell_agents(const Framework& framework) {
  for (const auto& [id, agent] : state_.agents)
    if (agent.hosts(framework.id)) order(agent, orders::UpdateFramework{framework.id, framework.info});
}

void Core::drop_offers(const Framework& framework) {
  std::vector<OfferId> mine;
  for (const auto& [id, offer] : state_.offers)
    if (offer.framework == framework.id) mine.push_back(id);
  for (const auto& id : mine) take_back(id);
}

void Core::forget_oldest_completed() {
  while (state_.completed.size() > limits::completed_frameworks_max) {
    const auto older = [](const auto& a, const auto& b) { return a.second.order < b.second.order; };
    const auto oldest = std::min_element(state_.completed.begin(), state_.completed.end(), older);
    save({registry::completed_key(oldest->first), std::nullopt});
    state_.completed.erase(oldest);
  }
}

void Core::remove_framework(Framework& framework, const std::string& why) {
  const FrameworkId id = framework.id;
  CompletedFramework completed{id, next_completed_++, framework.info, framework.registered, now_.wall};
  const registry::CompletedRecord record{completed.order, *completed.info};
  save({registry::completed_key(id), registry::write(record)});
  state_.completed[id] = std::move(completed);
  forget_oldest_completed();

  end_stream(framework, "");
  while (!framework.tasks.empty()) {
    Task& task = framework.tasks.begin()->second;
    if (task.holds_resources()) state_.agents.at(task.agent).remains[{id, task.id}] = {task.executor, task.resources};
    if (!is_terminal(task.state)) task.state = TaskState::killed;
    forget_task(framework, task.id);
  }
  for (auto& [agent_id, agent] : state_.agents) {
    if (!agent.hosts(id)) continue;
    for (auto& [key, executor] : agent.executors)
      if (key.first == id) executor.torn_down = true;
    order(agent, orders::ShutdownFramework{id});
  }
  state_.frameworks.erase(id);
  note("framework " + id.str() + " is removed: " + why);
}

}  // namespace banyan::master
