#include "runtime/adapters/posix/files.h"

#include <fcntl.h>
#include <fts.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/adapters/posix/fd.h"

namespace banyan::posix {

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return system_error("cannot read " + path);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

Result<void> write_file(const std::string& path, std::string_view content, mode_t mode) {
  const std::string temporary = path + ".new";
  Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!file.open()) return system_error("cannot write " + temporary);
  while (!content.empty()) {
    const auto written = ::write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return system_error("cannot write " + temporary);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error("cannot write " + path);
  return {};
}

Result<void> make_folders(const std::string& path, mode_t mode) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    // Made with its mode at once: another thread may look at it before chmod, which only undoes the umask.
    if (::mkdir(part.c_str(), mode) == 0) {
      if (::chmod(part.c_str(), mode) != 0) return system_error("cannot set the mode of " + part);
    } else if (errno != EEXIST) {
      return system_error("cannot make folder " + part);
    }
    if (end == std::string::npos) return {};
  }
}

void remove_tree(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);  // never follows links
}

Result<void> give_tree(const std::string& path, uid_t user, gid_t group) {
  char* roots[] = {const_cast<char*>(path.c_str()), nullptr};
  FTS* tree = ::fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, nullptr);
  if (tree == nullptr) return system_error("cannot walk " + path);
  Result<void> result;
  while (const FTSENT* entry = ::fts_read(tree)) {
    if (entry->fts_info == FTS_DP) continue;  // seen on the way in
    if (::lchown(entry->fts_path, user, group) != 0 && result)
      result = system_error(std::string("cannot change the owner of ") + entry->fts_path);
  }
  ::fts_close(tree);
  return result;
}

bool stays_below(std::string_view path) {
  if (path.empty() || path.front() == '/') return false;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (path.substr(at, end - at) == "..") return false;
    at = end + 1;
  }
  return true;
}

}  // namespace banyan::posix
