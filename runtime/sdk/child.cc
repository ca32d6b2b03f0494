#include "runtime/sdk/child.h"

#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "runtime/adapters/http/client.h"
#include "runtime/adapters/loop/alarm.h"
#include "runtime/sdk/json.h"

namespace banyan::sdk {
namespace {

using namespace std::chrono_literals;

constexpr Duration poll_timeout = 90s;  // the executor answers a poll without news after 30 s
constexpr Duration report_timeout = 10s;
constexpr Duration retry_delay = 200ms;

class SocketChild final : public Child {
 public:
  SocketChild(Loop& loop, const std::string& socket, std::function<void(const Handover&)> handover)
      : handover_(std::move(handover)),
        poll_again_(loop, [this] { poll(); }),
        report_again_(loop, [this] { send_report(); }),
        polls_(http::Client::create(loop, {"unix:" + socket})),
        reports_(http::Client::create(loop, {"unix:" + socket})) {
    poll();
  }

  void report(const ChildStatus& status) override {
    std::string text = to_json(status);
    if (text == newest_) return;
    newest_ = std::move(text);
    if (!reporting_) send_report();
  }

 private:
  void poll() {
    http::Request request;
    request.method = "GET";
    request.path = "/v1/handover";
    request.query = "after=" + std::to_string(version_);
    polls_->call(std::move(request), poll_timeout, [this](const Result<http::Response>& answer) {
      if (!answer || answer->status >= 400) return poll_again_.after(retry_delay);
      Handover handover;
      if (answer->status == 200 && from_json(answer->body, handover) && handover.version() > version_) {
        version_ = handover.version();
        handover_(handover);
      }
      poll();
    });
  }

  void send_report() {
    reporting_ = true;
    sent_ = newest_;
    http::Request request;
    request.path = "/v1/report";
    request.headers["content-type"] = "application/json";
    request.body = sent_;
    reports_->call(std::move(request), report_timeout, [this](const Result<http::Response>& answer) {
      if (!answer || answer->status >= 500) return report_again_.after(retry_delay);
      reporting_ = false;
      if (sent_ != newest_) send_report();
    });
  }

  std::function<void(const Handover&)> handover_;
  std::uint64_t version_ = 0;
  std::string newest_;  ///< what was reported last
  std::string sent_;    ///< what is on its way; valid while reporting_
  bool reporting_ = false;
  Alarm poll_again_;
  Alarm report_again_;
  std::unique_ptr<http::Client> polls_;
  std::unique_ptr<http::Client> reports_;
};

}  // namespace

std::unique_ptr<Child> Child::connect(Loop& loop, const std::string& socket,
                                      std::function<void(const Handover&)> handover) {
  return std::make_unique<SocketChild>(loop, socket, std::move(handover));
}

Result<Handover> read_handover(const std::string& path) {
  std::ifstream file(path);
  if (!file) return error("cannot read the handover " + path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  Handover handover;
  if (auto parsed = from_json(text, handover); !parsed)
    return error("handover " + path + ": " + parsed.error().message);
  return handover;
}

void publish(ChildStatus& status, const Endpoint& endpoint) {
  for (auto& known : *status.mutable_endpoints()) {
    if (known.name() != endpoint.name()) continue;
    known = endpoint;
    return;
  }
  *status.add_endpoints() = endpoint;
}

}  // namespace banyan::sdk
