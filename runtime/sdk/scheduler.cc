#include "runtime/sdk/scheduler.h"

#include <mutex>
#include <utility>

#include "runtime/sdk/core/offer_book.h"
#include "runtime/sdk/driver_thread.h"

namespace banyan::sdk {
namespace {

using mesos::v1::scheduler::Call;
using mesos::v1::scheduler::Event;

/// A master that does not answer must not keep a program from ending.
constexpr Duration teardown_max = std::chrono::seconds(5);

Call call_of(Call::Type type) {
  Call call;
  call.set_type(type);
  return call;
}

Call decline_call(const std::vector<mesos::v1::OfferID>& offers, const mesos::v1::Filters& filters) {
  Call call = call_of(Call::DECLINE);
  for (const auto& offer : offers) *call.mutable_decline()->add_offer_ids() = offer;
  *call.mutable_decline()->mutable_filters() = filters;
  return call;
}

Call acknowledge_call(const mesos::v1::TaskStatus& status) {
  Call call = call_of(Call::ACKNOWLEDGE);
  *call.mutable_acknowledge()->mutable_agent_id() = status.agent_id();
  *call.mutable_acknowledge()->mutable_task_id() = status.task_id();
  call.mutable_acknowledge()->set_uuid(status.uuid());
  return call;
}

}  // namespace

/// Everything below runs on the driver's thread, except what names `thread_` or `mutex_`.
class SchedulerDriver::Impl {
 public:
  Impl(SchedulerDriver& driver, Scheduler& scheduler, Options options)
      : driver_(driver), scheduler_(scheduler), options_(std::move(options)), framework_(options_.framework.id()) {}

  DriverStatus start() {
    return thread_.start([this] { connect(); }, [this] { client_.reset(); });
  }
  DriverStatus stop(bool failover) {
    thread_.perform([this, failover] {
      if (failover) return thread_.finish(DriverStatus::stopped);
      stopping_ = true;
      client_->send(call_of(Call::TEARDOWN));  // else when SUBSCRIBED comes
      thread_.loop().after(teardown_max, [this] { thread_.finish(DriverStatus::stopped); });
    });
    return thread_.status();
  }
  DriverStatus send(Call call) {
    return thread_.perform([this, call = std::move(call)]() mutable { client_->send(std::move(call)); });
  }
  /// An answer to offers: they are the scheduler's no more.
  DriverStatus answer(const std::vector<mesos::v1::OfferID>& offers, Call call) {
    return thread_.perform([this, offers, call = std::move(call)]() mutable {
      for (const auto& offer : offers) offers_.gone(offer);
      client_->send(std::move(call));
    });
  }
  DriverStatus hold(const mesos::v1::OfferID& offer) {
    return thread_.perform([this, offer] { offers_.hold(offer); });
  }
  DriverStatus want(bool anything) {
    return thread_.perform([this, anything] {
      if (wanted_ == anything) return;
      wanted_ = anything;
      client_->send(call_of(anything ? Call::REVIVE : Call::SUPPRESS));
    });
  }
  [[nodiscard]] mesos::v1::FrameworkID framework_id() const {
    const std::lock_guard lock(mutex_);
    return framework_;
  }
  [[nodiscard]] DriverThread& thread() { return thread_; }

 private:
  void connect() {
    client_ = SchedulerClient::create(
        thread_.loop(), {options_.masters, options_.framework},
        {.event = [this](const Event& event) { take(event); },
         .disconnected = [this](const std::string& reason, bool final) { disconnected(reason, final); },
         .refused = {}});
  }

  void take(const Event& event) {
    switch (event.type()) {
      case Event::SUBSCRIBED: return subscribed(event.subscribed());
      case Event::OFFERS: return offered(event.offers());
      case Event::RESCIND:
        offers_.gone(event.rescind().offer_id());
        return scheduler_.offer_rescinded(driver_, event.rescind().offer_id());
      case Event::UPDATE: return updated(event.update().status());
      case Event::MESSAGE:
        return scheduler_.framework_message(driver_, event.message().executor_id(), event.message().agent_id(),
                                            event.message().data());
      case Event::FAILURE:
        if (!event.failure().has_executor_id()) return scheduler_.agent_lost(driver_, event.failure().agent_id());
        return scheduler_.executor_lost(driver_, event.failure().executor_id(), event.failure().agent_id(),
                                        event.failure().status());
      case Event::ERROR: error_ = event.error().message(); return;  // told once it proves final
      default: return;
    }
  }

  void subscribed(const Event::Subscribed& subscribed) {
    const bool first_of_all = !options_.framework.has_id();
    {
      const std::lock_guard lock(mutex_);
      framework_ = subscribed.framework_id();
    }
    *options_.framework.mutable_id() = subscribed.framework_id();
    offers_.clear();
    if (stopping_) {
      client_->send(call_of(Call::TEARDOWN));
      return;
    }
    if (wanted_ == false) client_->send(call_of(Call::SUPPRESS));
    if (first_of_all) {
      scheduler_.registered(driver_, subscribed.framework_id(), subscribed.master_info());
    } else {
      scheduler_.reregistered(driver_, subscribed.master_info());
    }
  }

  void offered(const Event::Offers& event) {
    const std::vector<mesos::v1::Offer> offers(event.offers().begin(), event.offers().end());
    for (const auto& offer : offers) offers_.offered(offer);
    if (wanted_.value_or(true) && !stopping_) scheduler_.resource_offers(driver_, offers);
    if (!options_.auto_decline) return;
    if (const auto left = offers_.take_untouched(); !left.empty()) client_->send(decline_call(left, {}));
  }

