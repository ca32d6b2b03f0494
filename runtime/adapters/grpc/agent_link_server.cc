#include <atomic>
#include <map>

#include "banyan/agent_link.grpc.pb.h"
#include "runtime/adapters/grpc/agent_link.h"
#include "runtime/adapters/grpc/duplex.h"
#include "runtime/adapters/loop/acceptor.h"
#include "runtime/adapters/loop/socket.h"

namespace banyan {
namespace {

using agent_link::FromAgent;
using agent_link::ToAgent;
using Acceptance = grpc::experimental::ExternalConnectionAcceptor;

class Link;

/// The links as the loop knows them. THREADS: the loop's.
struct Links {
  AgentLinkServer::Callbacks callbacks;
  std::map<AgentLinkServer::LinkId, std::shared_ptr<Link>> open;
};

class Link final : public grpc_link::Duplex<grpc::ServerBidiReactor<FromAgent, ToAgent>, FromAgent, ToAgent> {
 public:
  Link(Loop& loop, grpc::CallbackServerContext* context, std::weak_ptr<Links> links, AgentLinkServer::LinkId number)
      : Duplex(loop,
               [links, number](const FromAgent& message) {
                 if (const auto all = links.lock()) all->callbacks.message(number, message);
               }),
        context_(context),
        links_(std::move(links)),
        number_(number) {}

  /// Runs until OnDone. `self` is this.
  void run(std::shared_ptr<Link> self) {
    self_ = self;
    loop_.post([links = links_, self, number = number_] {
      if (const auto all = links.lock()) all->open.emplace(number, self);
    });
    StartSendInitialMetadata();  // at once: the agent takes it as "connected"
    start(self);
  }

  void cancel() { context_->TryCancel(); }

 private:
  void end() override { Finish(grpc::Status::OK); }
  void OnCancel() override { abandon(); }
  void OnDone() override {
    loop_.post([links = links_, number = number_] {
      const auto all = links.lock();
      if (!all) return;
      all->open.erase(number);
      all->callbacks.closed(number);
    });
    const auto last = std::move(self_);  // may destroy this
  }

  grpc::CallbackServerContext* const context_;
  const std::weak_ptr<Links> links_;
  const AgentLinkServer::LinkId number_;
  std::shared_ptr<Link> self_;
};

class Service final : public agent_link::AgentLink::CallbackService {
 public:
  Service(Loop& loop, std::weak_ptr<Links> links) : loop_(loop), links_(std::move(links)) {}

  grpc::ServerBidiReactor<FromAgent, ToAgent>* Connect(grpc::CallbackServerContext* context) override {
    auto link = std::make_shared<Link>(loop_, context, links_, ++last_link_);
    link->run(link);
    return link.get();
  }

 private:
  Loop& loop_;
  const std::weak_ptr<Links> links_;
  std::atomic<AgentLinkServer::LinkId> last_link_{0};
};

class GrpcServer final : public AgentLinkServer {
 public:
  GrpcServer(Loop& loop, int listening, Callbacks callbacks)
      : links_(std::make_shared<Links>()), service_(loop, links_) {
    grpc_link::hold_callback_queue();
    links_->callbacks = std::move(callbacks);
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, grpc_link::keepalive_time_ms);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, grpc_link::keepalive_timeout_ms);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, grpc_link::keepalive_time_ms / 2);
    builder.SetMaxReceiveMessageSize(grpc_link::message_bytes_max);
    builder.RegisterService(&service_);
    // gRPC 1.51 stops accepting for ever after one EMFILE (CVE-2023-4785): we accept, it takes the descriptors.
    acceptance_ = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, grpc::InsecureServerCredentials());
    server_ = builder.BuildAndStart();
    acceptor_ = std::make_unique<Acceptor>(loop, listening, [this](int fd) {
      Acceptance::NewConnectionParameters connection;
      connection.listener_fd = acceptor_->listening();
      connection.fd = fd;
      acceptance_->HandleNewConnection(&connection);
    });
  }

  /// Returns when gRPC's threads have let go of every link.
  ~GrpcServer() override {
    acceptor_.reset();
    server_->Shutdown(gpr_inf_past(GPR_CLOCK_MONOTONIC));
  }

  std::uint16_t port() const override { return acceptor_->port(); }

  void send(LinkId link, const ToAgent& message) override {
    const auto found = links_->open.find(link);
    if (found == links_->open.end()) return;
    if (!found->second->send(message)) found->second->cancel();
  }

  void close(LinkId link) override {
    const auto found = links_->open.find(link);
    if (found != links_->open.end()) found->second->finish();
  }

 private:
  const std::shared_ptr<Links> links_;
  Service service_;
  std::unique_ptr<Acceptance> acceptance_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace

Result<std::unique_ptr<AgentLinkServer>> AgentLinkServer::listen(Loop& loop, const std::string& address,
                                                                 Callbacks callbacks) {
  const auto listening = listen_on(address);
  if (!listening) return error(listening.error().message);
  return std::make_unique<GrpcServer>(loop, *listening, std::move(callbacks));
}

}  // namespace banyan
