#include "runtime/sdk/executor_client.h"

#include <utility>

#include "runtime/adapters/loop/seed.h"
#include "runtime/base/quantity.h"
#include "runtime/sdk/core/executor_core.h"
#include "runtime/sdk/linked_core.h"

namespace banyan::sdk {
namespace {

class Client final : public ExecutorClient {
 public:
  Client(Loop& loop, const ExecutorOptions& options, Callbacks callbacks)
      : callbacks_(std::move(callbacks)),
        core_(loop,
              ExecutorCore({options.agent, options.framework_id, options.executor_id, options.checkpoint,
                            from_seconds(options.recovery_timeout_s)},
                           Rng(random_seed())),
              [this](const ExecutorCore::Effect& effect) { tell(effect); }) {}

  void update(mesos::v1::TaskStatus status) override { core_.deliver(UpdateTask{std::move(status)}); }
  void message(std::string data) override { core_.deliver(MessageToScheduler{std::move(data)}); }
  [[nodiscard]] bool unacknowledged() const override { return core_.core().unacknowledged(); }

 private:
  void tell(const ExecutorCore::Effect& effect) {
    if (const auto* delivered = std::get_if<DeliverExecutorEvent>(&effect)) {
      if (callbacks_.event) callbacks_.event(delivered->event);
    } else if (const auto* over = std::get_if<ShutDown>(&effect)) {
      if (callbacks_.shutdown) callbacks_.shutdown(over->reason);
    } else if (const auto* gone = std::get_if<AgentGone>(&effect)) {
      if (callbacks_.disconnected) callbacks_.disconnected(gone->reason);
    } else if (const auto* refused = std::get_if<UpdateRefused>(&effect)) {
      if (callbacks_.refused) callbacks_.refused(refused->status, refused->reason);
    }
  }

  Callbacks callbacks_;
  LinkedCore<ExecutorCore> core_;
};

}  // namespace

ExecutorOptions ExecutorOptions::from_environment(const std::function<std::string(const char*)>& get) {
  ExecutorOptions options;
  const std::string socket = get("MESOS_DOMAIN_SOCKET");
  options.agent = socket.empty() ? get("MESOS_AGENT_ENDPOINT") : "unix:" + socket;
  options.framework_id = get("MESOS_FRAMEWORK_ID");
  options.executor_id = get("MESOS_EXECUTOR_ID");
  options.checkpoint = get("MESOS_CHECKPOINT") == "1";
  if (const auto timeout = parse_duration(get("MESOS_RECOVERY_TIMEOUT"), mesos_duration_units))
    options.recovery_timeout_s = seconds(*timeout);
  return options;
}

std::unique_ptr<ExecutorClient> ExecutorClient::create(Loop& loop, ExecutorOptions options, Callbacks callbacks) {
  return std::make_unique<Client>(loop, options, std::move(callbacks));
}

}  // namespace banyan::sdk
