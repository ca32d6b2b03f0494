// logging-generator: the application of the story. It writes numbered JSON lines to a file when asked to.
//
//   POST /lines?count=N[&rate=R][&message=TEXT]   writes N lines, R a second (default: at once); answers when all are
//                                                 on disk: {"first":…,"last":…,"first_id":"…","last_id":"…"}
//   GET  /written                                 every line's id, one a line, read back from the file
//   GET  /count                                   {"written":N}
//   GET  /ready                                   200

#include <fmt/core.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <csignal>
#include <map>
#include <memory>
#include <optional>

#include "examples/logging-stack/src/spool.h"
#include "runtime/adapters/http/server.h"
#include "runtime/adapters/loop/loop.h"

namespace example {
namespace {

using banyan::Loop;
using banyan::http::Request;
using banyan::http::Responder;
using banyan::http::Response;

constexpr std::uint64_t lines_max = 10'000'000;      ///< of one request
constexpr std::uint64_t lines_at_once_max = 10'000;  ///< of one append
constexpr banyan::Duration pace = std::chrono::milliseconds(20);

/// "count=10&rate=5" -> values; names that come twice keep the first.
std::map<std::string, std::string> parameters(const std::string& query) {
  std::map<std::string, std::string> found;
  for (std::size_t at = 0; at < query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string pair = query.substr(at, end - at);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    found.emplace(pair.substr(0, equals), equals < pair.size() ? pair.substr(equals + 1) : "");
    at = end + 1;
  }
  return found;
}

/// A whole number between 1 and `max`, `otherwise` when the text is empty, nothing when it is neither.
std::optional<std::uint64_t> number(const std::string& text, std::uint64_t otherwise, std::uint64_t max) {
  if (text.empty()) return otherwise;
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < 1 || value > max) return std::nullopt;
  return value;
}

Response text_answer(unsigned status, std::string body, const char* type = "text/plain") {
  return {status, {{"content-type", type}}, std::move(body)};
}

/// One POST /lines under way. THREADS: the loop's. LIFETIME: held by its own timer until the answer is out.
class Burst : public std::enable_shared_from_this<Burst> {
 public:
  Burst(Loop& loop, Spool& spool, std::uint64_t count, std::uint64_t rate, std::string message,
        std::shared_ptr<Responder> responder)
      : loop_(loop),
        spool_(spool),
        count_(count),
        rate_(rate),
        message_(std::move(message)),
        responder_(std::move(responder)),
        start_(banyan::mono_now()) {}

  /// Writes what is due by now, then waits for the next beat or answers.
  void go_on() {
    const auto due = std::min(due_by(banyan::mono_now()), done_ + lines_at_once_max);
    if (due > done_) {
      const auto written = spool_.append(due - done_, message_);
      if (!written) {
        spdlog::error("{}", written.error().message);
        return responder_->reply(text_answer(500, written.error().message + "\n"));
      }
      if (done_ == 0) first_ = written->first;
      last_ = written->last;
      done_ = due;
    }
    if (done_ == count_) return responder_->reply(text_answer(200, summary(), "application/json"));
    loop_.after(rate_ == 0 ? banyan::Duration::zero() : pace, [self = shared_from_this()] { self->go_on(); });
  }

 private:
  [[nodiscard]] std::uint64_t due_by(banyan::Instant now) const {
    if (rate_ == 0) return count_;
    const std::chrono::duration<double> passed = now - start_;
    return std::min(count_, static_cast<std::uint64_t>(passed.count() * static_cast<double>(rate_)) + 1);
  }

  [[nodiscard]] std::string summary() const {
    return fmt::format("{{\"first\":{},\"last\":{},\"first_id\":\"{}\",\"last_id\":\"{}\"}}\n", first_, last_,
                       spool_.id_of(first_), spool_.id_of(last_));
  }

  Loop& loop_;
  Spool& spool_;
  std::uint64_t count_;
  std::uint64_t rate_;  ///< lines a second; 0: at once
  std::string message_;
  std::shared_ptr<Responder> responder_;
  banyan::Instant start_;
  std::uint64_t done_ = 0;
  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
};

void write_lines(Loop& loop, Spool& spool, const Request& request, std::shared_ptr<Responder> responder) {
  auto given = parameters(request.query);
  const auto count = number(given["count"], 1, lines_max);
  const auto rate = number(given["rate"], 0, lines_max);
  if (!count || !rate)
    return responder->reply(text_answer(400, fmt::format("count and rate go from 1 to {}\n", lines_max)));
  const std::string message = given["message"].empty() ? "line" : given["message"];
  std::make_shared<Burst>(loop, spool, *count, *rate, message, std::move(responder))->go_on();
}

void written(const Spool& spool, Responder& responder) {
  const auto ids = spool.ids();
  if (!ids) return responder.reply(text_answer(500, ids.error().message + "\n"));
  std::string body;
  for (const std::string& id : *ids) body += id + "\n";
  responder.reply(text_answer(200, std::move(body)));
}

void answer(Loop& loop, Spool& spool, const Request& request, std::shared_ptr<Responder> responder) {
  const std::string what = request.method + " " + request.path;
  if (what == "POST /lines") return write_lines(loop, spool, request, std::move(responder));
  if (what == "GET /written") return written(spool, *responder);
  if (what == "GET /count")
    return responder->reply(text_answer(200, fmt::format("{{\"written\":{}}}\n", spool.count()), "application/json"));
  if (what == "GET /ready") return responder->reply(text_answer(200, "ready\n"));
  responder->reply(text_answer(404, "there are: POST /lines, GET /written, GET /count, GET /ready\n"));
}

int run(const std::string& listen, const std::string& folder) {
  auto spool = Spool::open(folder);
  if (!spool) {
    spdlog::error("{}", spool.error().message);
    return 1;
  }
  Loop loop;
  const auto handler = [&](const Request& request, std::shared_ptr<Responder> responder) {
    answer(loop, *spool, request, std::move(responder));
  };
  auto server = banyan::http::Server::listen(loop, {listen}, handler);
  if (!server) {
    spdlog::error("{}", server.error().message);
    return 1;
  }
  loop.on_signals({SIGTERM, SIGINT}, [&](int) { loop.stop(); });
  spdlog::info("writing to {} on request at {}; {} lines so far", folder, listen, spool->count());
  loop.run();
  return 0;
}

}  // namespace
}  // namespace example

int main(int argc, char** argv) {
  CLI::App app("Writes numbered JSON lines to a file when asked to.");
  std::string listen = "127.0.0.1:8080";
  std::string folder = ".";
  app.add_option("--listen", listen, "host:port to be asked at")->capture_default_str();
  app.add_option("--spool", folder, "folder of the file")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  spdlog::set_default_logger(spdlog::stderr_logger_mt("generator"));
  return example::run(listen, folder);
}
