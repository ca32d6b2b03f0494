#include "runtime/sdk/scheduler_client.h"

#include <utility>

#include "runtime/adapters/loop/seed.h"
#include "runtime/sdk/core/scheduler_core.h"
#include "runtime/sdk/linked_core.h"

namespace banyan::sdk {
namespace {

class Client final : public SchedulerClient {
 public:
  Client(Loop& loop, SchedulerOptions options, Callbacks callbacks)
      : callbacks_(std::move(callbacks)),
        core_(loop, SchedulerCore(std::move(options.masters), std::move(options.framework), Rng(random_seed())),
              [this](const SchedulerCore::Effect& effect) { tell(effect); }) {}

  bool send(mesos::v1::scheduler::Call call) override {
    if (!subscribed()) return false;
    core_.deliver(std::move(call));
    return true;
  }
  void set_masters(std::vector<std::string> masters) override { core_.deliver(SetMasters{std::move(masters)}); }
  [[nodiscard]] bool subscribed() const override { return core_.core().subscribed(); }

 private:
  void tell(const SchedulerCore::Effect& effect) {
    if (const auto* delivered = std::get_if<DeliverEvent>(&effect)) {
      if (callbacks_.event) callbacks_.event(delivered->event);
    } else if (const auto* gone = std::get_if<Disconnected>(&effect)) {
      if (callbacks_.disconnected) callbacks_.disconnected(gone->reason, gone->final);
    } else if (const auto* refused = std::get_if<CallRefused>(&effect)) {
      if (callbacks_.refused) callbacks_.refused(mesos::v1::scheduler::Call::Type_Name(refused->type), refused->reason);
    }
  }

  Callbacks callbacks_;
  LinkedCore<SchedulerCore> core_;
};

}  // namespace

std::unique_ptr<SchedulerClient> SchedulerClient::create(Loop& loop, SchedulerOptions options, Callbacks callbacks) {
  return std::make_unique<Client>(loop, std::move(options), std::move(callbacks));
}

}  // namespace banyan::sdk
