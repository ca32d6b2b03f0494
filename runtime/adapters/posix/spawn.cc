#include "runtime/adapters/posix/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

#include <vector>

#include "runtime/adapters/posix/process.h"
#include "runtime/base/limits.h"

namespace banyan::posix {
namespace {

constexpr int report_fd = 3;

std::vector<std::string> command_line(const ShimOptions& o) {
  std::vector<std::string> words{"banyan-shim", "sandbox=" + o.sandbox, "report=" + std::to_string(report_fd)};
  if (!o.runtime_dir.empty()) words.push_back("runtime=" + o.runtime_dir);
  if (!o.leaf.empty()) words.push_back("leaf=" + o.leaf);
  if (o.user.switch_to) {
    words.push_back("user=" + std::to_string(o.user.uid));
    words.push_back("group=" + std::to_string(o.user.gid));
  }
  if (!o.ports.empty()) {
    std::string list;
    for (const auto port : o.ports) list += (list.empty() ? "" : ",") + std::to_string(port);
    words.push_back("ports=" + list);
  }
  if (o.timeout > Duration{}) words.push_back("timeout-ms=" + std::to_string(milliseconds(o.timeout)));
  words.push_back("log-bytes=" + std::to_string(limits::log_file_bytes_max));
  words.push_back("log-files=" + std::to_string(limits::log_files_max));
  words.push_back("--");
  words.push_back(o.command.program);
  words.insert(words.end(), o.command.arguments.begin(), o.command.arguments.end());
  if (o.command.arguments.empty()) words.push_back(o.command.program);
  return words;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (auto& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

Result<Shim> spawn_shim(const ShimOptions& options) {
  auto words = command_line(options);
  std::vector<std::string> variables;
  for (const auto& [name, value] : options.command.environment) variables.push_back(name + '=' + value);
  auto argv = pointers(words);
  auto envp = pointers(variables);
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return system_error("pipe");
  Shim shim;
  shim.report.reset(pipe[0]);
  const Fd writer(pipe[1]);

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_RDWR, 0);
  const std::string log = options.runtime_dir.empty() ? "/dev/null" : options.runtime_dir + "/shim.err";
  ::posix_spawn_file_actions_addopen(&files, 2, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::posix_spawn_file_actions_adddup2(&files, writer.get(), report_fd);
  ::posix_spawn_file_actions_addclosefrom_np(&files, report_fd + 1);
  sigset_t all;
  sigset_t none;
  ::sigfillset(&all);
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int failure = ::posix_spawn(&pid, options.shim.c_str(), &files, &attributes, argv.data(), envp.data());
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  errno = failure;
  if (failure != 0) return system_error("cannot start " + options.shim);
  shim.process = open_child(pid);
  if (!shim.process.open()) return system_error("pidfd_open");
  return shim;
}

}  // namespace banyan::posix
