// Who holds the ports that a container was given, told by real sockets.
#include <arpa/inet.h>
#include <sys/socket.h>

#include "tests/contract/posix/world.h"

namespace banyan::posix {
namespace {

/// A listening socket of this process, on a port the kernel chose; closed, the port is free for a container.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const auto generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_.get(), generic, size), 0);
    EXPECT_EQ(::listen(socket_.get(), 1), 0);
    EXPECT_EQ(::getsockname(socket_.get(), generic, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  void close() { socket_.reset(); }

 private:
  Fd socket_;
  std::uint16_t port_ = 0;
};

std::uint16_t free_port() { return Listener().port(); }

/// Listens, says so by a file "listens", and goes on when there is a file "go".
std::string server(std::uint16_t port, const std::string& type = "STREAM") {
  return "exec python3 -c \"\nimport os, socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_" + type +
         ")\ns.bind(('127.0.0.1', " + std::to_string(port) + "))\n" + (type == "STREAM" ? "s.listen()\n" : "") +
         "while not os.path.exists('go'): time.sleep(0.01)\ns.close()\ntime.sleep(600)\"";
}
std::string tcp(std::uint16_t port) { return "tcp/" + std::to_string(port); }

class APort : public testing::TestWithParam<Isolation> {
 protected:
  void launch(const std::string& script, std::vector<std::uint16_t> ports) {
    auto plan = world.plan("c", script);
    plan.ports = std::move(ports);
    world.containers().launch(plan);
  }
  void wait_for(const std::string& listens, const std::string& strangers) {
    run_until(world.loop(), [&] {
      const auto& held = world.ports["c"];
      return held && held->listens == listens && held->strangers == strangers;
    });
  }
  ~APort() override {
    world.containers().destroy(ContainerId("c"));
    if (world.started.contains("c")) world.wait_end("c");
  }
  Folder folder;
  ContainerWorld world{folder, GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Posix, APort, testing::Values(Isolation::none, Isolation::automatic),
                         [](const auto& suite) { return suite.param == Isolation::none ? "ByTree" : "ByCgroup"; });

TEST_P(APort, IsHeldWhenTheTaskListensAndFreeWhenItCloses) {
  const std::uint16_t port = free_port();
  launch(server(port), {port});
  world.wait_start("c");
  wait_for(tcp(port), "");
  std::ofstream(world.sandbox("c") + "/go") << "";
  wait_for("", "");
}

TEST_P(APort, IsHeldByAnyProcessOfTheTreeAndByBothProtocols) {
  const std::uint16_t one = free_port();
  const std::uint16_t other = free_port();
  launch("setsid sh -c '" + std::string("sleep 600 & ") + "wait' & (" + server(one) + ") & (" + server(other, "DGRAM") +
             ") & wait",
         {one, other});
  wait_for(tcp(one) + ",udp/" + std::to_string(other), "");
}

TEST_P(APort, OfAStrangerIsToldWithItsProcess) {
  Listener stranger;
  launch("exec sleep 600", {stranger.port()});
  wait_for("", tcp(stranger.port()) + '=' + std::to_string(::getpid()) + "/contract_posix");
  stranger.close();
  wait_for("", "");
}

TEST_P(APort, ThatNobodyWasGivenIsNotLookedAt) {
  const std::uint16_t port = free_port();
  launch(server(port), {});
  world.wait_start("c");
  EXPECT_EQ(world.ports["c"], std::nullopt);
  EXPECT_FALSE(std::filesystem::exists(folder / "runtime/c/ports"));
}

TEST(ANextAgent, KnowsAtOnceWhoHoldsThePorts) {
  const Folder folder;
  const std::uint16_t port = free_port();
  {
    ContainerWorld first(folder, Isolation::none);
    auto plan = first.plan("c", server(port));
    plan.ports = {port};
    first.containers().launch(plan);
    run_until(first.loop(), [&] { return first.ports["c"] && first.ports["c"]->listens == tcp(port); });
  }
  ContainerWorld second(folder, Isolation::none);
  second.containers().adopt(ContainerId("c"));
  second.wait_start("c");
  ASSERT_TRUE(second.ports["c"]);
  EXPECT_EQ(second.ports["c"]->listens, tcp(port));
  std::ofstream(second.sandbox("c") + "/go") << "";
  run_until(second.loop(), [&] { return second.ports["c"]->listens.empty(); });
  second.containers().destroy(ContainerId("c"));
  second.wait_end("c");
}

}  // namespace
}  // namespace banyan::posix
