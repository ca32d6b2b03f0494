#include "runtime/adapters/http/client.h"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/adapters/http/channel.h"
#include "runtime/adapters/http/recordio.h"
#include "runtime/adapters/http/text.h"
#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/loop/socket.h"
#include "runtime/base/limits.h"

namespace banyan::http {
namespace {

namespace beast = boost::beast;
using BodyParser = beast::http::response_parser<beast::http::string_body>;
using HeadParser = beast::http::response_parser<beast::http::empty_body>;

constexpr std::size_t in_flight_max = 16;  ///< more gained nothing when measured
constexpr std::uint32_t header_bytes_max = 64u << 10;

template <class Message>
void take_head(const Message& message, Response& response) {
  response.status = message.result_int();
  for (const auto& field : message) add_header(response.headers, field.name_string(), field.value());
}

/// 100 "go on" and its like: the real answer follows.
template <class Message>
bool interim(const Message& message) {
  return message.result_int() / 100 == 1;
}

template <class Parser>
void limit(Parser& parser) {
  parser.header_limit(header_bytes_max);
  parser.body_limit(limits::stream_backlog_bytes_max);
}

boost::asio::const_buffer buffer_of(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

/// Connects to the first of the address's candidates that answers. `closed` gets the last one's reason.
class Dialler : public std::enable_shared_from_this<Dialler> {
 public:
  Dialler(Loop& loop, Address address, Channel::Callbacks callbacks, std::function<void()> connected)
      : loop_(loop), address_(std::move(address)), callbacks_(std::move(callbacks)), connected_(std::move(connected)) {}

  void start() {
    auto found = resolve(address_.text);
    if (!found) return later(found.error().message);
    candidates_ = std::move(*found);
    next("no address");
  }

  [[nodiscard]] Channel* channel() const { return channel_.get(); }

  void close() {
    closed_ = true;
    if (channel_) channel_->close();
    // Not here: what the callbacks hold may be the caller, or the last to hold this.
    loop_.post([self = shared_from_this()] { self->callbacks_ = {}; });
  }

 private:
  void next(std::string reason) {
    while (tried_ < candidates_.size()) {
      const auto fd = connect_to(candidates_[tried_++]);
      if (fd) return attempt(*fd);
      reason = fd.error().message;
    }
    later("cannot connect to " + address_.text + ": " + reason);
  }

  void attempt(int fd) {
    channel_ = Channel::create(loop_, fd,
                               {[self = shared_from_this()](std::string_view bytes) { self->callbacks_.bytes(bytes); },
                                [self = shared_from_this()](std::string reason) {
                                  if (self->closed_) return;
                                  if (self->up_) self->end(self->address_.text + ": " + std::move(reason));
                                  else self->next(std::move(reason));
                                }},
                               [self = shared_from_this()] {
                                 self->up_ = true;
                                 self->connected_();
                               });
  }

  void later(std::string reason) {
    loop_.post([self = shared_from_this(), reason = std::move(reason)]() mutable {
      if (!self->closed_) self->end(std::move(reason));
    });
  }

  void end(std::string reason) {
    closed_ = true;
    const auto callbacks = std::exchange(callbacks_, {});
    callbacks.closed(std::move(reason));
  }

  Loop& loop_;
  const Address address_;
  Channel::Callbacks callbacks_;
  const std::function<void()> connected_;
  std::vector<SocketAddress> candidates_;
  std::size_t tried_ = 0;
  std::shared_ptr<Channel> channel_;
  bool up_ = false;
  bool closed_ = false;
};

/// The calls and their connection. Shared with the callbacks of the loop, which may outlive the Client.
class Calls : public std::enable_shared_from_this<Calls> {
 public:
  Calls(Loop& loop, Address address) : loop_(loop), address_(std::move(address)) {}

  void call(Request request, Duration timeout, Client::Done done) {
    const auto number = ++last_call_;
    const auto timer = loop_.after(timeout, [weak = weak_from_this(), number] {
      if (const auto self = weak.lock()) self->expire(number);
    });
    queued_.push_back({number, timer, request.method, request.method + " " + request.path,
                       request_text(request, address_), std::move(done)});
    if (!connection_) connect();
    else if (up_) ask_to_send();
  }

  void drop() {
    dropped_ = true;
    disconnect();
    for (auto* calls : {&sent_, &queued_}) {
      for (const auto& call : *calls) loop_.cancel(call.timer);
      calls->clear();
    }
  }

 private:
  struct Call {
    std::uint64_t number = 0;
    Loop::TimerId timer = 0;
    std::string method;
    std::string title;  ///< for messages
    std::string bytes;
    Client::Done done;
  };

  void connect() {
    // Callbacks of a connection that was given up must not reach the next one.
    const auto generation = ++generation_;
    const auto guarded = [weak = weak_from_this(), generation](auto then) {
      return [weak, generation, then](auto... arguments) {
        const auto self = weak.lock();
        if (self && self->generation_ == generation) then(*self, std::move(arguments)...);
      };
    };
    connection_ = std::make_shared<Dialler>(
        loop_, address_,
        Channel::Callbacks{guarded([](Calls& self, std::string_view bytes) { self.on_bytes(bytes); }),
                           guarded([](Calls& self, std::string reason) { self.on_closed(std::move(reason)); })},
        guarded([](Calls& self) {
          self.up_ = true;
          self.send();
        }));
    connection_->start();
  }

  void disconnect() {
    ++generation_;
    if (connection_) std::exchange(connection_, {})->close();
    up_ = false;
    parser_.reset();
    input_.clear();
  }

  void ask_to_send() {
    loop_.at_end_of_turn(this, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->send();
    });
  }

  void send() {
    while (up_ && !queued_.empty() && sent_.size() < in_flight_max) {
      auto call = std::move(queued_.front());
      queued_.pop_front();
      connection_->channel()->send(std::exchange(call.bytes, {}));
      sent_.push_back(std::move(call));
    }
  }

  void on_bytes(std::string_view bytes) {
    const auto self = shared_from_this();
    std::string joined;
    if (!input_.empty()) {
      joined = std::exchange(input_, {}) + std::string(bytes);
      bytes = joined;
    }
    const auto generation = generation_;
    while (!bytes.empty()) {
      if (sent_.empty()) return on_closed(address_.text + ": an answer that no call asked for");
      if (!parser_) fresh_parser();
      beast::error_code failed;
      const auto used = parser_->put(buffer_of(bytes), failed);
      bytes.remove_prefix(used);
      if (failed && failed != beast::http::error::need_more)
        return on_closed(address_.text + ": not an HTTP answer: " + failed.message());
      if (parser_->is_done()) {
        const bool more = finish_answer();
        if (generation != generation_) return;  // the callback dropped us, or reconnected
        if (!more) return on_closed(address_.text + ": the peer answers no further calls on this connection");
      } else if (used == 0 || failed) {
        break;
      }
    }
    input_ = bytes;
    ask_to_send();
  }

  void fresh_parser() {
    parser_.emplace();
    limit(*parser_);
    parser_->eager(true);
    parser_->skip(sent_.front().method == "HEAD");
  }

  /// Hands the answer to its call. False: the peer will close.
  bool finish_answer() {
    auto& message = parser_->get();
    const bool more = parser_->keep_alive();
    if (interim(message)) {
      parser_.reset();
      return true;
    }
    Response response;
    take_head(message, response);
    response.body = std::move(message.body());
    parser_.reset();
    auto call = std::move(sent_.front());
    sent_.pop_front();
    loop_.cancel(call.timer);
    call.done(std::move(response));
    return more;
  }

  /// The connection is over: an answer that ends with it is complete, every other call fails.
  void on_closed(std::string reason) {
    const auto self = shared_from_this();
    if (parser_ && !sent_.empty()) {
      beast::error_code failed;
      parser_->put_eof(failed);
      if (!failed && parser_->is_done()) {
        finish_answer();
        if (dropped_) return;
      }
    }
    fail_all(reason);
  }

  void fail_all(const std::string& reason) {
    disconnect();
    auto calls = std::exchange(sent_, {});
    for (auto& call : std::exchange(queued_, {})) calls.push_back(std::move(call));
    for (auto& call : calls) {
      if (dropped_) return;
      loop_.cancel(call.timer);
      call.done(error(call.title + ": " + reason));
    }
  }

  /// A sent call blocks those behind it, so its connection goes; a queued one goes alone.
  void expire(std::uint64_t number) {
    const auto self = shared_from_this();
    const std::string reason = address_.text + ": no answer in time";
    for (const auto& call : sent_)
      if (call.number == number) return fail_all(reason);
    for (auto it = queued_.begin(); it != queued_.end(); ++it) {
      if (it->number != number) continue;
      auto call = std::move(*it);
      queued_.erase(it);
      if (queued_.empty() && sent_.empty()) disconnect();  // it may have been the connecting that took so long
      return call.done(error(call.title + ": " + reason));
    }
  }

  Loop& loop_;
  const Address address_;
  std::shared_ptr<Dialler> connection_;
  std::uint64_t generation_ = 0;  // of connection_
  bool up_ = false;
  bool dropped_ = false;
  std::deque<Call> queued_;
  std::deque<Call> sent_;  // unanswered, in order
  std::uint64_t last_call_ = 0;
  std::optional<BodyParser> parser_;  // set within an answer
  std::string input_;                 // received, not parsed yet
};

class PipelinedClient final : public Client {
 public:
  PipelinedClient(Loop& loop, Address address) : calls_(std::make_shared<Calls>(loop, std::move(address))) {}
  ~PipelinedClient() override { calls_->drop(); }
  void call(Request request, Duration timeout, Done done) override {
    calls_->call(std::move(request), timeout, std::move(done));
  }

