#include <future>

#include "banyan/agent_link.grpc.pb.h"
#include "runtime/adapters/grpc/agent_link.h"
#include "runtime/adapters/grpc/duplex.h"
#include "runtime/adapters/loop/alarm.h"
#include "runtime/base/backoff.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using agent_link::FromAgent;
using agent_link::ToAgent;

constexpr Backoff backoff{50ms, 1s};
constexpr int connect_timeout_ms = 5'000;

/// What a stream tells its owner, on the loop.
struct Events {
  std::function<void()> opened;
  std::function<void(const ToAgent&)> message;
  std::function<void(std::string reason)> closed;
};

std::shared_ptr<grpc::Channel> make_channel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, grpc_link::keepalive_time_ms);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, grpc_link::keepalive_timeout_ms);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Each attempt is a connection of its own, made at once: the waiting between attempts is ours.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, static_cast<int>(milliseconds(backoff.min)));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, static_cast<int>(milliseconds(backoff.max)));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, connect_timeout_ms);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(grpc_link::message_bytes_max);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

/// One attempt and, if it comes to that, its stream.
class Stream final : public grpc_link::Duplex<grpc::ClientBidiReactor<FromAgent, ToAgent>, ToAgent, FromAgent> {
 public:
  Stream(Loop& loop, const std::string& address, std::shared_ptr<const Events> events)
      : Duplex(loop,
               [weak = std::weak_ptr(events)](const ToAgent& message) {
                 if (const auto known = weak.lock()) known->message(message);
               }),
        events_(events),
        stub_(agent_link::AgentLink::NewStub(make_channel(address))) {}

  /// Runs until OnDone. `self` is this.
  void run(std::shared_ptr<Stream> self) {
    self_ = self;
    stub_->async()->Connect(&context_, this);
    AddHold();  // until end(): writes come from outside the reactions
    start(self);
    StartCall();
  }

  void cancel() {
    context_.TryCancel();
    abandon();
  }
  void wait_until_done() { done_.get_future().wait(); }

 private:
  void end() override { RemoveHold(); }
  void OnReadInitialMetadataDone(bool ok) override {
    if (ok) tell([](const Events& events) { events.opened(); });
  }
  void OnDone(const grpc::Status& status) override {
    tell([reason = status.ok() ? std::string("the master ended the stream")
                               : status.error_message()](const Events& events) { events.closed(reason); });
    const auto last = std::move(self_);  // outlives the next line: the owner may go on as soon as it is told
    done_.set_value();
  }

  template <class Event>
  void tell(Event event) {
    loop_.post([weak = events_, event = std::move(event)] {
      if (const auto known = weak.lock()) event(*known);
    });
  }

  const std::weak_ptr<const Events> events_;
  const std::unique_ptr<agent_link::AgentLink::Stub> stub_;
  grpc::ClientContext context_;
  std::promise<void> done_;
  std::shared_ptr<Stream> self_;
};

class GrpcClient final : public AgentLinkClient {
 public:
  GrpcClient(Loop& loop, std::string address, Callbacks callbacks)
      : loop_(loop),
        address_(std::move(address)),
        callbacks_(std::move(callbacks)),
        retry_(loop, [this] { attempt(); }) {
    grpc_link::hold_callback_queue();
    attempt();
  }

  ~GrpcClient() override {
    events_.reset();
    if (!stream_) return;
    stream_->cancel();
    stream_->wait_until_done();
  }

  void send(const FromAgent& message) override {
    if (open_ && !stream_->send(message)) stream_->cancel();
  }

  void reset() override {
    if (stream_) stream_->cancel();
  }

 private:
  void attempt() {
    events_ = std::make_shared<const Events>(Events{[this] { on_opened(); },
                                                    [this](const ToAgent& message) { on_message(message); },
                                                    [this](std::string reason) { on_closed(std::move(reason)); }});
    stream_ = std::make_shared<Stream>(loop_, address_, events_);
    stream_->run(stream_);
  }

  void on_opened() {
    open_ = true;
    callbacks_.opened();
  }

  void on_message(const ToAgent& message) {
    if (!message.has_refused()) retry_delay_ = Duration::zero();  // it is wanted there
    callbacks_.message(message);
  }

  void on_closed(std::string reason) {
    stream_.reset();
    retry_delay_ = backoff.next(retry_delay_);
    retry_.after(retry_delay_);
    if (std::exchange(open_, false)) callbacks_.closed(std::move(reason));
  }

  Loop& loop_;
  const std::string address_;
  const Callbacks callbacks_;
  std::shared_ptr<const Events> events_;  // replaced with stream_: a former stream's events reach no one
  std::shared_ptr<Stream> stream_;        // none while waiting for the next attempt
  bool open_ = false;
  Duration retry_delay_{};  // the last one's; zero since the master spoke, unless it refused
  Alarm retry_;
};

}  // namespace

std::unique_ptr<AgentLinkClient> AgentLinkClient::connect(Loop& loop, const std::string& address, Callbacks callbacks) {
  return std::make_unique<GrpcClient>(loop, address, std::move(callbacks));
}

}  // namespace banyan
