#include "executors/framework/child_socket.h"

#include <unistd.h>

#include <charconv>
#include <utility>

#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/posix/socket_folder.h"
#include "runtime/sdk/json.h"

namespace banyan::framework_executor {
namespace {

http::Response answer_of(unsigned status, std::string body = {}, const char* type = "application/json") {
  http::Response response;
  response.status = status;
  if (!body.empty()) response.headers["content-type"] = type;
  response.body = std::move(body);
  return response;
}

/// "after=12" -> 12; anything else -> 0.
std::uint64_t after_of(const std::string& query) {
  std::uint64_t after = 0;
  const std::string_view name = "after=";
  if (query.starts_with(name)) std::from_chars(query.data() + name.size(), query.data() + query.size(), after);
  return after;
}

}  // namespace

Result<SocketFolder> SocketFolder::make(const std::string& preferred) {
  auto path = posix::make_socket_folder({preferred, "/tmp"}, "banyan-child", "child.sock");
  if (!path) return tl::unexpected(path.error());
  return SocketFolder(std::move(*path));
}

SocketFolder::~SocketFolder() {
  if (path_.empty()) return;
  ::unlink(socket().c_str());
  ::rmdir(path_.c_str());
}

Result<std::unique_ptr<ChildSocket>> ChildSocket::listen(Loop& loop, const std::string& path, Callbacks callbacks) {
  std::unique_ptr<ChildSocket> socket(new ChildSocket(std::move(callbacks)));
  auto server = http::Server::listen(
      loop, {"unix:" + path},
      [raw = socket.get()](const http::Request& request, std::shared_ptr<http::Responder> responder) {
        raw->handle(request, std::move(responder));
      });
  if (!server) return tl::unexpected(server.error());
  socket->server_ = std::move(*server);
  return socket;
}

void ChildSocket::handle(const http::Request& request, std::shared_ptr<http::Responder> responder) {
  if (request.path == "/v1/handover" && request.method == "GET") {
    const std::uint64_t poll = ++polls_;
    waiting_[poll] = std::move(responder);
    callbacks_.asked(poll, after_of(request.query));
  } else if (request.path == "/v1/report" && request.method == "POST") {
    ChildStatus status;
    if (const auto parsed = sdk::from_json(request.body, status); !parsed)
      return responder->reply(answer_of(400, "not a ChildStatus: " + parsed.error().message + "\n", "text/plain"));
    responder->reply(answer_of(202));
    callbacks_.said(status);
  } else {
    responder->reply(answer_of(404, "here are: GET /v1/handover?after=VERSION and POST /v1/report\n", "text/plain"));
  }
}

void ChildSocket::answer(std::uint64_t poll, const Handover* handover) {
  const auto found = waiting_.find(poll);
  if (found == waiting_.end()) return;
  const auto responder = std::move(found->second);
  waiting_.erase(found);
  responder->reply(handover ? answer_of(200, sdk::to_json(*handover)) : answer_of(204));
}

}  // namespace banyan::framework_executor