  void updated(const mesos::v1::TaskStatus& status) {
    scheduler_.status_update(driver_, status);
    if (options_.implicit_acknowledgements && !status.uuid().empty()) client_->send(acknowledge_call(status));
  }

  void disconnected(const std::string& reason, bool final) {
    offers_.clear();
    if (!final) return scheduler_.disconnected(driver_);
    if (stopping_) return thread_.finish(DriverStatus::stopped);
    scheduler_.error(driver_, error_.empty() ? reason : error_);
    thread_.finish(DriverStatus::aborted);
  }

  SchedulerDriver& driver_;
  Scheduler& scheduler_;
  Options options_;
  OfferBook offers_;
  std::optional<bool> wanted_;  ///< what was said with want(); nothing: all offers are welcome
  bool stopping_ = false;       ///< TEARDOWN is under way
  std::string error_;           ///< the last ERROR event
  std::unique_ptr<SchedulerClient> client_;
  mutable std::mutex mutex_;
  mesos::v1::FrameworkID framework_;  // guarded by mutex_
  DriverThread thread_;               // last: ends before anything it uses
};

SchedulerDriver::SchedulerDriver(Scheduler& scheduler, Options options)
    : impl_(std::make_unique<Impl>(*this, scheduler, std::move(options))) {}
SchedulerDriver::~SchedulerDriver() = default;

DriverStatus SchedulerDriver::start() { return impl_->start(); }
DriverStatus SchedulerDriver::stop(bool failover) { return impl_->stop(failover); }
DriverStatus SchedulerDriver::abort() {
  impl_->thread().finish(DriverStatus::aborted);
  return status();
}
DriverStatus SchedulerDriver::join() { return impl_->thread().join(); }
DriverStatus SchedulerDriver::status() const { return impl_->thread().status(); }
mesos::v1::FrameworkID SchedulerDriver::framework_id() const { return impl_->framework_id(); }

DriverStatus SchedulerDriver::accept_offers(const std::vector<mesos::v1::OfferID>& offers,
                                            const std::vector<mesos::v1::Offer::Operation>& operations,
                                            const mesos::v1::Filters& filters) {
  Call call = call_of(Call::ACCEPT);
  for (const auto& offer : offers) *call.mutable_accept()->add_offer_ids() = offer;
  for (const auto& operation : operations) *call.mutable_accept()->add_operations() = operation;
  *call.mutable_accept()->mutable_filters() = filters;
  return impl_->answer(offers, std::move(call));
}

DriverStatus SchedulerDriver::launch_tasks(const std::vector<mesos::v1::OfferID>& offers,
                                           const std::vector<mesos::v1::TaskInfo>& tasks,
                                           const mesos::v1::Filters& filters) {
  mesos::v1::Offer::Operation launch;
  launch.set_type(mesos::v1::Offer::Operation::LAUNCH);
  for (const auto& task : tasks) *launch.mutable_launch()->add_task_infos() = task;
  return accept_offers(offers, {launch}, filters);
}

DriverStatus SchedulerDriver::decline_offer(const mesos::v1::OfferID& offer, const mesos::v1::Filters& filters) {
  return impl_->answer({offer}, decline_call({offer}, filters));
}

DriverStatus SchedulerDriver::hold_offer(const mesos::v1::OfferID& offer) { return impl_->hold(offer); }
DriverStatus SchedulerDriver::revive_offers() { return impl_->send(call_of(Call::REVIVE)); }
DriverStatus SchedulerDriver::suppress_offers() { return impl_->send(call_of(Call::SUPPRESS)); }
DriverStatus SchedulerDriver::want(bool anything) { return impl_->want(anything); }

DriverStatus SchedulerDriver::kill_task(const mesos::v1::TaskID& task,
                                        const std::optional<mesos::v1::KillPolicy>& policy) {
  Call call = call_of(Call::KILL);
  *call.mutable_kill()->mutable_task_id() = task;
  if (policy) *call.mutable_kill()->mutable_kill_policy() = *policy;
  return impl_->send(std::move(call));
}

DriverStatus SchedulerDriver::acknowledge(const mesos::v1::TaskStatus& status) {
  return impl_->send(acknowledge_call(status));
}

DriverStatus SchedulerDriver::reconcile_tasks(const std::vector<mesos::v1::TaskStatus>& tasks) {
  Call call = call_of(Call::RECONCILE);
  call.mutable_reconcile();
  for (const auto& task : tasks) {
    auto* asked = call.mutable_reconcile()->add_tasks();
    *asked->mutable_task_id() = task.task_id();
    if (task.has_agent_id()) *asked->mutable_agent_id() = task.agent_id();
  }
  return impl_->send(std::move(call));
}

DriverStatus SchedulerDriver::send_framework_message(const mesos::v1::ExecutorID& executor,
                                                     const mesos::v1::AgentID& agent, const std::string& data) {
  Call call = call_of(Call::MESSAGE);
  *call.mutable_message()->mutable_executor_id() = executor;
  *call.mutable_message()->mutable_agent_id() = agent;
  call.mutable_message()->set_data(data);
  return impl_->send(std::move(call));
}

DriverStatus SchedulerDriver::request_resources(const std::vector<mesos::v1::Request>& requests) {
  Call call = call_of(Call::REQUEST);
  call.mutable_request();
  for (const auto& request : requests) *call.mutable_request()->add_requests() = request;
  return impl_->send(std::move(call));
}

}  // namespace banyan::sdk
