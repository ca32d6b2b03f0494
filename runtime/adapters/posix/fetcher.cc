#include "runtime/adapters/posix/fetcher.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "runtime/adapters/posix/archive.h"
#include "runtime/adapters/posix/digest.h"
#include "runtime/adapters/posix/download.h"
#include "runtime/adapters/posix/fd.h"
#include "runtime/adapters/posix/files.h"

namespace banyan::posix {
namespace {

namespace fs = std::filesystem;

std::string name_of(const Fetch& item) {
  if (!item.output_file.empty()) return item.output_file;
  std::string path = item.uri.substr(0, item.uri.find_first_of("?#"));
  return path.substr(path.rfind('/') + 1);
}

Result<void> check_digest(const Fetch& item, const std::string& file) {
  if (item.sha256.empty()) return {};
  const auto digest = sha256_of_file(file);
  if (!digest) return tl::unexpected(digest.error());
  if (*digest == item.sha256) return {};
  ::unlink(file.c_str());
  return error(item.uri + " has sha256 " + *digest + ", expected " + item.sha256);
}

bool unpacks(const Fetch& item, const std::string& name) {
  return item.extract && !item.executable && is_archive(name);
}

Result<void> make_parent(const std::string& path) { return make_folders(path.substr(0, path.rfind('/')), 0755); }

Result<void> link(const fs::path& target, const fs::path& at) {
  std::error_code failure;
  fs::create_symlink(target, at, failure);
  if (failure) return error("cannot link " + at.string() + ": " + failure.message());
  return {};
}

/// What a cache entry without a digest is known by. A local file that is replaced is another one: its path alone would
/// give the old content for ever.
std::string identity_of(const std::string& uri) {
  struct stat info{};
  const std::string path = uri.starts_with("file://") ? uri.substr(7) : uri;
  if (!path.starts_with('/') || ::stat(path.c_str(), &info) != 0) return uri;
  return uri + '\n' + std::to_string(info.st_dev) + ' ' + std::to_string(info.st_ino) + ' ' +
         std::to_string(info.st_size) + ' ' + std::to_string(info.st_mtim.tv_sec) + '.' +
         std::to_string(info.st_mtim.tv_nsec) + ' ' + std::to_string(info.st_ctim.tv_sec) + '.' +
         std::to_string(info.st_ctim.tv_nsec);
}

/// What is used again was written to again, as far as shrink_cache() is concerned.
void touch(const std::string& path) { ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0); }

std::uint64_t size_of_tree(const fs::path& path) {
  std::uint64_t total = 0;
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(path, ignored))
    if (entry.is_regular_file(ignored) && !entry.is_symlink(ignored)) total += entry.file_size(ignored);
  return total;
}

/// Cache entries that sandboxes link to, one folder deep: "<cache>/<key>".
std::set<std::string> linked_entries(const std::string& sandboxes, const std::string& cache) {
  std::set<std::string> linked;
  for (const char* depth : {"/*", "/*/*"}) {
    glob_t found{};
    ::glob((sandboxes + "/*/frameworks/*/executors/*/runs/*" + depth).c_str(), GLOB_NOSORT, nullptr, &found);
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      std::error_code no_link;
      const std::string target = fs::read_symlink(found.gl_pathv[i], no_link).string();
      if (!no_link && target.starts_with(cache + '/'))
        linked.insert(target.substr(0, target.find('/', cache.size() + 1)));
    }
    ::globfree(&found);
  }
  return linked;
}

}  // namespace

Result<void> Fetcher::fetch(const std::vector<Fetch>& items, const std::string& sandbox,
                            const std::atomic<bool>& cancelled) {
  for (const auto& item : items)
    if (auto done = fetch_one(item, sandbox, cancelled); !done) return done;
  return {};
}

