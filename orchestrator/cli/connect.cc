#include "orchestrator/cli/connect.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "orchestrator/cli/verbs.h"

namespace banyan::cli {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto connect_patience = 10s;
constexpr auto start_patience = 60s;

Result<Connection> connect_to(const std::string& address) {
  grpc::ChannelArguments arguments;
  // As one group: a root that comes back after its death is found within a moment.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  arguments.SetMaxReceiveMessageSize(-1);
  auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + connect_patience))
    return error("the root does not answer on " + address);
  return Connection{root::Root::NewStub(channel), address};
}

/// Whether a dev runs on this folder: it holds the lock as long as it lives. A cluster.json outlives kill -9.
bool dev_runs(const std::string& folder, std::uint32_t pid) {
  const int fd = ::open((folder + "/dev.lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == EACCES && pid != 0 && (::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
  struct flock lock{};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  const bool asked = ::fcntl(fd, F_OFD_GETLK, &lock) == 0;
  ::close(fd);
  return asked && lock.l_type != F_UNLCK;
}

Result<std::string> configured(const Options& options) {
  if (!options.address.empty()) return options.address;
  if (const char* set = std::getenv("BANYAN_ADDRESS"); set != nullptr && *set != '\0') return std::string(set);
  const auto file = root::read_cluster_file(cluster_folder() + "/cluster.json");
  if (!file || !dev_runs(cluster_folder(), file->cluster.dev().pid()))
    return error(
        "no cluster is running here; `banyan up STACK.yaml` or `banyan dev` starts one, --address names another");
  return file->api;
}

/// Whether the user has named the root, so that there is nothing to start or end here.
bool is_given(const Options& options) {
  const char* set = std::getenv("BANYAN_ADDRESS");
  return !options.address.empty() || (set != nullptr && *set != '\0');
}

/// Wakes when a `dev` has written its cluster.json, or has ended: the file of its lock is closed then.
class FolderNews {
 public:
  explicit FolderNews(const std::string& folder) : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (fd_ >= 0) ::inotify_add_watch(fd_, folder.c_str(), IN_MOVED_TO | IN_CLOSE_WRITE);
  }
  ~FolderNews() {
    if (fd_ >= 0) ::close(fd_);
  }
  FolderNews(const FolderNews&) = delete;
  FolderNews& operator=(const FolderNews&) = delete;

  void wait(std::chrono::steady_clock::time_point deadline) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waited{fd_, POLLIN, 0};
    ::poll(&waited, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    char events[4096];
    while (fd_ >= 0 && ::read(fd_, events, sizeof events) > 0) continue;
  }

 private:
  int fd_;
};

bool no_stack_runs(const Options& options) {
  const auto connection = connect(options);
  if (!connection) return false;
  grpc::ClientContext context;
  root::Status status;
  return connection->root->GetStatus(&context, {}, &status).ok() && status.stacks().empty();
}

/// Runs our own program as `dev` in a session of its own, with nothing of ours: an inherited pipe would keep whoever
/// reads our output waiting for ever.
Result<void> start_dev() {
  int ready[2];
  if (::pipe2(ready, O_CLOEXEC) != 0) return error(std::string("pipe: ") + std::strerror(errno));
  const std::string folder = cluster_folder();
  std::error_code failure;
  fs::create_directories(folder + "/logs", failure);
  if (failure)
    return error("cannot make " + folder + ": " + failure.message() + "; set BANYAN_STATE to another folder");
  const std::string program = fs::read_symlink("/proc/self/exe", failure).string();
  const std::string log = folder + "/logs/dev.log";
  const int pid = ::fork();
  if (pid < 0) return error(std::string("fork: ") + std::strerror(errno));
  if (pid == 0) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);  // init's child, not ours
    const int nothing = ::open("/dev/null", O_RDONLY);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0640);
    ::dup2(nothing, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    if (ready[1] == 3) ::fcntl(3, F_SETFD, 0);
    else ::dup2(ready[1], 3);
    ::syscall(SYS_close_range, 4u, ~0u, 0u);
    [[maybe_unused]] const int moved = ::chdir("/");
    ::execl(program.c_str(), program.c_str(), "dev", "--state", folder.c_str(), "--background", "--ready-fd", "3",
            static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(ready[1]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  pollfd waited{ready[0], POLLIN, 0};
  const int answered = ::poll(&waited, 1, static_cast<int>(std::chrono::milliseconds(start_patience).count()));
  char word[8];
  const auto n = answered > 0 ? ::read(ready[0], word, sizeof word) : 0;
  ::close(ready[0]);
  if (n > 0) return {};
  return error(std::string(answered == 0 ? "the local cluster was not ready within a minute"
                                         : "the local cluster could not be started") +
               "; its logs are in " + folder + "/logs");
}

}  // namespace

std::string cluster_folder() { return fs::absolute(root::state_folder() + "/default").lexically_normal().string(); }

Result<Connection> connect(const Options& options) {
  const auto address = configured(options);
  if (!address) return tl::unexpected(address.error());
  return connect_to(*address);
}

bool cluster_exists(const Options& options) { return configured(options).has_value(); }

ClusterLock::ClusterLock() : fd_(-1) {
  std::error_code failure;
  fs::create_directories(cluster_folder(), failure);
  fd_ = ::open((cluster_folder() + "/start.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  while (fd_ >= 0 && ::flock(fd_, LOCK_EX) != 0 && errno == EINTR && !interrupted()) continue;
}
ClusterLock::~ClusterLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Connection> connect_or_start(const Options& options) {
  const auto deadline = std::chrono::steady_clock::now() + start_patience;
  const FolderNews news(cluster_folder());
  bool said = false;
  for (;;) {
    const auto address = configured(options);
    if (address) {
      auto connection = connect_to(*address);
      if (connection || is_given(options) || cluster_exists(options)) return connection;
      continue;  // it has ended meanwhile
    } else if (is_given(options)) {
      return tl::unexpected(address.error());
    }
    if (!options.quiet && !said) std::fprintf(stderr, "starting a local cluster in %s\n", cluster_folder().c_str());
    said = true;
    // A `dev` that is just ending, or was started by hand a moment ago, holds its lock without a cluster.json.
    const bool busy = dev_runs(cluster_folder(), 0);
    const auto started = busy ? Result<void>{} : start_dev();
    if (started && !busy) continue;
    const bool late = std::chrono::steady_clock::now() > deadline || interrupted();
    if (!started && (late || !dev_runs(cluster_folder(), 0))) return tl::unexpected(started.error());
    if (late) return error("another `banyan dev` holds " + cluster_folder() + " and does not become ready");
    news.wait(deadline);
  }
}

void end_idle_cluster(const Options& options) {
  if (is_given(options)) return;
  const ClusterLock lock;
  const auto file = root::read_cluster_file(cluster_folder() + "/cluster.json");
  if (!file || !file->started_by_up || file->cluster.dev().pid() == 0) return;
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(file->cluster.dev().pid()), 0));
  if (pidfd < 0) return;
  if (no_stack_runs(options)) {
    ::syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, nullptr, 0);
    pollfd waited{pidfd, POLLIN, 0};
    const bool ended = ::poll(&waited, 1, 15'000) > 0;
    // No stack, no task: nobody needs the folder of sockets any more. The next start makes it anew, by the same name.
    const fs::path sockets = fs::path(file->api.substr(file->api.find(':') + 1)).parent_path().parent_path();
    std::error_code failure;
    if (ended && sockets.filename().string().starts_with("banyan-")) fs::remove_all(sockets, failure);
  }
  ::close(pidfd);
}

}  // namespace banyan::cli
