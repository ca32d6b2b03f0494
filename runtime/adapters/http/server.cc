#include "runtime/adapters/http/server.h"

#include <unistd.h>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include "runtime/adapters/http/channel.h"
#include "runtime/adapters/http/recordio.h"
#include "runtime/adapters/http/text.h"
#include "runtime/adapters/loop/acceptor.h"
#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/loop/socket.h"
#include "runtime/base/limits.h"

namespace banyan::http {
namespace {

namespace beast = boost::beast;
using namespace std::chrono_literals;
using Parser = beast::http::request_parser<beast::http::string_body>;

constexpr std::uint32_t header_bytes_max = 64u << 10;
constexpr std::size_t unanswered_max = 256;  ///< pipelined requests of one connection; then it is read no further
constexpr Duration request_time_max = 60s;   ///< from a request's first byte to its last
constexpr Duration linger = 2s;              ///< for a refused peer to read why, before the connection is cut

Request to_request(Parser& parser) {
  auto& message = parser.get();
  Request request;
  request.method = std::string(message.method_string());
  std::string target(message.target());
  if (const auto scheme = target.find("://"); scheme != std::string::npos && target.front() != '/') {
    const auto path = target.find('/', scheme + 3);  // absolute form, as for a proxy
    target = path == std::string::npos ? "/" : target.substr(path);
  }
  const auto question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = target.substr(question + 1);
  for (const auto& field : message) add_header(request.headers, field.name_string(), field.value());
  request.body = std::move(message.body());
  return request;
}

Response refusal(const beast::error_code& why) {
  const auto plain = [](unsigned status, std::string text) {
    return Response{status, {{"content-type", "text/plain; charset=utf-8"}}, std::move(text)};
  };
  if (why == beast::http::error::body_limit)
    return plain(413, "The body is over the limit of " + std::to_string(limits::request_bytes_max) + " bytes.\n");
  if (why == beast::http::error::header_limit)
    return plain(431, "The headers are over the limit of " + std::to_string(header_bytes_max) + " bytes.\n");
  return plain(400, "Not an HTTP/1.1 request: " + why.message() + ".\n");
}

/// One peer. Requests get numbers; their answers wait in `slots_` so that they leave in that order.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Handler = std::shared_ptr<const Server::Handler>;

  Connection(Loop& loop, Handler handler, std::function<void()> ended)
      : loop_(loop), handler_(std::move(handler)), ended_(std::move(ended)) {}

  void start(int fd) {
    channel_ = Channel::create(loop_, fd,
                               {[self = shared_from_this()](std::string_view bytes) { self->on_bytes(bytes); },
                                [self = shared_from_this()](const std::string&) { self->on_closed(); }},
                               nullptr);
  }

  /// The server goes: no callbacks.
  void drop() {
    end();
    channel_->close();
    slots_.clear();
  }

  // For the responders and streams, which outlive the connection and then get no slot.
  void answer(std::uint64_t number, const Response& response) {
    if (Slot* slot = find(number)) {
      add(number, response_text(response, slot->keep_alive, !slot->head_only));
      complete(number);
    }
  }
  void open_stream(std::uint64_t number, const Headers& headers) {
    if (Slot* slot = find(number)) add(number, stream_head(headers, slot->keep_alive));
  }
  void add(std::uint64_t number, std::string_view bytes) {
    Slot* slot = find(number);
    if (!slot) return;
    if (number == first_) return channel_->send(bytes);
    slot->bytes += bytes;
    held_ += bytes.size();
    if (held_ > limits::stream_backlog_bytes_max) channel_->fail("answers pile up behind an open stream");
  }
  void complete(std::uint64_t number) {
    if (Slot* slot = find(number)) slot->complete = true;
    advance();
  }
  void when_gone(std::uint64_t number, std::function<void()> gone) {
    if (Slot* slot = find(number)) slot->gone = std::move(gone);
    else if (gone) loop_.post(std::move(gone));
  }

 private:
  struct Slot {
    bool keep_alive = true;
    bool head_only = false;
    bool complete = false;
    std::string bytes = {};           ///< empty in the first slot: there they go to the channel at once
    std::function<void()> gone = {};  ///< set by a stream's owner
  };

