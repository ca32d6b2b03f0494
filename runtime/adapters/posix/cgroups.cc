#include "runtime/adapters/posix/cgroups.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>
#include <functional>
#include <sstream>

#include "runtime/adapters/posix/fd.h"
#include "runtime/adapters/posix/files.h"

namespace banyan::posix {
namespace {

/// Where the unified hierarchy is mounted; empty: nowhere.
std::string find_mount() {
  const auto table = read_file("/proc/self/mountinfo");
  std::istringstream lines(table.value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const auto separator = line.find(" - cgroup2 ");
    if (separator == std::string::npos) continue;
    std::istringstream words(line);
    std::string word;
    for (int i = 0; i < 5; ++i) words >> word;  // the fifth is the mount point
    return word;
  }
  return {};
}

/// Our own place in it: "/" or "/user.slice/…".
std::string own_path() {
  const auto table = read_file("/proc/self/cgroup");
  std::istringstream lines(table.value_or(""));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("0::")) return line.size() > 4 ? line.substr(3) : std::string();
  return {};
}

Result<void> try_leaf(const std::string& leaf) {
  if (::access((leaf + "/cgroup.kill").c_str(), W_OK) != 0) return error("this kernel has no cgroup.kill");
  const Fd procs(::open((leaf + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  if (!procs.open()) return system_error("cannot open a new cgroup");
  const pid_t child = ::fork();  // only system calls in the child: this program may have threads already
  if (child == 0) ::_exit(::write(procs.get(), "0", 1) == 1 ? 0 : errno);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  errno = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
  return system_error("cannot put a process into a new cgroup");
}

Result<std::string> try_out(const std::string& work_dir) {
  const std::string mount = find_mount();
  if (mount.empty()) return error("no unified cgroup hierarchy is mounted");
  char name[32];
  std::snprintf(name, sizeof name, "/banyan-%016zx", std::hash<std::string>{}(work_dir));
  const std::string base = mount + own_path() + name;
  const std::string leaf = base + "/probe";
  if (::mkdir(base.c_str(), 0755) != 0 && errno != EEXIST) return system_error("cannot make " + base);
  if (::mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) return system_error("cannot make " + leaf);
  const auto tried = try_leaf(leaf);
  while (!remove_leaf(leaf)) ::usleep(1000);
  if (!tried) return error(tried.error().message);
  return base;
}

}  // namespace

Result<Cgroups> Cgroups::detect(Isolation isolation, const std::string& work_dir) {
  Cgroups cgroups;
  if (isolation == Isolation::none) {
    cgroups.description_ = "containers are tracked by their process tree alone, as asked";
    return cgroups;
  }
  const auto base = try_out(work_dir);
  if (!base && isolation == Isolation::cgroups) return error("cgroups were asked for: " + base.error().message);
  if (!base) {
    cgroups.description_ = "containers are tracked by their process tree alone: " + base.error().message;
    return cgroups;
  }
  cgroups.base_ = *base;
  cgroups.description_ = "each container has a cgroup below " + *base;
  return cgroups;
}

Result<std::string> Cgroups::make_leaf(const std::string& name) const {
  // The parent goes with its last leaf (remove_leaf), perhaps between our two calls.
  for (int attempt = 0;; ++attempt) {
    ::mkdir(base_.c_str(), 0755);
    std::string leaf = base_ + '/' + name;
    if (::mkdir(leaf.c_str(), 0755) == 0 || errno == EEXIST) return leaf;
    if (errno != ENOENT || attempt == 100) return system_error("cannot make cgroup " + leaf);
  }
}

void Cgroups::remove_stale(const std::function<bool(const std::string& name)>& in_use) const {
  std::error_code none;
  if (!enabled()) return;
  for (const auto& leaf : std::filesystem::directory_iterator(base_, none))
    if (leaf.is_directory() && !in_use(leaf.path().filename().string())) ::rmdir(leaf.path().c_str());
}

void Cgroups::remove_base() const {
  if (enabled()) ::rmdir(base_.c_str());
}

bool remove_leaf(const std::string& leaf) {
  if (::rmdir(leaf.c_str()) != 0 && errno != ENOENT) return false;
  ::rmdir(leaf.substr(0, leaf.rfind('/')).c_str());  // fails while others are in it
  return true;
}

void kill_leaf(const std::string& leaf) {
  const Fd file(::open((leaf + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
  if (file.open()) [[maybe_unused]]
    const auto written = ::write(file.get(), "1", 1);
}

}  // namespace banyan::posix
