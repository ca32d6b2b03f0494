#include "runtime/sdk/core/scheduler_core.h"

#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/base/limits.h"

namespace banyan::sdk {
namespace {

using mesos::v1::scheduler::Call;
using mesos::v1::scheduler::Event;
using namespace std::chrono_literals;

constexpr auto api_path = "/api/v1/scheduler";
constexpr Subscription::Limits stream_limits{.backoff = {.min = 50ms, .max = 2s}};
constexpr int heartbeats_missed_max = 5;  // the count Mesos documents for clients

/// These texts are part of the protocol: other clients search for them too.
bool ends_the_framework(const std::string& error) {
  return error.find("Framework failed over") != std::string::npos ||
         error.find("Framework has been removed") != std::string::npos;
}

/// The master does not know this subscription (any more): it restarted, stepped down, or saw our stream break first.
bool lost_the_subscription(const CallAnswered& answer) {
  return answer.status == 0 || answer.status == 307 || answer.status == 403 || answer.status >= 500 ||
         (answer.status == 400 && (answer.body.find("stream ID") != std::string::npos ||
                                   answer.body.find("Framework cannot be found") != std::string::npos));
}

}  // namespace

SchedulerCore::SchedulerCore(std::vector<std::string> masters, mesos::v1::FrameworkInfo framework, Rng rng)
    : subscription_(std::move(masters), api_path, stream_limits, rng), framework_(std::move(framework)) {}

SchedulerCore::Effects SchedulerCore::step(Now now, const Input& input) {
  Effects effects;
  std::visit([&](const auto& what) { on(now, what, effects); }, input);
  return effects;
}

void SchedulerCore::on(Now now, const Tick&, Effects& effects) {
  if (const auto overdue = subscription_.overdue(now.mono)) drop_stream(now, *overdue, effects);
  attempt(now, effects);
}

void SchedulerCore::attempt(Now now, Effects& effects) {
  auto open = subscription_.attempt(now.mono);
  if (!open) return;
  Call call;
  call.set_type(Call::SUBSCRIBE);
  if (framework_.has_id()) *call.mutable_framework_id() = framework_.id();
  *call.mutable_subscribe()->mutable_framework_info() = framework_;
  open->body = call.SerializeAsString();
  effects.emplace_back(std::move(*open));
}

void SchedulerCore::on(Now now, const StreamOpened& opened, Effects& effects) {
  if (!subscription_.current(opened.stream)) return;
  switch (subscription_.opened(now.mono, opened)) {
    case Subscription::Answer::opened: return;
    case Subscription::Answer::refused:
      effects.emplace_back(CloseStream{opened.stream});
      return finish("SUBSCRIBE refused with status " + std::to_string(opened.status) + ": " + opened.body, effects);
    case Subscription::Answer::retry: effects.emplace_back(CloseStream{opened.stream}); return attempt(now, effects);
  }
}

void SchedulerCore::on(Now now, const StreamRecord& record, Effects& effects) {
  if (!subscription_.current(record.stream)) return;
  subscription_.heard(now.mono);
  Event event;
  if (!event.ParseFromString(record.bytes))
    return drop_stream(now, "the master sent a record that is no event", effects);
  if (event.type() == Event::HEARTBEAT) return;
  if (event.type() == Event::SUBSCRIBED) subscribed_by(now, event.subscribed());
  const bool before_subscribed = !subscription_.is_established();
  const bool over = event.type() == Event::ERROR && (before_subscribed || ends_the_framework(event.error().message()));
  const std::string reason = over ? event.error().message() : "";
  effects.emplace_back(DeliverEvent{std::move(event)});
  if (!over) return;
  effects.emplace_back(CloseStream{record.stream});
  finish(reason, effects);
}

void SchedulerCore::subscribed_by(Now now, const Event::Subscribed& subscribed) {
  *framework_.mutable_id() = subscribed.framework_id();
  const Duration interval = subscribed.heartbeat_interval_seconds() > 0
                                ? from_seconds(subscribed.heartbeat_interval_seconds())
                                : limits::heartbeat_interval;
  subscription_.established(now.mono, heartbeats_missed_max * interval);
  // What earlier subscriptions have not been told by now they never will.
  std::erase_if(pending_, [&](const PendingCall& call) { return call.stream != subscription_.stream(); });
}

void SchedulerCore::on(Now now, const StreamClosed& closed, Effects& effects) {
  if (!subscription_.current(closed.stream)) return;
  drop_stream(now, closed.reason, effects);
}

void SchedulerCore::on(Now now, const CallAnswered& answer, Effects& effects) {
  const auto call = take_pending(answer.call);
  if (!call) return;
  const bool accepted = answer.status >= 200 && answer.status < 300;
  if (accepted && call->type == Call::TEARDOWN) {
    torn_down_ = true;
    if (!subscribed() && !subscription_.ended()) {  // the stream ended first; an attempt may be under way
      effects.emplace_back(CloseStream{subscription_.stream()});
      finish("torn down", effects);
    }
  }
  if (accepted) return;
  const std::string reason =
      answer.status == 0 ? answer.body : "status " + std::to_string(answer.status) + ": " + answer.body;
  effects.emplace_back(CallRefused{call->type, reason});
  if (subscription_.current(call->stream) && lost_the_subscription(answer))
    drop_stream(now, "the master did not take a call: " + reason, effects);
}

void SchedulerCore::on(Now now, const SetMasters& masters, Effects& effects) {
  subscription_.set_servers(masters.masters);
  attempt(now, effects);
}

void SchedulerCore::on(Now, const Call& call, Effects& effects) {
  if (!subscribed()) return;
  pending_.push_back({++calls_, subscription_.stream(), call.type()});
  Call filled = call;
  *filled.mutable_framework_id() = framework_.id();
  effects.emplace_back(SendCall{calls_, subscription_.server(), subscription_.path(), subscription_.stream_id(),
                                filled.SerializeAsString()});
}

void SchedulerCore::drop_stream(Now now, const std::string& reason, Effects& effects) {
  const bool was_subscribed = subscribed();
  effects.emplace_back(CloseStream{subscription_.stream()});
  if (torn_down_) return finish("torn down", effects);
  subscription_.lost(now.mono);
  if (was_subscribed) effects.emplace_back(Disconnected{reason, false});
}

void SchedulerCore::finish(const std::string& reason, Effects& effects) {
  subscription_.end();
  effects.emplace_back(Disconnected{reason, true});
}

void SchedulerCore::check_invariants() const {
  subscription_.check_invariants();
  BANYAN_CHECK(!subscribed() || framework_.has_id());
  BANYAN_CHECK(!torn_down_ || subscribed() || subscription_.ended());  // a framework that is gone does not come back
  std::uint64_t before = 0;
  for (const auto& call : pending_) {
    BANYAN_CHECK(call.number > before && call.number <= calls_);
    BANYAN_CHECK(subscribed() ? call.stream == subscription_.stream() : call.stream <= subscription_.stream());
    before = call.number;
  }
}

std::optional<SchedulerCore::PendingCall> SchedulerCore::take_pending(std::uint64_t number) {
  const auto it = std::find_if(pending_.begin(), pending_.end(), [&](const auto& p) { return p.number == number; });
  if (it == pending_.end()) return std::nullopt;
  const PendingCall call = *it;
  pending_.erase(it);
  return call;
}

}  // namespace banyan::sdk