  Slot* find(std::uint64_t number) {
    const auto place = number - first_;
    return open_ && place < slots_.size() ? &slots_[place] : nullptr;
  }

  void on_bytes(std::string_view bytes) {
    if (refused_) return;
    if (input_.empty()) return parse(bytes);
    input_ += bytes;
    const auto input = std::exchange(input_, {});
    parse(input);
  }

  void parse(std::string_view bytes) {
    while (open_ && !last_ && !bytes.empty() && slots_.size() < unanswered_max) {
      if (!parser_) fresh_parser();
      beast::error_code failed;
      const auto used = parser_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), failed);
      bytes.remove_prefix(used);
      if (failed && failed != beast::http::error::need_more) return refuse(refusal(failed));
      if (parser_->is_done()) dispatch();
      else if (used == 0 || failed) break;
    }
    if (!open_ || last_) return;
    input_ = bytes;
    full_ = slots_.size() >= unanswered_max;
    channel_->pause(full_);
    continue_if_expected();
    watch_slowness();
  }

  void fresh_parser() {
    parser_.emplace();
    parser_->header_limit(header_bytes_max);
    parser_->body_limit(limits::request_bytes_max);
    parser_->eager(true);
    continued_ = false;
  }

  void dispatch() {
    const auto self = shared_from_this();
    const auto number = first_ + slots_.size();
    last_ = !parser_->keep_alive();
    slots_.push_back({.keep_alive = !last_, .head_only = parser_->get().method() == beast::http::verb::head});
    Request request = to_request(*parser_);
    parser_.reset();
    clear_timer();
    (*handler_)(std::move(request), make_responder(number));
  }

  std::shared_ptr<Responder> make_responder(std::uint64_t number);

  /// Answers, says that this is the last, and reads on for a moment so that the peer sees the answer and not a reset.
  void refuse(const Response& response) {
    last_ = refused_ = true;
    parser_.reset();
    slots_.push_back({.keep_alive = false});
    answer(first_ + slots_.size() - 1, response);
  }

  /// Sends what is due, in order.
  void advance() {
    while (open_ && !slots_.empty()) {
      Slot& front = slots_.front();
      if (!front.bytes.empty()) {
        held_ -= front.bytes.size();
        channel_->send(std::exchange(front.bytes, {}));
      }
      if (!front.complete) return;
      const bool keep_alive = front.keep_alive;
      slots_.pop_front();
      ++first_;
      if (!keep_alive) return hang_up();
    }
    if (open_ && full_) parse_later();
  }

  /// A full pipeline stopped the reading; there is room again.
  void parse_later() {
    loop_.post([self = shared_from_this()] {
      if (!self->open_ || self->refused_ || !self->full_) return;
      const auto input = std::exchange(self->input_, {});
      self->parse(input);
    });
  }

  void hang_up() {
    if (!refused_) return finish();
    set_timer(linger, [](Connection& self) { self.finish(); });
  }

  void finish() {
    end();
    channel_->finish();
  }

  void continue_if_expected() {
    if (continued_ || !parser_ || !parser_->is_header_done() || !slots_.empty()) return;
    if (!beast::iequals(parser_->get()[beast::http::field::expect], "100-continue")) return;
    continued_ = true;
    channel_->send("HTTP/1.1 100 Continue\r\n\r\n");
  }

  void watch_slowness() {
    if (parser_ && !full_ && timer_ == 0)
      set_timer(request_time_max, [](Connection& self) {
        self.refuse({408, {{"content-type", "text/plain; charset=utf-8"}}, "The request did not arrive in time.\n"});
      });
  }

  template <class Then>
  void set_timer(Duration delay, Then then) {
    clear_timer();
    timer_ = loop_.after(delay, [self = shared_from_this(), then] {
      self->timer_ = 0;
      if (self->open_) then(*self);
    });
  }
  void clear_timer() {
    if (timer_ != 0) loop_.cancel(std::exchange(timer_, 0));
  }

  void end() {
    if (!open_) return;
    open_ = false;
    clear_timer();
    ended_();
  }

  void on_closed() {
    const auto self = shared_from_this();
    end();
    for (auto& slot : std::exchange(slots_, {}))
      if (slot.gone) slot.gone();
  }

  Loop& loop_;
  const Handler handler_;
  const std::function<void()> ended_;
  std::shared_ptr<Channel> channel_;
  bool open_ = true;
  bool last_ = false;             // no request is taken any more
  bool refused_ = false;          // what still comes is thrown away
  std::optional<Parser> parser_;  // set within a request
  bool continued_ = false;        // "100 Continue" was sent for it
  std::string input_;             // received, not parsed yet
  std::deque<Slot> slots_;
  std::uint64_t first_ = 0;  // number of slots_.front()
  std::size_t held_ = 0;     // bytes in slots_
  bool full_ = false;        // reading has stopped until slots_ gets shorter
  Loop::TimerId timer_ = 0;
};

