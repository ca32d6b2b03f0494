#include "runtime/adapters/posix/sandbox.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include "runtime/adapters/posix/fd.h"
#include "runtime/adapters/posix/files.h"

namespace banyan::posix {
namespace {

namespace fs = std::filesystem;

/// A persistent volume belongs to whoever uses it: it is given away whole when its owner changes.
Result<void> make_volume(const VolumeLink& volume, const User& user) {
  if (auto made = make_folders(volume.host_path, 0711); !made) return made;
  struct stat info{};
  if (::stat(volume.host_path.c_str(), &info) != 0) return system_error("cannot read " + volume.host_path);
  if (user.switch_to && info.st_uid != user.uid)
    if (auto given = give_tree(volume.host_path, user.uid, user.gid); !given) return given;
  if (::chmod(volume.host_path.c_str(), 0750) != 0) return system_error("cannot set the mode of " + volume.host_path);
  return {};
}

bool may_enter(const struct stat& folder, const User& user) {
  if (user.uid == 0) return true;
  if (folder.st_uid == user.uid) return (folder.st_mode & S_IXUSR) != 0;
  if (folder.st_gid == user.gid) return (folder.st_mode & S_IXGRP) != 0;
  return (folder.st_mode & S_IXOTH) != 0;
}

/// A work folder below somebody's home is a common mistake; say so rather than "Permission denied".
Result<void> check_way(const std::string& sandbox, const User& user) {
  for (fs::path at = fs::path(sandbox).parent_path();; at = at.parent_path()) {
    struct stat info{};
    if (::stat(at.c_str(), &info) == 0 && !may_enter(info, user))
      return error("user '" + user.name + "' cannot reach its sandbox: " + at.string() +
                   " is closed to it; the agent's --work-dir must lie where tasks may go");
    if (at == at.root_path()) return {};
  }
}

}  // namespace

std::string Layout::sandbox(const AgentId& agent, const FrameworkId& framework, const ExecutorId& executor,
                            const ContainerId& container) const {
  return sandboxes() + '/' + agent.str() + "/frameworks/" + framework.str() + "/executors/" + executor.str() +
         "/runs/" + container.str();
}

std::string Layout::volume(const std::string& role, const std::string& id) const {
  return volumes() + '/' + role + '/' + id;
}

Result<void> make_sandbox(const std::string& sandbox) {
  const fs::path path(sandbox);
  if (auto made = make_folders(path.parent_path().string(), 0711); !made) return made;
  if (::mkdir(sandbox.c_str(), 0700) != 0) return system_error("cannot make sandbox " + sandbox);
  const std::string latest = (path.parent_path() / "latest").string();
  ::unlink(latest.c_str());
  if (::symlink(path.filename().c_str(), latest.c_str()) != 0) return system_error("cannot link " + latest);
  return {};
}

Result<void> link_volumes(const std::vector<VolumeLink>& volumes, const std::string& sandbox, const User& user) {
  for (const auto& volume : volumes) {
    if (!stays_below(volume.container_path))
      return error("container_path '" + volume.container_path + "' must be relative: it lies in the sandbox");
    if (!volume.host_path.starts_with('/')) return error("host_path '" + volume.host_path + "' must be absolute");
    if (volume.persistent)
      if (auto made = make_volume(volume, user); !made) return made;
    const fs::path at = fs::path(sandbox) / volume.container_path;
    std::error_code failure;
    fs::create_directories(at.parent_path(), failure);
    if (!failure && fs::is_symlink(at)) fs::remove(at, failure);
    if (!failure) fs::create_symlink(volume.host_path, at, failure);
    if (failure) return error("cannot link volume " + at.string() + ": " + failure.message());
  }
  return {};
}

Result<void> open_sandbox(const std::string& sandbox, const User& user) {
  if (user.switch_to) {
    if (auto reachable = check_way(sandbox, user); !reachable) return reachable;
    if (auto given = give_tree(sandbox, user.uid, user.gid); !given) return given;
  }
  if (::chmod(sandbox.c_str(), 0750) != 0) return system_error("cannot set the mode of " + sandbox);
  return {};
}

void remove_sandbox(const std::string& sandbox) {
  remove_tree(sandbox);
  fs::path runs = fs::path(sandbox).parent_path();
  std::error_code failure;
  if (!fs::exists(runs / "latest", failure)) fs::remove(runs / "latest", failure);  // it points nowhere now
  for (fs::path at = runs; at.filename() != "slaves" && fs::remove(at, failure) && !failure;) at = at.parent_path();
}

}  // namespace banyan::posix
