#include "tests/sim/api.h"

namespace banyan::sim {

/// Outlives the link for as long as something is under way.
struct ApiLink::Shared {
  Planner planner;
  Servers& servers;
  Callbacks callbacks;
  bool alive = true;
  Pipe calls{planner.kernel()};  ///< one connection for all calls: they arrive in order
  std::map<std::uint64_t, std::shared_ptr<Stream>> streams;

  [[nodiscard]] Server* find(const std::string& address) const {
    const auto it = servers.find(address);
    return it == servers.end() ? nullptr : it->second;
  }
};

/// A SUBSCRIBE: there as a request, back as a stream.
class ApiLink::Stream final : public Exchange {
 public:
  Stream(std::shared_ptr<Shared> shared, std::uint64_t number)
      : shared_(std::move(shared)), number_(number), back_(shared_->planner.kernel()) {}

  void answer(unsigned status, const std::string& body) override {
    sdk::StreamOpened opened;
    opened.status = status;
    opened.body = body;
    tell(std::move(opened));
    close();
  }
  void open(const std::string& stream_id) override {
    sdk::StreamOpened opened;
    opened.status = 200;
    opened.stream_id = stream_id;
    tell(std::move(opened));
  }
  void record(const std::string& bytes) override {
    back_.send([shared = shared_, number = number_, bytes] {
      if (shared->alive) shared->callbacks.record({number, bytes});
    });
  }
  void close() override { end("the stream ended"); }

  void end(const std::string& reason) {
    back_.cut([shared = shared_, number = number_, reason] {
      const auto self = shared->streams.extract(number);
      if (shared->alive && !self.empty()) shared->callbacks.closed({number, reason});
    });
  }
  /// The client hangs up.
  void leave() {
    if (gone) shared_->planner.kernel().after(std::chrono::milliseconds(1), std::exchange(gone, nullptr));
  }

 private:
  void tell(sdk::StreamOpened opened) {
    opened.stream = number_;
    back_.send([shared = shared_, opened = std::move(opened)] {
      if (shared->alive) shared->callbacks.opened(opened);
    });
  }

  std::shared_ptr<Shared> shared_;
  std::uint64_t number_;
  Pipe back_;
};

/// Any other call.
class ApiLink::Call final : public Exchange {
 public:
  Call(std::shared_ptr<Shared> shared, std::uint64_t number)
      : shared_(std::move(shared)), number_(number), back_(shared_->planner.kernel()) {}
  ~Call() override { close(); }

  void answer(unsigned status, const std::string& body) override {
    if (std::exchange(answered_, true)) return;
    back_.send([shared = shared_, number = number_, status, body] {
      if (shared->alive) shared->callbacks.answered({number, status, body});
    });
  }
  void open(const std::string&) override { close(); }
  void record(const std::string&) override {}
  void close() override { answer(0, "the connection broke"); }

 private:
  std::shared_ptr<Shared> shared_;
  std::uint64_t number_;
  Pipe back_;
  bool answered_ = false;
};

ApiLink::ApiLink(Planner planner, Servers& servers, Callbacks callbacks)
    : shared_(std::make_shared<Shared>(planner, servers, std::move(callbacks))) {}

ApiLink::~ApiLink() {
  shared_->alive = false;
  for (const auto& [number, stream] : std::exchange(shared_->streams, {})) stream->leave();
}

void ApiLink::perform(const sdk::OpenStream& open) {
  const auto stream = std::make_shared<Stream>(shared_, open.stream);
  shared_->streams[open.stream] = stream;
  Pipe there(shared_->planner.kernel());
  there.send([shared = shared_, stream, open] {
    if (!shared->alive) return;
    Server* server = shared->find(open.server);
    if (server == nullptr) return stream->end("connection refused");
    server->request(open.path, "", open.body, stream);
  });
}

void ApiLink::perform(const sdk::CloseStream& close) {
  const auto it = shared_->streams.find(close.stream);
  if (it == shared_->streams.end()) return;
  const auto stream = it->second;
  shared_->streams.erase(it);
  stream->leave();
}

void ApiLink::perform(const sdk::SendCall& call) {
  const auto exchange = std::make_shared<Call>(shared_, call.call);
  shared_->calls.send([shared = shared_, exchange, call] {
    if (Server* server = shared->find(call.server)) server->request(call.path, call.stream_id, call.body, exchange);
  });
}

}  // namespace banyan::sim
