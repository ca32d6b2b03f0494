#include "orchestrator/api/server.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <list>
#include <utility>

#include "banyan/root.grpc.pb.h"
#include "orchestrator/api/stream.h"
#include "runtime/adapters/grpc/duplex.h"
#include "runtime/adapters/loop/loop.h"
#include "runtime/base/limits.h"

namespace banyan::root {
namespace {

/// For how long streams may send what was pushed before the end, however slowly their readers read.
constexpr auto farewell_max = std::chrono::seconds(1);

/// Whether an event passes the filter of one who reads the log; events of no stack are everybody's.
bool wants(const EventsRequest& wanted, const Event& event) {
  return event.seq() > wanted.after() &&
         (wanted.stack().empty() || event.stack().empty() || wanted.stack() == event.stack()) &&
         (wanted.node().empty() || wanted.node() == event.node()) && event.kind().starts_with(wanted.kind()) &&
         event.wall_ms() >= wanted.since_ms();
}

class Service final : public Root::CallbackService {
 public:
  Service(Loop& loop, ApiServer::Calls calls) : loop_(loop), calls_(std::move(calls)) {}

  grpc::ServerUnaryReactor* Up(grpc::CallbackServerContext* context, const UpRequest* request,
                               UpReply* reply) override {
    return later(context, request, reply, &ApiServer::Calls::up);
  }
  grpc::ServerUnaryReactor* Down(grpc::CallbackServerContext* context, const DownRequest* request,
                                 DownReply* reply) override {
    return later(context, request, reply, &ApiServer::Calls::down);
  }
  grpc::ServerUnaryReactor* Restart(grpc::CallbackServerContext* context, const RestartRequest* request,
                                    RestartReply* reply) override {
    return later(context, request, reply, &ApiServer::Calls::restart);
  }
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context, const StatusRequest* request,
                                      Status* reply) override {
    auto* reactor = context->DefaultReactor();
    loop_.post([this, request, reply, reactor] {
      *reply = calls_.status(request->stack());
      reactor->Finish(grpc::Status::OK);
    });
    return reactor;
  }
  grpc::ServerUnaryReactor* GetHistory(grpc::CallbackServerContext* context, const StatusRequest* request,
                                       History* reply) override {
    auto* reactor = context->DefaultReactor();
    loop_.post([this, request, reply, reactor] {
      for (auto& revision : calls_.history(request->stack())) *reply->add_revisions() = std::move(revision);
      reactor->Finish(grpc::Status::OK);
    });
    return reactor;
  }

  grpc::ServerWriteReactor<Status>* Watch(grpc::CallbackServerContext*, const StatusRequest* request) override {
    auto stream = Stream<Status>::open([this] { loop_.post([this] { status_changed({}); }); });
    loop_.post([this, stream, stack = request->stack()] {
      if (stream->push(calls_.status(stack))) watchers_.push_back({stack, stream, {}});
    });
    return stream.get();
  }
  grpc::ServerWriteReactor<Event>* Events(grpc::CallbackServerContext*, const EventsRequest* request) override {
    auto stream = Stream<Event>::open();
    loop_.post([this, stream, wanted = *request]() mutable {
      const auto known = calls_.events(wanted.stack(), wanted.after());
      for (const auto& event : known)
        if (wants(wanted, event) && !stream->push(event)) return;
      if (!known.empty()) wanted.set_after(known.back().seq());
      if (wanted.follow()) followers_.push_back({wanted, stream});
      else stream->finish();
    });
    return stream.get();
  }
  grpc::ServerWriteReactor<LogChunk>* Logs(grpc::CallbackServerContext*, const LogsRequest* request) override {
    auto stream = Stream<LogChunk>::open();
    loop_.post([this, stream, wanted = *request] {
      std::erase_if(readers_, [](const auto& reader) { return reader.expired(); });
      readers_.push_back(stream);
      calls_.logs(wanted,
                  {[stream](const LogChunk& chunk) { return stream->push(chunk); }, [stream] { stream->finish(); }});
    });
    return stream.get();
  }

  void status_changed(const StatusChanged& changed) {
    for (auto it = watchers_.begin(); it != watchers_.end();) {
      it->owed.add(changed);
      it = pay(*it) ? std::next(it) : watchers_.erase(it);
    }
  }
  void announce(const Event& event) {
    for (auto it = followers_.begin(); it != followers_.end();) {
      it = !wants(it->wanted, event) || it->stream->push(event) ? std::next(it) : followers_.erase(it);
    }
  }

  /// Each stream ends when all that was pushed has been sent. OK is its status: gRPC's client throws away what it has
  /// received and not read yet as soon as any other one comes.
  void finish() {
    for (auto& watcher : watchers_) {
      if (!watcher.owed.empty()) watcher.stream->push(calls_.changes(watcher.stack, watcher.owed));
      watcher.stream->finish();
    }
    for (auto& follower : followers_) follower.stream->finish();
    for (auto& reader : readers_)
      if (const auto stream = reader.lock())
        stream->finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the root ends"));
  }

 private:
  struct Watcher {
    std::string stack;
    std::shared_ptr<Stream<Status>> stream;
    StatusChanged owed;  ///< not told yet
  };
  /// One status is under way at most: whoever reads slowly finds less to read. False once the reader is gone.
  bool pay(Watcher& watcher) {
    if (watcher.owed.empty() || !watcher.stream->idle()) return !watcher.stream->ended();
    Status news = calls_.changes(watcher.stack, std::exchange(watcher.owed, {}));
    return (news.delta() && news.stacks().empty()) || watcher.stream->push(std::move(news));
  }
  struct Follower {
    EventsRequest wanted;
    std::shared_ptr<Stream<Event>> stream;
  };

  template <class Request, class Reply>
  grpc::ServerUnaryReactor* later(
      grpc::CallbackServerContext* context, const Request* request, Reply* reply,
      std::function<void(const Request&, ApiServer::Done<Reply>)> ApiServer::Calls::* call) {
    auto* reactor = context->DefaultReactor();
    loop_.post([this, request, reply, reactor, call] {
      (calls_.*call)(*request, [reply, reactor](const Reply& answer) {
        *reply = answer;
        reactor->Finish(grpc::Status::OK);
      });
    });
    return reactor;
  }

  Loop& loop_;
  ApiServer::Calls calls_;
  std::list<Watcher> watchers_;
  std::list<Follower> followers_;
  std::list<std::weak_ptr<Stream<LogChunk>>> readers_;
};

class Server final : public ApiServer {
 public:
  Server(Loop& loop, Calls calls) : service_(loop, std::move(calls)) {}
  ~Server() override {
    service_.finish();
    if (server_) server_->Shutdown(std::chrono::system_clock::now() + farewell_max);
  }

  bool start(const std::string& address) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials());
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(static_cast<int>(4 * limits::request_bytes_max));  // a bundle with its files
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    return server_ != nullptr;
  }
  void status_changed(const StatusChanged& changed) override { service_.status_changed(changed); }
  void announce(const Event& event) override { service_.announce(event); }

 private:
  Service service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

Result<std::unique_ptr<ApiServer>> ApiServer::listen(Loop& loop, const std::string& address, Calls calls) {
  grpc_link::hold_callback_queue();
  if (address.starts_with("unix:")) ::unlink(address.substr(5).c_str());
  auto server = std::make_unique<Server>(loop, std::move(calls));
  if (!server->start(address)) return error("cannot listen on " + address);
  return std::unique_ptr<ApiServer>(std::move(server));
}

}  // namespace banyan::root
