#include "runtime/sdk/executor.h"

#include <cstdlib>
#include <utility>

#include "runtime/sdk/driver_thread.h"

namespace banyan::sdk {
namespace {

using mesos::v1::executor::Event;

/// How long stop() waits for what is unacknowledged (Mesos' HTTP command executor: the same).
constexpr Duration acknowledgements_max = std::chrono::seconds(60);

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

/// Everything below runs on the driver's thread, except what names `thread_`.
class ExecutorDriver::Impl {
 public:
  Impl(ExecutorDriver& driver, Executor& executor, ExecutorOptions options)
      : driver_(driver), executor_(executor), options_(std::move(options)) {}

  DriverStatus start() {
    return thread_.start([this] { connect(); }, [this] { client_.reset(); });
  }
  DriverStatus stop() {
    thread_.perform([this] {
      stopping_ = true;
      finish_if_settled();
      thread_.loop().after(acknowledgements_max, [this] { thread_.finish(DriverStatus::stopped); });
    });
    return thread_.status();
  }
  DriverStatus update(mesos::v1::TaskStatus status) {
    return thread_.perform([this, status = std::move(status)]() mutable { client_->update(std::move(status)); });
  }
  DriverStatus message(std::string data) {
    return thread_.perform([this, data = std::move(data)]() mutable { client_->message(std::move(data)); });
  }
  [[nodiscard]] DriverThread& thread() { return thread_; }

 private:
  void connect() {
    client_ = ExecutorClient::create(thread_.loop(), options_,
                                     {.event = [this](const Event& event) { take(event); },
                                      .shutdown = [this](const std::string& reason) { gone(reason); },
                                      .disconnected = [this](const std::string&) { executor_.disconnected(driver_); },
                                      .refused = {}});
  }

  void take(const Event& event) {
    switch (event.type()) {
      case Event::SUBSCRIBED: return subscribed(event.subscribed());
      case Event::LAUNCH: return executor_.launch_task(driver_, event.launch().task());
      case Event::LAUNCH_GROUP:
        for (const auto& task : event.launch_group().task_group().tasks()) executor_.launch_task(driver_, task);
        return;
      case Event::KILL: return executor_.kill_task(driver_, event.kill().task_id());
      case Event::MESSAGE: return executor_.framework_message(driver_, event.message().data());
      case Event::ACKNOWLEDGED: return finish_if_settled();
      case Event::SHUTDOWN:
        executor_.shutdown(driver_);
        stop();
        return;
      case Event::ERROR: return executor_.error(driver_, event.error().message());
      default: return;
    }
  }

  void subscribed(const Event::Subscribed& subscribed) {
    if (std::exchange(registered_, true)) return executor_.reregistered(driver_, subscribed.agent_info());
    executor_.registered(driver_, subscribed.executor_info(), subscribed.framework_info(), subscribed.agent_info());
  }

  /// The agent will not come back: nobody is left to acknowledge anything.
  void gone(const std::string&) {
    if (!stopping_) executor_.shutdown(driver_);
    thread_.finish(stopping_ ? DriverStatus::stopped : DriverStatus::aborted);
  }

  void finish_if_settled() {
    if (stopping_ && !client_->unacknowledged()) thread_.finish(DriverStatus::stopped);
  }

  ExecutorDriver& driver_;
  Executor& executor_;
  ExecutorOptions options_;
  bool registered_ = false;
  bool stopping_ = false;
  std::unique_ptr<ExecutorClient> client_;
  DriverThread thread_;  // last: ends before anything it uses
};

ExecutorDriver::ExecutorDriver(Executor& executor)
    : ExecutorDriver(executor, ExecutorOptions::from_environment(variable)) {}
ExecutorDriver::ExecutorDriver(Executor& executor, ExecutorOptions options)
    : impl_(std::make_unique<Impl>(*this, executor, std::move(options))) {}
ExecutorDriver::~ExecutorDriver() = default;

DriverStatus ExecutorDriver::start() { return impl_->start(); }
DriverStatus ExecutorDriver::stop() { return impl_->stop(); }
DriverStatus ExecutorDriver::abort() {
  impl_->thread().finish(DriverStatus::aborted);
  return status();
}
DriverStatus ExecutorDriver::join() { return impl_->thread().join(); }
DriverStatus ExecutorDriver::status() const { return impl_->thread().status(); }
DriverStatus ExecutorDriver::send_status_update(const mesos::v1::TaskStatus& status) { return impl_->update(status); }
DriverStatus ExecutorDriver::send_framework_message(const std::string& data) { return impl_->message(data); }

}  // namespace banyan::sdk