 private:
  std::shared_ptr<Calls> calls_;
};

/// Head by Beast, body by our own decoders: those take half the time of Beast's and have no limit on a stream's length.
class Subscription : public std::enable_shared_from_this<Subscription> {
 public:
  Subscription(StreamCall::Callbacks callbacks) : callbacks_(std::move(callbacks)) { limit(head_.emplace()); }

  void start(Loop& loop, const Address& address, const Request& request) {
    const auto guarded = [weak = weak_from_this()](auto then) {
      return [weak, then](auto... arguments) {
        if (const auto self = weak.lock(); self && !self->over_) then(*self, std::move(arguments)...);
      };
    };
    connection_ = std::make_shared<Dialler>(
        loop, address,
        Channel::Callbacks{guarded([](Subscription& self, std::string_view bytes) { self.on_bytes(bytes); }),
                           guarded([](Subscription& self, std::string reason) { self.on_closed(std::move(reason)); })},
        guarded(
            [text = request_text(request, address)](Subscription& self) { self.connection_->channel()->send(text); }));
    connection_->start();
  }

  void drop() {
    over_ = true;
    if (connection_) std::exchange(connection_, {})->close();
  }

 private:
  void on_bytes(std::string_view bytes) {
    const auto self = shared_from_this();
    if (!head_ && !refusal_) return on_stream(bytes);
    input_ += bytes;
    if (refusal_) return on_refusal();
    while (head_ && !over_ && !input_.empty()) {
      beast::error_code failed;
      input_.erase(0, head_->put(buffer_of(input_), failed));
      if (failed && failed != beast::http::error::need_more) return end("not an HTTP answer: " + failed.message());
      if (!head_->is_header_done()) return;
      if (interim(head_->get())) limit(head_.emplace());
      else on_head();
    }
  }

