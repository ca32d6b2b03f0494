// Whatever a peer answers to a call and to a stream: each is told once how it ended.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "runtime/adapters/http/client.h"
#include "runtime/adapters/loop/acceptor.h"
#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/loop/socket.h"
#include "runtime/base/check.h"

namespace {

using namespace banyan;
using namespace banyan::http;

/// Says the same bytes to whoever connects, then hangs up.
struct World {
  void accept(int fd) {
    const auto sent = ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent;
    ::shutdown(fd, SHUT_WR);
    open.push_back(fd);
  }

  const std::string path = "unix:/tmp/banyan-fuzz-" + std::to_string(::getpid()) + ".sock";
  Loop loop;
  std::string answer;
  std::vector<int> open;
  Acceptor acceptor{loop, *listen_on(path), [this](int fd) { accept(fd); }};
};

/// Answers begin so, by the first byte: the fuzzer would be long in finding these.
constexpr const char* beginnings[] = {
    "",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n9\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
    "HTTP/1.1 403 Forbidden\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\n",
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  if (size == 0) return 0;
  world.answer = beginnings[data[0] % std::size(beginnings)];
  world.answer.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  int ended = 0;
  const auto end = [&] {
    if (++ended == 3) world.loop.stop();
  };
  const auto client = Client::create(world.loop, {world.path});
  for (int call = 0; call < 2; ++call)
    client->call({call == 0 ? "POST" : "HEAD", "/", "", {}, ""}, std::chrono::seconds(10), [&](auto) { end(); });
  bool closed = false;
  const auto stream = StreamCall::open(world.loop, {world.path}, {"POST", "/", "", {}, ""},
                                       {[](const Response&) {}, [](const std::string&) {},
                                        [&](const std::string&) {
                                          BANYAN_CHECK(!std::exchange(closed, true));
                                          end();
                                        }});
  world.loop.run();
  BANYAN_CHECK(ended == 3);
  for (const int fd : std::exchange(world.open, {})) ::close(fd);
  return 0;
}
