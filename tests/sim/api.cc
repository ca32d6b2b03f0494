#include "tests/sim/api.h"

#include "mesos/v1/scheduler/scheduler.pb.h"

namespace banyan::sim {

Place place_of(const std::string& address) {
  const int port = std::stoi(address.substr(address.rfind(':') + 1));
  return port == master_port ? Place::master : place_of(port - master_port - 1);
}

/// Outlives the link for as long as something is under way.
struct ApiLink::Shared {
  Planner planner;
  Place here;
  Servers& servers;
  Callbacks callbacks;
  bool alive = true;
  std::map<Place, Pipe> calls{};  ///< one connection for all calls to a server: they arrive in order
  std::map<std::uint64_t, std::shared_ptr<Stream>> streams;

  [[nodiscard]] Route route(const std::string& address) const { return {here, place_of(address)}; }
  [[nodiscard]] Server* find(const std::string& address) const {
    const auto it = servers.find(address);
    return it == servers.end() ? nullptr : it->second;
  }
};

/// A SUBSCRIBE: there as a request, back as a stream.
class ApiLink::Stream final : public Exchange {
 public:
  Stream(std::shared_ptr<Shared> shared, std::uint64_t number, const Route& route)
      : shared_(std::move(shared)),
        number_(number),
        there_(shared_->planner.kernel(), route),
        back_(shared_->planner.kernel(), back(route)) {}

  void ask(const sdk::OpenStream& open) {
    there_.send([shared = shared_, self = shared_->streams.at(number_), open] {
      if (!shared->alive || self->left_) return;
      Server* server = shared->find(open.server);
      if (server == nullptr) return self->end("connection refused");
      server->request(open.path, "", open.body, self);
    });
  }

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
    back_.send(
        [shared = shared_, number = number_, bytes] {
          if (shared->alive) shared->callbacks.record({number, bytes});
        },
        may_come_twice(bytes));
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
    left_ = true;
    if (gone) there_.cut(std::exchange(gone, nullptr));
  }

 private:
  /// A scheduler's UPDATE is sent again until it is acknowledged; nothing else ever is.
  static bool may_come_twice(const std::string& bytes) {
    mesos::v1::scheduler::Event event;
    return event.ParseFromString(bytes) && event.type() == mesos::v1::scheduler::Event::UPDATE && event.has_update() &&
           event.update().status().has_uuid();
  }
  void tell(sdk::StreamOpened opened) {
    opened.stream = number_;
    back_.send([shared = shared_, opened = std::move(opened)] {
      if (shared->alive) shared->callbacks.opened(opened);
    });
  }

  std::shared_ptr<Shared> shared_;
  std::uint64_t number_;
  Pipe there_;
  Pipe back_;
  bool left_ = false;
};

/// Any other call.
class ApiLink::Call final : public Exchange {
 public:
  Call(std::shared_ptr<Shared> shared, std::uint64_t number, const Route& route)
      : shared_(std::move(shared)), number_(number), back_(shared_->planner.kernel(), back(route)) {}
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

ApiLink::ApiLink(Planner planner, Place here, Servers& servers, Callbacks callbacks)
    : shared_(std::make_shared<Shared>(planner, here, servers, std::move(callbacks))) {}

ApiLink::~ApiLink() {
  shared_->alive = false;
  for (const auto& [number, stream] : std::exchange(shared_->streams, {})) stream->leave();
}

void ApiLink::perform(const sdk::OpenStream& open) {
  const auto stream = std::make_shared<Stream>(shared_, open.stream, shared_->route(open.server));
  shared_->streams[open.stream] = stream;
  stream->ask(open);
}

void ApiLink::perform(const sdk::CloseStream& close) {
  const auto it = shared_->streams.find(close.stream);
  if (it == shared_->streams.end()) return;
  const auto stream = it->second;
  shared_->streams.erase(it);
  stream->leave();
}

void ApiLink::perform(const sdk::SendCall& call) {
  const Route route = shared_->route(call.server);
  const auto exchange = std::make_shared<Call>(shared_, call.call, route);
  shared_->calls.try_emplace(route.second, shared_->planner.kernel(), route)
      .first->second.send([shared = shared_, exchange, call] {
        if (Server* server = shared->find(call.server)) server->request(call.path, call.stream_id, call.body, exchange);
      });
}

}  // namespace banyan::sim