  void on_head() {
    if (head_->get().result_int() != 200) {
      limit(refusal_.emplace(std::move(*head_)));
      refusal_->eager(true);
      head_.reset();
      return on_refusal();
    }
    if (!head_->chunked()) return end("the answer is not a chunked stream");
    Response response;
    take_head(head_->get(), response);
    head_.reset();
    callbacks_.opened(std::move(response));
    if (!over_) on_stream(std::exchange(input_, {}));
  }

  void on_stream(std::string_view bytes) {
    std::string payload;
    std::vector<std::string> records;
    auto decoded = chunks_.feed(bytes, payload);
    if (decoded) decoded = records_.feed(payload, records);
    for (auto& record : records) {
      callbacks_.record(std::move(record));
      if (over_) return;
    }
    if (!decoded) return end(decoded.error().message);
    if (chunks_.ended()) end("the peer ended the stream");
  }

  void on_refusal() {
    beast::error_code failed;
    // REQUIRED by Beast: a message that is complete takes no more bytes.
    if (!input_.empty() && !refusal_->is_done()) input_.erase(0, refusal_->put(buffer_of(input_), failed));
    if (failed && failed != beast::http::error::need_more) return end("not an HTTP answer: " + failed.message());
    if (refusal_->is_done()) refused();
  }

  void refused() {
    Response response;
    take_head(refusal_->get(), response);
    response.body = std::move(refusal_->get().body());
    const auto status = response.status;
    refusal_.reset();
    callbacks_.opened(std::move(response));
    if (!over_) end("refused with status " + std::to_string(status));
  }

  void on_closed(std::string reason) {
    const auto self = shared_from_this();
    if (refusal_) {
      beast::error_code failed;
      refusal_->put_eof(failed);
      if (!failed && refusal_->is_done()) return refused();
    }
    end(std::move(reason));
  }

  void end(std::string reason) {
    drop();
    callbacks_.closed(std::move(reason));
  }

  const StreamCall::Callbacks callbacks_;
  std::shared_ptr<Dialler> connection_;
  bool over_ = false;
  std::optional<HeadParser> head_;     // until the headers are there
  std::optional<BodyParser> refusal_;  // then, for a status other than 200
  std::string input_;                  // received for these two, not parsed yet
  ChunkDecoder chunks_;
  RecordDecoder records_;
};

class SubscriptionCall final : public StreamCall {
 public:
  explicit SubscriptionCall(std::shared_ptr<Subscription> subscription) : subscription_(std::move(subscription)) {}
  ~SubscriptionCall() override { subscription_->drop(); }

 private:
  std::shared_ptr<Subscription> subscription_;
};

}  // namespace

std::unique_ptr<Client> Client::create(Loop& loop, Address address) {
  return std::make_unique<PipelinedClient>(loop, std::move(address));
}

std::unique_ptr<StreamCall> StreamCall::open(Loop& loop, Address address, Request request, Callbacks callbacks) {
  auto subscription = std::make_shared<Subscription>(std::move(callbacks));
  subscription->start(loop, address, request);
  return std::make_unique<SubscriptionCall>(std::move(subscription));
}

}  // namespace banyan::http