Result<void> Fetcher::fetch_one(const Fetch& item, const std::string& sandbox, const std::atomic<bool>& cancelled) {
  const std::string name = name_of(item);
  if (!stays_below(name)) return error("cannot fetch " + item.uri + ": '" + name + "' leads out of the sandbox");
  const std::string target = sandbox + '/' + name;
  if (auto made = make_parent(target); !made) return made;
  if (item.cache) return fetch_cached(item, name, sandbox, cancelled);
  if (auto done = download(item.uri, target, options_.file_bytes_max, cancelled); !done) return done;
  if (auto right = check_digest(item, target); !right) return right;
  if (item.executable && ::chmod(target.c_str(), 0755) != 0) return system_error("cannot make " + name + " executable");
  if (unpacks(item, name)) return unpack(target, sandbox);
  return {};
}

std::shared_ptr<std::mutex> Fetcher::lock_of(const std::string& key) {
  const std::lock_guard lock(mutex_);
  auto& entry = locks_[key];
  if (!entry) entry = std::make_shared<std::mutex>();
  return entry;
}

// A cache entry is a folder: `file`, and `tree` when it is an archive. It appears by rename, whole or not at all.
Result<void> Fetcher::fetch_cached(const Fetch& item, const std::string& name, const std::string& sandbox,
                                   const std::atomic<bool>& cancelled) {
  std::string key = item.sha256.empty() ? "uri-" + sha256_of(identity_of(item.uri)) : "sha256-" + item.sha256;
  if (unpacks(item, name)) key += "-tree";
  else if (item.executable) key += "-program";
  const std::string entry = options_.cache_dir + '/' + key;
  {
    const auto mutex = lock_of(key);
    const std::lock_guard lock(*mutex);
    if (!fs::exists(entry))
      if (auto filled = fill_cache(item, name, entry, cancelled); !filled) return filled;
    touch(entry);
  }
  if (!unpacks(item, name)) return link(entry + "/file", sandbox + '/' + name);
  std::error_code failure;
  for (const auto& part : fs::directory_iterator(entry + "/tree", failure))
    if (auto linked = link(part.path(), fs::path(sandbox) / part.path().filename()); !linked) return linked;
  if (failure) return error("cannot read the cache: " + failure.message());
  return {};
}

Result<void> Fetcher::fill_cache(const Fetch& item, const std::string& name, const std::string& entry,
                                 const std::atomic<bool>& cancelled) {
  const std::string staging = entry + ".new";
  remove_tree(staging);
  if (auto made = make_folders(staging, 0755); !made) return made;
  const std::string file = staging + "/file";
  auto done = download(item.uri, file, options_.file_bytes_max, cancelled);
  if (done) done = check_digest(item, file);
  if (done && ::chmod(file.c_str(), item.executable ? 0755 : 0444) != 0) done = system_error("cannot chmod " + file);
  if (done && unpacks(item, name)) {
    done = make_folders(staging + "/tree", 0755);
    if (done) done = unpack(file, staging + "/tree");
    ::unlink(file.c_str());  // only the content is wanted from now on
  }
  if (done && ::rename(staging.c_str(), entry.c_str()) != 0) done = system_error("cannot rename " + staging);
  if (!done) {
    remove_tree(staging);
    return done;
  }
  shrink_cache(entry);
  return {};
}

void Fetcher::shrink_cache(const std::string& keep) {
  const std::lock_guard lock(mutex_);
  struct Entry {
    fs::file_time_type used;
    fs::path path;
    std::uint64_t size;
  };
  std::vector<Entry> entries;
  std::uint64_t total = 0;
  std::error_code ignored;
  for (const auto& part : fs::directory_iterator(options_.cache_dir, ignored)) {
    if (part.path().extension() == ".new") continue;
    entries.push_back({part.last_write_time(ignored), part.path(), size_of_tree(part.path())});
    total += entries.back().size;
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.used < b.used; });
  if (total <= options_.cache_bytes_max) return;
  std::set<std::string> used = linked_entries(options_.sandboxes_dir, options_.cache_dir);
  used.insert(keep);
  for (const auto& entry : entries) {
    if (total <= options_.cache_bytes_max) return;
    if (used.contains(entry.path.string())) continue;
    remove_tree(entry.path.string());
    total -= entry.size;
  }
}

}  // namespace banyan::posix
