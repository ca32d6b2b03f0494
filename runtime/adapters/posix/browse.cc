#include "runtime/adapters/posix/browse.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>

#include "runtime/adapters/posix/fd.h"

namespace banyan::posix {
namespace {

int open_below(int folder, const std::string& path, int flags) {
  open_how how{};
  const int unblocked = (flags & O_PATH) != 0 ? 0 : O_NONBLOCK;  // a FIFO must not hang us
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | unblocked);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how));
}

struct Place {
  std::string sandbox;  // real folder
  std::string inside;   // relative; "." for the sandbox itself
};

/// Splits after the component that follows "runs".
Place split(const std::string& path) {
  const auto runs = path.find("/runs/");
  if (runs == std::string::npos) return {};
  const auto end = path.find('/', runs + 6);
  if (end == std::string::npos) return {path, "."};
  const std::string inside = path.substr(end + 1);
  return {path.substr(0, end), inside.empty() ? "." : inside};
}

bool leads_elsewhere(const std::string& path) { return (path + '/').find("/../") != std::string::npos; }

/// The newest agent id that has such a sandbox.
std::string find_virtual(const std::string& sandboxes, const std::string& path) {
  DIR* agents = ::opendir(sandboxes.c_str());
  std::string best;
  timespec newest{};
  while (const dirent* entry = agents == nullptr ? nullptr : ::readdir(agents)) {
    if (entry->d_name[0] == '.') continue;
    const std::string candidate = sandboxes + '/' + entry->d_name + path;
    struct stat info{};
    if (::stat(candidate.c_str(), &info) != 0) continue;
    if (!best.empty() &&
        std::pair(info.st_mtim.tv_sec, info.st_mtim.tv_nsec) < std::pair(newest.tv_sec, newest.tv_nsec))
      continue;
    best = candidate;
    newest = info.st_mtim;
  }
  if (agents != nullptr) ::closedir(agents);
  return best;
}

}  // namespace

Result<int> Browser::open(const std::string& path, int flags) const {
  const auto missing = [&path] { return error("not found: " + path); };
  if (leads_elsewhere(path)) return missing();
  std::string real = path;
  if (path.starts_with("/frameworks/")) {
    const Place place = split(path);
    if (place.sandbox.empty()) return missing();
    real = find_virtual(sandboxes_, place.sandbox);
    if (real.empty()) return missing();
    real += '/' + place.inside;
  }
  const Place place = split(real);
  if (place.sandbox.empty() || !place.sandbox.starts_with(sandboxes_ + '/')) return missing();
  const Fd root(::open(sandboxes_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Fd sandbox(open_below(root.get(), place.sandbox.substr(sandboxes_.size() + 1), O_PATH | O_DIRECTORY));
  if (!sandbox.open()) return missing();
  const int file = open_below(sandbox.get(), place.inside, flags);
  if (file < 0) return missing();
  return file;
}

Result<std::vector<FileEntry>> Browser::list(const std::string& path) const {
  const auto opened = open(path, O_RDONLY | O_DIRECTORY);
  if (!opened) return tl::unexpected(opened.error());
  DIR* folder = ::fdopendir(*opened);
  std::vector<FileEntry> entries;
  while (const dirent* item = ::readdir(folder)) {
    const std::string name = item->d_name;
    struct stat info{};
    if (name == "." || name == "..") continue;
    if (::fstatat(::dirfd(folder), item->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    FileEntry entry;
    entry.path = (path.ends_with('/') ? path : path + '/') + name;
    entry.links = static_cast<std::uint32_t>(info.st_nlink);
    entry.size = static_cast<std::uint64_t>(info.st_size);
    entry.modified_ns = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
    entry.mode = info.st_mode;
    entry.user = std::to_string(info.st_uid);
    entry.group = std::to_string(info.st_gid);
    entries.push_back(std::move(entry));
  }
  ::closedir(folder);
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return entries;
}

Result<FilePart> Browser::read(const std::string& path, std::uint64_t offset, std::uint64_t length) const {
  const auto opened = open(path, O_RDONLY);
  if (!opened) return tl::unexpected(opened.error());
  const Fd file(*opened);
  struct stat info{};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return error("not found: " + path + " is no file");
  FilePart part;
  part.size = static_cast<std::uint64_t>(info.st_size);
  if (offset >= part.size) return part;
  part.bytes.resize(std::min({length, part.size - offset, read_bytes_max}));
  const ssize_t got = ::pread(file.get(), part.bytes.data(), part.bytes.size(), static_cast<off_t>(offset));
  if (got < 0) return system_error("cannot read " + path);
  part.bytes.resize(static_cast<std::size_t>(got));
  return part;
}

}  // namespace banyan::posix
