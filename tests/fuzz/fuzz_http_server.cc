// Whatever a peer says to the server: it answers or refuses, and forgets the peer when it goes.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "runtime/adapters/http/server.h"
#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/loop/socket.h"
#include "runtime/base/check.h"

namespace {

using namespace banyan;
using namespace banyan::http;

struct World {
  World() {
    auto listening = Server::listen(loop, {path}, [](const Request& request, auto responder) {
      BANYAN_CHECK(request.path.find('?') == std::string::npos);
      if (request.method == "SEARCH") return;  // forgotten: answered by the responder's end
      if (request.path == "/stream") return responder->stream({})->send_record(request.body);
      responder->reply({202, {{"x", header(request.headers, "x")}}, request.body});
    });
    BANYAN_CHECK(listening.has_value());
    server = std::move(*listening);
  }
  void turn() {
    loop.post([this] { loop.stop(); });
    loop.run();
  }

  const std::string path = "unix:/tmp/banyan-fuzz-" + std::to_string(::getpid()) + ".sock";
  Loop loop;
  std::unique_ptr<Server> server;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  if (size == 0) return 0;
  const std::size_t piece = data[0] == 0 ? size : data[0];
  const int peer = *connect_to(resolve(world.path)->front());
  for (std::size_t at = 1; at < size; at += piece) {
    const auto sent = ::send(peer, data + at, std::min(piece, size - at), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) break;
    world.turn();
  }
  char heard[4096];
  while (::recv(peer, heard, sizeof heard, MSG_DONTWAIT) > 0) {
  }
  ::close(peer);
  for (int turns = 0; turns < 3; ++turns) world.turn();
  return 0;
}
