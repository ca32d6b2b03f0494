#include "runtime/sdk/v1_link.h"

#include <utility>

#include "runtime/adapters/http/protobuf_post.h"
#include "runtime/adapters/loop/loop.h"

namespace banyan::sdk {
namespace {

constexpr Duration call_timeout = std::chrono::seconds(10);

http::Request v1_request(const std::string& path, const std::string& stream_id, std::string body) {
  auto request = http::protobuf_post(path, std::move(body));
  if (!stream_id.empty()) request.headers["mesos-stream-id"] = stream_id;
  return request;
}

/// Destroys `thing` in a later turn: we may be inside one of its callbacks.
template <class T>
void destroy_later(Loop& loop, std::unique_ptr<T> thing) {
  if (thing) loop.post([kept = std::shared_ptr<T>(std::move(thing))] {});
}

}  // namespace

V1Link::~V1Link() = default;

void V1Link::operator()(const OpenStream& open) {
  destroy_later(loop_, std::move(stream_));
  stream_number_ = open.stream;
  http::StreamCall::Callbacks callbacks;
  callbacks.opened = [this, number = open.stream](const http::Response& response) {
    report_(StreamOpened{number, response.status, http::header(response.headers, "mesos-stream-id"),
                         http::header(response.headers, "location"), response.body});
  };
  callbacks.record = [this, number = open.stream](std::string record) {
    report_(StreamRecord{number, std::move(record)});
  };
  callbacks.closed = [this, number = open.stream](std::string reason) {
    report_(StreamClosed{number, std::move(reason)});
  };
  stream_ = http::StreamCall::open(loop_, {open.server}, v1_request(open.path, {}, open.body), std::move(callbacks));
}

void V1Link::operator()(const CloseStream& close) {
  if (close.stream == stream_number_) destroy_later(loop_, std::move(stream_));
}

void V1Link::operator()(const SendCall& call) {
  if (!calls_ || calls_server_ != call.server) {
    destroy_later(loop_, std::move(calls_));
    calls_ = http::Client::create(loop_, {call.server});
    calls_server_ = call.server;
  }
  calls_->call(v1_request(call.path, call.stream_id, call.body), call_timeout,
               [this, number = call.call](Result<http::Response> answer) {
                 if (!answer) return report_(CallAnswered{number, 0, answer.error().message});
                 report_(CallAnswered{number, answer->status, std::move(answer->body)});
               });
}

}  // namespace banyan::sdk
