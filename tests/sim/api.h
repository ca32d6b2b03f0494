// The v1 HTTP API between simulated processes: calls and event streams as bytes, without the sockets.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "runtime/sdk/core/subscription.h"
#include "tests/sim/process.h"

namespace banyan::sim {

/// One request at a server, waiting for its answer: a status, or a stream of records.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual void answer(unsigned status, const std::string& body) = 0;
  virtual void open(const std::string& stream_id) = 0;
  virtual void record(const std::string& bytes) = 0;
  virtual void close() = 0;
  /// Called when the client goes away.
  std::function<void()> gone;
};

/// Who listens at an address. A process registers itself while it lives.
class Server {
 public:
  virtual ~Server() = default;
  virtual void request(const std::string& path, const std::string& stream_id, const std::string& body,
                       std::shared_ptr<Exchange> exchange) = 0;
};
using Servers = std::map<std::string, Server*>;

/// Where the master serves; the agent of machine n serves on the n-th port after it.
inline constexpr int master_port = 5050;
[[nodiscard]] Place place_of(const std::string& address);

/// The link of an SDK core: performs its OpenStream, CloseStream and SendCall, reports back as the real one does.
class ApiLink {
 public:
  struct Callbacks {
    std::function<void(sdk::StreamOpened)> opened;
    std::function<void(sdk::StreamRecord)> record;
    std::function<void(sdk::StreamClosed)> closed;
    std::function<void(sdk::CallAnswered)> answered;
  };
  /// `here`: the client's place.
  ApiLink(Planner planner, Place here, Servers& servers, Callbacks callbacks);
  ~ApiLink();
  ApiLink(const ApiLink&) = delete;
  ApiLink& operator=(const ApiLink&) = delete;

  void perform(const sdk::OpenStream& open);
  void perform(const sdk::CloseStream& close);
  void perform(const sdk::SendCall& call);

 private:
  class Stream;
  class Call;
  struct Shared;

  std::shared_ptr<Shared> shared_;
};

/// Everybody who holds an exchange with a server must hear of its death: the server keeps them here.
class OpenExchanges {
 public:
  void add(const std::shared_ptr<Exchange>& exchange) {
    std::erase_if(open_, [](const auto& weak) { return weak.expired(); });
    open_.push_back(exchange);
  }
  ~OpenExchanges() {
    for (const auto& weak : open_)
      if (const auto exchange = weak.lock()) exchange->close();
  }

 private:
  std::vector<std::weak_ptr<Exchange>> open_;
};

}  // namespace banyan::sim
