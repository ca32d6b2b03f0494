#include "orchestrator/frameworks/service/probes/exchange.h"

#include <array>
#include <boost/asio.hpp>
#include <memory>
#include <optional>

#include "runtime/adapters/loop/alarm.h"

namespace banyan::service {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t answer_bytes_max = 1u << 20;

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Loop& loop, std::string question, std::function<void(Result<std::string>)> done)
      : loop_(loop),
        too_late_(loop, [this] { finish(error("no answer in time")); }),
        socket_(loop.asio()),
        resolver_(loop.asio()),
        question_(std::move(question)),
        done_(std::move(done)) {}

  void start(const std::string& address, Duration timeout) {
    too_late_.after(timeout);
    const auto colon = address.rfind(':');
    if (colon == std::string::npos) {
      loop_.post([self = shared_from_this(), address] { self->finish(error("\"" + address + "\" is no host:port")); });
      return;
    }
    const auto host = address.substr(0, colon);
    const auto port = static_cast<std::uint16_t>(std::strtoul(address.c_str() + colon + 1, nullptr, 10));
    error_code failed;
    const auto ip = asio::ip::make_address(host, failed);
    if (!failed) return connect({ip, port});
    resolver_.async_resolve(host, std::to_string(port), [self = shared_from_this()](error_code e, auto results) {
      if (e || results.empty()) return self->finish(error("cannot resolve: " + e.message()));
      self->connect(results.begin()->endpoint());
    });
  }

 private:
  void connect(const asio::ip::tcp::endpoint& to) {
    socket_.async_connect(to, [self = shared_from_this()](error_code e) {
      if (e) return self->finish(error("cannot connect: " + e.message()));
      if (self->question_.empty()) return self->finish(std::string());
      self->ask();
    });
  }

  void ask() {
    asio::async_write(socket_, asio::buffer(question_), [self = shared_from_this()](error_code e, std::size_t) {
      if (e) return self->finish(error("cannot send: " + e.message()));
      self->read();
    });
  }

  void read() {
    socket_.async_read_some(asio::buffer(chunk_), [self = shared_from_this()](error_code e, std::size_t n) {
      self->answer_.append(self->chunk_.data(), n);
      if (e == asio::error::eof || self->answer_.size() > answer_bytes_max) return self->finish(self->answer_);
      if (e) return self->finish(error("cannot read: " + e.message()));
      self->read();
    });
  }

  void finish(Result<std::string> result) {
    if (!done_) return;
    too_late_.set(std::nullopt);
    error_code ignored;
    socket_.close(ignored);
    resolver_.cancel();
    std::exchange(done_, nullptr)(std::move(result));
  }

  Loop& loop_;
  Alarm too_late_;
  asio::ip::tcp::socket socket_;
  asio::ip::tcp::resolver resolver_;
  std::string question_;
  std::function<void(Result<std::string>)> done_;
  std::array<char, 16384> chunk_{};
  std::string answer_;
};

}  // namespace

void exchange(Loop& loop, const std::string& address, const std::string& question, Duration timeout,
              std::function<void(Result<std::string>)> done) {
  std::make_shared<Exchange>(loop, question, std::move(done))->start(address, timeout);
}

}  // namespace banyan::service
