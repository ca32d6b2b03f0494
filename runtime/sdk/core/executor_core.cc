#include "runtime/sdk/core/executor_core.h"

#include <algorithm>
#include <set>

#include "runtime/base/check.h"

namespace banyan::sdk {
namespace {

using mesos::v1::executor::Call;
using mesos::v1::executor::Event;
using namespace std::chrono_literals;

constexpr auto api_path = "/api/v1/executor";
// A restarted agent waits 2 s for its executors (executor_reregistration_timeout): several attempts must fit in there.
constexpr Subscription::Limits stream_limits{.backoff = {.min = 20ms, .max = 400ms}};
constexpr Duration resend_delay = 100ms;

}  // namespace

ExecutorCore::ExecutorCore(Options options, Rng rng)
    : options_(std::move(options)), subscription_({options_.agent}, api_path, stream_limits, rng) {}

ExecutorCore::Effects ExecutorCore::step(Now now, const Input& input) {
  Effects effects;
  std::visit([&](const auto& what) { on(now, what, effects); }, input);
  return effects;
}

std::optional<Instant> ExecutorCore::next_deadline() const {
  auto deadline = subscription_.next_deadline();
  const auto sooner = [&](Instant at) { deadline = deadline ? std::min(*deadline, at) : at; };
  if (subscription_.ended()) return std::nullopt;
  if (away_since_) sooner(*away_since_ + options_.recovery_timeout);
  if (resend_at_ && subscribed()) sooner(*resend_at_);
  return deadline;
}

void ExecutorCore::on(Now now, const Tick&, Effects& effects) {
  if (subscription_.ended()) return;
  if (away_since_ && now.mono >= *away_since_ + options_.recovery_timeout) {
    effects.emplace_back(CloseStream{subscription_.stream()});
    return shut_down("the agent did not come back in time", effects);
  }
  if (const auto overdue = subscription_.overdue(now.mono)) drop_stream(now, *overdue, effects);
  if (resend_at_ && now.mono >= *resend_at_) {
    resend_at_.reset();
    send_unsent(effects);
  }
  attempt(now, effects);
}

void ExecutorCore::attempt(Now now, Effects& effects) {
  auto open = subscription_.attempt(now.mono);
  if (!open) return;
  if (!away_since_) away_since_ = now.mono;
  Call call;
  call.set_type(Call::SUBSCRIBE);
  call.mutable_executor_id()->set_value(options_.executor_id);
  call.mutable_framework_id()->set_value(options_.framework_id);
  auto* subscribe = call.mutable_subscribe();
  for (const auto& [id, task] : tasks_) *subscribe->add_unacknowledged_tasks() = task;
  for (auto& update : updates_) {
    *subscribe->add_unacknowledged_updates()->mutable_status() = update.status;
    update.stream = open->stream;
    update.call = 0;
  }
  open->body = call.SerializeAsString();
  effects.emplace_back(std::move(*open));
}

void ExecutorCore::on(Now now, const StreamOpened& opened, Effects& effects) {
  if (!subscription_.current(opened.stream)) return;
  const auto answer = subscription_.opened(now.mono, opened);
  if (answer == Subscription::Answer::opened) return;
  effects.emplace_back(CloseStream{opened.stream});
  if (answer == Subscription::Answer::refused)
    return shut_down("the agent refused SUBSCRIBE with status " + std::to_string(opened.status) + ": " + opened.body,
                     effects);
  attempt(now, effects);
}

void ExecutorCore::on(Now now, const StreamRecord& record, Effects& effects) {
  if (!subscription_.current(record.stream)) return;
  subscription_.heard(now.mono);
  Event event;
  if (!event.ParseFromString(record.bytes))
    return drop_stream(now, "the agent sent a record that is no event", effects);
  take_event(now, event, effects);
}

void ExecutorCore::take_event(Now now, const Event& event, Effects& effects) {
  switch (event.type()) {
    case Event::HEARTBEAT: return;
    case Event::SUBSCRIBED:
      subscription_.established(now.mono, std::nullopt);  // heartbeats come every 30 min; a local socket breaks at once
      away_since_.reset();
      break;
    case Event::LAUNCH: tasks_[event.launch().task().task_id().value()] = event.launch().task(); break;
    case Event::LAUNCH_GROUP:
      for (const auto& task : event.launch_group().task_group().tasks()) tasks_[task.task_id().value()] = task;
      break;
    case Event::ACKNOWLEDGED: acknowledged(event.acknowledged()); break;
    case Event::SHUTDOWN: told_to_shut_down_ = true; break;
    default: break;
  }
  effects.emplace_back(DeliverExecutorEvent{event});
  if (event.type() == Event::SUBSCRIBED) send_unsent(effects);
  if (event.type() == Event::ERROR) {
    effects.emplace_back(CloseStream{subscription_.stream()});
    shut_down(event.error().message(), effects);
  }
}

void ExecutorCore::acknowledged(const Event::Acknowledged& acknowledged) {
  tasks_.erase(acknowledged.task_id().value());
  std::erase_if(updates_, [&](const KeptUpdate& kept) { return kept.status.uuid() == acknowledged.uuid(); });
}

void ExecutorCore::on(Now now, const StreamClosed& closed, Effects& effects) {
  if (!subscription_.current(closed.stream)) return;
  drop_stream(now, closed.reason, effects);
}

void ExecutorCore::on(Now now, const CallAnswered& answer, Effects& effects) {
  const auto update =
      std::find_if(updates_.begin(), updates_.end(), [&](const KeptUpdate& kept) { return kept.call == answer.call; });
  if (update == updates_.end()) return;  // a message, or acknowledged before it was answered
  update->call = 0;
  if (answer.status >= 200 && answer.status < 300) return;
  if (answer.status == 503) {  // still recovering
    update->stream = 0;
    resend_at_ = now.mono + resend_delay;
    return;
  }
  if (answer.status == 400) {
    effects.emplace_back(UpdateRefused{update->status, answer.body});
    updates_.erase(update);
    return;
  }
  if (subscription_.current(update->stream))
    drop_stream(now, "the agent did not take an update: " + answer.body, effects);
}

void ExecutorCore::on(Now now, const UpdateTask& update, Effects& effects) {
  auto status = update.status;
  const auto uuid = subscription_.rng().uuid_bytes();
  status.set_uuid(uuid.data(), uuid.size());
  status.set_source(mesos::v1::TaskStatus::SOURCE_EXECUTOR);
  status.mutable_executor_id()->set_value(options_.executor_id);
  if (!status.has_timestamp()) status.set_timestamp(seconds(now.wall.time_since_epoch()));
  updates_.push_back({std::move(status), 0, 0});
  if (subscribed()) send_unsent(effects);
}

void ExecutorCore::on(Now, const MessageToScheduler& message, Effects& effects) {
  if (!subscribed()) return;
  Call call;
  call.set_type(Call::MESSAGE);
  call.mutable_message()->set_data(message.data);
  send(std::move(call), ++calls_, effects);
}

void ExecutorCore::send_unsent(Effects& effects) {
  if (!subscribed()) return;
  for (auto& update : updates_) {
    if (update.stream == subscription_.stream()) continue;
    update.stream = subscription_.stream();
    update.call = ++calls_;
    Call call;
    call.set_type(Call::UPDATE);
    *call.mutable_update()->mutable_status() = update.status;
    send(std::move(call), update.call, effects);
  }
}

void ExecutorCore::send(Call call, std::uint64_t number, Effects& effects) {
  call.mutable_executor_id()->set_value(options_.executor_id);
  call.mutable_framework_id()->set_value(options_.framework_id);
  effects.emplace_back(SendCall{number, subscription_.server(), subscription_.path(), {}, call.SerializeAsString()});
}

void ExecutorCore::drop_stream(Now now, const std::string& reason, Effects& effects) {
  const bool was_subscribed = subscribed();
  effects.emplace_back(CloseStream{subscription_.stream()});
  if (told_to_shut_down_) return shut_down("the agent closed the stream after SHUTDOWN", effects);
  if (was_subscribed && !options_.checkpoint) return shut_down("the agent is gone: " + reason, effects);
  if (!away_since_) away_since_ = now.mono;
  subscription_.lost(now.mono);
  if (was_subscribed) effects.emplace_back(AgentGone{reason});
}

void ExecutorCore::check_invariants() const {
  subscription_.check_invariants();
  if (subscription_.ended()) return;
  const bool tried = subscription_.stream() != 0;
  BANYAN_CHECK(!tried || subscribed() != away_since_.has_value());  // either it is there or its time runs
  std::set<std::string> uuids;
  for (const auto& update : updates_) {
    BANYAN_CHECK(uuids.insert(update.status.uuid()).second && update.status.uuid().size() == 16);
    BANYAN_CHECK(update.stream <= subscription_.stream() && update.call <= calls_);
    BANYAN_CHECK(update.call == 0 || update.stream != 0);
    BANYAN_CHECK(!subscribed() || resend_at_ || update.stream == subscription_.stream());  // each is told, or will be
  }
}

void ExecutorCore::shut_down(const std::string& reason, Effects& effects) {
  subscription_.end();
  effects.emplace_back(ShutDown{reason});
}

}  // namespace banyan::sdk
