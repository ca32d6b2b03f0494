#include "runtime/bin/master/daemon.h"

#include <spdlog/spdlog.h>

#include "banyan/agent_link.pb.h"
#include "runtime/adapters/codec/master_agent_link.h"
#include "runtime/adapters/codec/master_calls.h"
#include "runtime/adapters/codec/master_operator.h"
#include "runtime/adapters/loop/seed.h"
#include "runtime/bin/master/negotiation.h"
#include "runtime/core/registry/registry.h"

namespace banyan::master {
namespace {

/// "host:port" without the port.
std::string host_of(const std::string& address) { return address.substr(0, address.rfind(':')); }

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::start(Loop& loop, Store& store, DaemonOptions options,
                                              std::function<void()> ready, std::function<void(Error)> failed) {
  const auto stored = store.load();
  if (!stored) return tl::unexpected(stored.error());
  auto registry = registry::read(*stored);
  if (!registry) return tl::unexpected(registry.error());

  std::unique_ptr<Daemon> daemon(new Daemon(loop, store, std::move(options)));
  daemon->ready_ = std::move(ready);
  daemon->failed_ = std::move(failed);
  Core core(daemon->options_.core, std::move(*registry), random_seed());
  daemon->facts_.id = core.state().master_id;
  daemon->driver_ = std::make_unique<MasterDriver>(std::move(core), *daemon);
  if (auto listening = daemon->listen(); !listening) return tl::unexpected(listening.error());
  daemon->driver_->deliver(Start{});
  return daemon;
}

Result<void> Daemon::listen() {
  auto server = http::Server::listen(loop_, {options_.listen}, [this](auto request, auto responder) {
    on_request(std::move(request), std::move(responder));
  });
  if (!server) return tl::unexpected(server.error());
  server_ = std::move(*server);
  AgentLinkServer::Callbacks callbacks;
  callbacks.message = [this](LinkId link, const agent_link::FromAgent& message) { on_agent(link, message); };
  callbacks.closed = [this](LinkId link) { driver_->deliver(AgentClosed{link}); };
  auto agents = AgentLinkServer::listen(loop_, options_.agent_listen, std::move(callbacks));
  if (!agents) return tl::unexpected(agents.error());
  agents_ = std::move(*agents);
  facts_.ip = options_.advertise.empty() ? host_of(options_.listen) : options_.advertise;
  facts_.port = server_->port();
  spdlog::info("schedulers and operators: http://{}:{}  agents: {}:{}", host_of(options_.listen), facts_.port,
               host_of(options_.agent_listen), agents_->port());
  return {};
}

// --- in -----------------------------------------------------------------------------------------------------------

void Daemon::on_request(http::Request request, std::shared_ptr<http::Responder> responder) {
  switch (route(request.path)) {
    case Route::scheduler: return scheduler_call(request, std::move(responder));
    case Route::operator_: return operator_call(request, responder);
    case Route::version:
      return responder->reply(
          {200, {{"Content-Type", "application/json"}}, std::string("{\"version\":\"") + codec::mesos_version + "\"}"});
    case Route::health: return responder->reply({200, {}, ""});
    case Route::redirect:
      return responder->reply({307, {{"Location", "//" + facts_.ip + ":" + std::to_string(facts_.port)}}, ""});
    case Route::unknown: return responder->reply(plain(404, "404 Not Found."));
  }
}

void Daemon::scheduler_call(const http::Request& request, std::shared_ptr<http::Responder> responder) {
  if (auto refusal = negotiate(request)) return responder->reply(std::move(*refusal));
  std::optional<std::string> stream;
  if (const auto it = request.headers.find("mesos-stream-id"); it != request.headers.end()) stream = it->second;
  const CallId call = ++last_call_;
  auto input = codec::decode_scheduler_call(request.body, stream, call);
  if (!input) return responder->reply(plain(input.error().status, input.error().text));
  if (std::holds_alternative<Subscribe>(*input))
    if (auto refusal = negotiate_answer(request)) return responder->reply(std::move(*refusal));
  deliver_call(call, *input, std::move(responder));
}

void Daemon::operator_call(const http::Request& request, const std::shared_ptr<http::Responder>& responder) {
  if (auto refusal = negotiate(request)) return responder->reply(std::move(*refusal));
  const CallId call = ++last_call_;
  auto result = codec::operator_call(request.body, driver_->core().state(), facts_, call);
  if (!result) return responder->reply(plain(result.error().status, result.error().text));
  if (const auto* input = std::get_if<Input>(&*result)) return deliver_call(call, *input, responder);
  if (auto refusal = negotiate_answer(request)) return responder->reply(std::move(*refusal));
  responder->reply({200,
                    {{"Content-Type", std::string(protobuf_type)}},
                    std::get<mesos::v1::master::Response>(*result).SerializePartialAsString()});
}

void Daemon::deliver_call(CallId call, const Input& input, std::shared_ptr<http::Responder> responder) {
  waiting_.emplace(call, std::move(responder));
  driver_->deliver(input);
}

void Daemon::on_agent(LinkId link, const agent_link::FromAgent& message) {
  const auto input = codec::decode(message, link);
  if (input) return driver_->deliver(*input);
  spdlog::warn("an agent is refused: {}", input.error().message);
  agents_->send(link, codec::encode(orders::Any(orders::Refused{input.error().message}), facts_.id));
  agents_->close(link);
}

// --- out ----------------------------------------------------------------------------------------------------------

void Daemon::perform(Effect effect) {
  std::visit([this](auto&& what) { carry_out(std::move(what)); }, std::move(effect));
}

void Daemon::carry_out(Answer&& answer) {
  const auto waiting = waiting_.extract(answer.call);
  if (waiting.empty()) return;
  waiting.mapped()->reply(answer.text.empty() ? http::Response{answer.status, {}, ""}
                                              : plain(answer.status, std::move(answer.text)));
}

void Daemon::carry_out(OpenStream&& open) {
  const auto waiting = waiting_.extract(open.call);
  if (waiting.empty()) return;
  auto stream =
      waiting.mapped()->stream({{"Content-Type", std::string(protobuf_type)}, {"Mesos-Stream-Id", open.stream.str()}});
  // Never from within perform(): the driver is not re-entered.
  stream->on_closed([this, id = open.stream] {
    loop_.post([this, id] {
      streams_.erase(id);
      driver_->deliver(StreamClosed{id});
    });
  });
  streams_.emplace(open.stream, std::move(stream));
}

void Daemon::carry_out(SendEvent&& send) {
  const auto it = streams_.find(send.stream);
  if (it != streams_.end())
    it->second->send_record(codec::encode(send.event, facts_, wall_now()).SerializePartialAsString());
}

void Daemon::carry_out(CloseStream&& close) {
  if (const auto stream = streams_.extract(close.stream); !stream.empty()) stream.mapped()->close();
}

void Daemon::carry_out(SendToAgent&& send) { agents_->send(send.link, codec::encode(send.order, facts_.id)); }

void Daemon::carry_out(CloseLink&& close) { agents_->close(close.link); }

void Daemon::carry_out(Note&& note) { spdlog::info("{}", note.text); }

void Daemon::commit(Changes changes, Store::Done done) {
  store_.commit(std::move(changes), [this, done = std::move(done)](const Result<void>& result) {
    done(result);
    // The first write is the epoch's: from now on the master answers.
    if (result && ready_) std::exchange(ready_, nullptr)();
  });
}

}  // namespace banyan::master