class SlotStream final : public EventStream {
 public:
  SlotStream(std::weak_ptr<Connection> connection, std::uint64_t number)
      : connection_(std::move(connection)), number_(number) {}
  ~SlotStream() override { close(); }

  void send_record(std::string_view record) override {
    if (const auto connection = connection_.lock()) connection->add(number_, chunk(encode_record(record)));
  }
  void close() override {
    const auto connection = std::exchange(connection_, {}).lock();
    if (!connection) return;
    connection->when_gone(number_, nullptr);
    connection->add(number_, last_chunk);
    connection->complete(number_);
  }
  void on_closed(std::function<void()> closed) override {
    if (const auto connection = connection_.lock()) connection->when_gone(number_, std::move(closed));
  }

 private:
  std::weak_ptr<Connection> connection_;
  const std::uint64_t number_;
};

class SlotResponder final : public Responder {
 public:
  SlotResponder(std::weak_ptr<Connection> connection, std::uint64_t number)
      : connection_(std::move(connection)), number_(number) {}
  ~SlotResponder() override { reply({500, {{"content-type", "text/plain; charset=utf-8"}}, "No answer was given.\n"}); }

  void reply(Response response) override {
    if (const auto connection = std::exchange(connection_, {}).lock()) connection->answer(number_, response);
  }
  std::shared_ptr<EventStream> stream(std::map<std::string, std::string> headers) override {
    auto connection = std::exchange(connection_, {});
    if (const auto open = connection.lock()) open->open_stream(number_, headers);
    return std::make_shared<SlotStream>(std::move(connection), number_);
  }

 private:
  std::weak_ptr<Connection> connection_;  // none once answered
  const std::uint64_t number_;
};

std::shared_ptr<Responder> Connection::make_responder(std::uint64_t number) {
  return std::make_shared<SlotResponder>(weak_from_this(), number);
}

class SocketServer final : public Server {
 public:
  SocketServer(Loop& loop, const Address& address, int fd, Handler handler)
      : loop_(loop),
        address_(address),
        handler_(std::make_shared<const Handler>(std::move(handler))),
        acceptor_(loop, fd, [this](int peer) { accept(peer); }) {}
  ~SocketServer() override {
    if (is_unix(address_.text)) ::unlink(unix_path(address_.text).c_str());
    for (const auto& [number, connection] : std::exchange(connections_, {})) connection->drop();
  }

  std::uint16_t port() const override { return acceptor_.port(); }

 private:
  void accept(int peer) {
    const auto number = ++last_connection_;
    auto connection = std::make_shared<Connection>(loop_, handler_, [this, number] { connections_.erase(number); });
    connections_.emplace(number, connection);
    connection->start(peer);
  }

  Loop& loop_;
  const Address address_;
  const std::shared_ptr<const Handler> handler_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections_;
  std::uint64_t last_connection_ = 0;
  Acceptor acceptor_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(Loop& loop, const Address& address, Handler handler) {
  const auto fd = listen_on(address.text);
  if (!fd) return error(fd.error().message);
  return std::make_unique<SocketServer>(loop, address, *fd, std::move(handler));
}

}  // namespace banyan::http
