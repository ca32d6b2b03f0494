// The master's world: its sockets, its store and its timers around one core.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "runtime/adapters/codec/master_events.h"
#include "runtime/adapters/grpc/agent_link.h"
#include "runtime/adapters/http/server.h"
#include "runtime/adapters/loop/alarm.h"
#include "runtime/core/master/core.h"
#include "runtime/driver/driver.h"
#include "runtime/ports/store.h"

namespace banyan::master {

struct DaemonOptions {
  std::string listen = "127.0.0.1:5050";        ///< the v1 HTTP API
  std::string agent_listen = "127.0.0.1:5060";  ///< the agents' links
  std::string advertise;                        ///< the address told to others; empty: the one listened on
  Options core;
};

/// THREADS: the loop's. LIFETIME: the loop and the store outlive it.
class Daemon {
 public:
  /// Reads the store, listens, starts. `ready` is called when the new epoch is durable and requests are served;
  /// `failed` when the store is lost: the process must end.
  static Result<std::unique_ptr<Daemon>> start(Loop& loop, Store& store, DaemonOptions options,
                                               std::function<void()> ready, std::function<void(Error)> failed);

  // What the driver needs (runtime/driver/driver.h).
  Now now() { return clock_now(); }
  void perform(Effect effect);
  void commit(Changes changes, Store::Done done);
  void wake_at(std::optional<Instant> when) { alarm_.set(when); }
  void fatal(const Error& error) { failed_(error); }

 private:
  Daemon(Loop& loop, Store& store, DaemonOptions options)
      : loop_(loop), store_(store), options_(std::move(options)), alarm_(loop, [this] { driver_->deliver(Tick{}); }) {}
  Result<void> listen();

  void on_request(http::Request request, std::shared_ptr<http::Responder> responder);
  void scheduler_call(const http::Request& request, std::shared_ptr<http::Responder> responder);
  void operator_call(const http::Request& request, const std::shared_ptr<http::Responder>& responder);
  void deliver_call(CallId call, const Input& input, std::shared_ptr<http::Responder> responder);
  void on_agent(LinkId link, const agent_link::FromAgent& message);

  void carry_out(Persist&&) {}  // the driver commits these itself
  void carry_out(Answer&& answer);
  void carry_out(OpenStream&& open);
  void carry_out(SendEvent&& send);
  void carry_out(CloseStream&& close);
  void carry_out(SendToAgent&& send);
  void carry_out(CloseLink&& close);
  void carry_out(Note&& note);

  using MasterDriver = Driver<Core, Daemon>;
  Loop& loop_;
  Store& store_;
  DaemonOptions options_;
  codec::MasterFacts facts_;
  std::function<void()> ready_;
  std::function<void(Error)> failed_;
  std::unique_ptr<MasterDriver> driver_;
  std::unique_ptr<AgentLinkServer> agents_;
  std::unique_ptr<http::Server> server_;
  CallId last_call_ = 0;
  std::map<CallId, std::shared_ptr<http::Responder>> waiting_;
  std::map<StreamId, std::shared_ptr<http::EventStream>> streams_;
  Alarm alarm_;
};

}  // namespace banyan::master
