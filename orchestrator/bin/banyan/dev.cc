#include "orchestrator/bin/banyan/dev.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "orchestrator/api/cluster_file.h"
#include "orchestrator/bin/banyan/daemon.h"
#include "orchestrator/bin/banyan/folder_watch.h"
#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/posix/files.h"
#include "runtime/adapters/posix/self.h"
#include "runtime/adapters/posix/socket_folder.h"

namespace banyan::root {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;

constexpr Duration end_grace = 5s;

/// What a dev cluster keeps for its whole life: tasks and their executors know these by heart.
struct Fixed {
  std::uint16_t master = 0, link = 0, agent = 0;
  std::string resources;  // the agent's; empty: detected
  std::string sockets;    // a short folder: a sandbox path is too long for a socket's name
};

bool port_free(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool ok = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return ok;
}

/// The first free port from `start` on; below the agent's range and the ports of outgoing connections.
std::uint16_t free_port(std::uint16_t start) {
  for (std::uint16_t port = start; port < 31000; port = static_cast<std::uint16_t>(port + 20))
    if (port_free(port)) return port;
  return 0;
}

Result<void> remember(const std::string& path, const Fixed& fixed) {
  const json::value value{{"master", fixed.master},
                          {"link", fixed.link},
                          {"agent", fixed.agent},
                          {"sockets", fixed.sockets},
                          {"resources", fixed.resources}};
  return posix::write_file(path, json::serialize(value) + "\n", 0644);
}

/// `resources`: given now; empty: those of the last time, which its reservations may need.
Result<Fixed> choose(const std::string& path, const std::string& resources) {
  Fixed fixed;
  if (const auto text = posix::read_file(path)) {
    try {
      const json::value value = json::parse(*text);
      fixed.master = json::value_to<std::uint16_t>(value.at("master"));
      fixed.link = json::value_to<std::uint16_t>(value.at("link"));
      fixed.agent = json::value_to<std::uint16_t>(value.at("agent"));
      fixed.sockets = json::value_to<std::string>(value.at("sockets"));
      if (const auto* kept = value.as_object().if_contains("resources"))  // earlier ones have none
        fixed.resources = json::value_to<std::string>(*kept);
    } catch (const std::exception& e) {
      return error(path + " is damaged: " + e.what());
    }
    for (const auto port : {fixed.master, fixed.link, fixed.agent})
      if (!port_free(port))
        return error("port " + std::to_string(port) + " is in use by another program; stop that, or delete " + path +
                     " if no task of this cluster runs any more");
    std::error_code failure;
    fs::create_directories(fixed.sockets, failure);  // /run is emptied at boot
    if (resources.empty() || resources == fixed.resources) return fixed;
    fixed.resources = resources;
    if (const auto written = remember(path, fixed); !written) return tl::unexpected(written.error());
    return fixed;
  }
  fixed.master = free_port(5050);
  fixed.agent = free_port(5051);
  fixed.link = free_port(5060);
  auto sockets = posix::make_socket_folder(posix::socket_parents(), "banyan", "a/agent.sock");
  if (!sockets) return tl::unexpected(sockets.error());
  fixed.sockets = *sockets;
  fixed.resources = resources;
  if (const auto written = remember(path, fixed); !written) return tl::unexpected(written.error());
  return fixed;
}

std::string local(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

bool make_folders(const std::string& state, const std::string& sockets) {
  std::error_code failure;
  for (const auto& [path, mode] : std::initializer_list<std::pair<std::string, mode_t>>{{state, 0711},
                                                                                        {state + "/logs", 0750},
                                                                                        {state + "/nodes", 0711},
                                                                                        {state + "/agent", 0711},
                                                                                        {state + "/root", 0700},
                                                                                        {state + "/master", 0700},
                                                                                        {sockets, 0711},
                                                                                        {sockets + "/a", 0711},
                                                                                        {sockets + "/r", 0700}}) {
    fs::create_directories(path, failure);
    if (failure || ::chmod(path.c_str(), mode) != 0) {
      std::fprintf(stderr, "[dev] cannot make %s\n", path.c_str());
      return false;
    }
  }
  return true;
}

class Dev {
 public:
  Dev(Loop& loop, const DevOptions& options, Fixed fixed)
      : loop_(loop), options_(options), fixed_(std::move(fixed)), programs_(posix::own_folder()) {
    const std::string state = options.state;
    std::vector<std::string> agent{programs_ + "/banyan-agent",
                                   "--master",
                                   local(fixed_.link),
                                   "--listen",
                                   local(fixed_.agent),
                                   "--hostname",
                                   "127.0.0.1",
                                   "--work-dir",
                                   state + "/agent",
                                   "--shim",
                                   programs_ + "/banyan-shim",
                                   "--socket-dir",
                                   fixed_.sockets + "/a"};
    if (!fixed_.resources.empty()) {
      agent.emplace_back("--resources");
      agent.push_back(fixed_.resources);
    }
    master_ = make("master",
                   {programs_ + "/banyan-master", "--listen", local(fixed_.master), "--agent-listen",
                    local(fixed_.link), "--state", state + "/master"},
                   [this] { master_ready(); });
    agent_ = make("agent", std::move(agent), [this] { ready(agent_ready_); });
    root_ = make("root",
                 {programs_ + "/banyan", "root", "--master", local(fixed_.master), "--state", state + "/root", "--api",
                  api(), "--nodes", state + "/nodes", "--cluster", state + "/cluster.json"},
                 [this] { ready(root_ready_); });
    swept_ = std::make_unique<FolderWatch>(loop, std::vector{fixed_.sockets + "/a", fixed_.sockets + "/r"},
                                           [this] { look_at_sockets(); });
  }

  void start() { master_->start(); }

  /// The root first, so that it does not take the others' end for a fault; tasks stay.
  void end() {
    if (ending_) return;
    ending_ = true;
    for (auto* daemon : all()) daemon->end(end_grace);
    stop_if_ended();
  }

  void reap() {
    for (;;) {
      int status = 0;
      const int pid = ::waitpid(-1, &status, WNOHANG);
      if (pid <= 0) break;
      for (auto* daemon : all())
        if (daemon->reaped(pid, status)) break;  // else a task's process that we inherited
    }
    if (ending_) stop_if_ended();
  }

 private:
  /// A socket that a cleaner has removed comes back with its daemon, which costs its clients a moment and no task. One
  /// that is being started makes its own.
  void look_at_sockets() {
    const std::pair<Daemon*, std::string> sockets[] = {{root_.get(), fixed_.sockets + "/r/root.sock"},
                                                       {agent_.get(), fixed_.sockets + "/a/agent.sock"}};
    for (const auto& [daemon, path] : sockets) {
      if (ending_ || !daemon->serves() || ::access(path.c_str(), F_OK) == 0) continue;
      std::fprintf(stderr, "[dev] %s is gone; starting the %s anew\n", path.c_str(), daemon->name().c_str());
      if (!make_folders(options_.state, fixed_.sockets)) return;
      swept_->watch();
      ::kill(daemon->pid(), SIGKILL);
    }
  }

  [[nodiscard]] std::string api() const { return "unix:" + fixed_.sockets + "/r/root.sock"; }
  [[nodiscard]] std::vector<Daemon*> all() const { return {root_.get(), agent_.get(), master_.get()}; }

  std::unique_ptr<Daemon> make(const std::string& name, std::vector<std::string> argv, std::function<void()> ready) {
    return std::make_unique<Daemon>(loop_, name, std::move(argv), options_.state + "/logs/" + name + ".log",
                                    !options_.background, Daemon::Callbacks{std::move(ready), [this] { write(); }});
  }

  void master_ready() {
    if (agents_started_) return;  // a restarted master: the others find it by themselves
    agents_started_ = true;
    agent_->start();
    root_->start();
  }

  void ready(bool& which) {
    which = true;
    if (!agent_ready_ || !root_ready_ || told_) return;
    told_ = true;
    posix::report_ready(options_.ready_fd);
    if (!options_.background)
      std::fprintf(stderr, "[dev] ready: master http://%s, agent http://%s, root %s\n", local(fixed_.master).c_str(),
                   local(fixed_.agent).c_str(), api().c_str());
  }

  void write() {
    ClusterFile file;
    file.api = api();
    file.started_by_up = options_.background;
    const auto fill = [](Process* process, const std::string& id, int pid, const std::string& address) {
      process->set_id(id);
      process->set_pid(static_cast<std::uint32_t>(pid));
      process->set_address(address);
    };
    const auto pid = [](const std::unique_ptr<Daemon>& daemon) { return daemon ? daemon->pid() : 0; };
    fill(file.cluster.mutable_master(), "master", pid(master_), local(fixed_.master));
    fill(file.cluster.mutable_root(), "root", pid(root_), api());
    fill(file.cluster.add_agents(), "agent", pid(agent_), local(fixed_.agent));
    fill(file.cluster.mutable_dev(), "dev", ::getpid(), "");
    if (const auto written = write_cluster_file(options_.state + "/cluster.json", file); !written)
      std::fprintf(stderr, "[dev] %s\n", written.error().message.c_str());
  }

  void stop_if_ended() {
    for (auto* daemon : all())
      if (daemon->pid() != 0) return;
    loop_.stop();
  }

  Loop& loop_;
  const DevOptions& options_;
  Fixed fixed_;
  std::string programs_;
  std::unique_ptr<Daemon> master_, agent_, root_;
  std::unique_ptr<FolderWatch> swept_;
  bool agents_started_ = false, agent_ready_ = false, root_ready_ = false, told_ = false, ending_ = false;
};

/// One dev per folder: the lock goes with the process.
bool take_lock(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return fd >= 0 && ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

}  // namespace

int run_dev(const DevOptions& options) {
  std::error_code failure;
  fs::create_directories(options.state, failure);
  if (!take_lock(options.state + "/dev.lock")) {
    std::fprintf(stderr, "another `banyan dev` runs on %s\n", options.state.c_str());
    return 4;
  }
  auto fixed = choose(options.state + "/dev.json", options.resources);
  if (!fixed) {
    std::fprintf(stderr, "[dev] %s\n", fixed.error().message.c_str());
    return 1;
  }
  if (!make_folders(options.state, fixed->sockets)) return 1;
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // tasks whose agent died become ours, not init's: they end with a status read
  if (options.background) ::setsid();
  ::signal(SIGPIPE, SIG_IGN);

  Loop loop;
  Dev dev(loop, options, std::move(*fixed));
  loop.on_signals({SIGTERM, SIGINT, SIGHUP}, [&dev](int) { dev.end(); });
  loop.on_signals({SIGCHLD}, [&dev](int) { dev.reap(); });
  dev.start();
  loop.run();
  fs::remove(options.state + "/cluster.json", failure);
  return 0;
}

}  // namespace banyan::root
