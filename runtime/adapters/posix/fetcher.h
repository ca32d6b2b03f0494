// Brings a task's files into its sandbox: from a path (also a mounted NFS or DFS) or by http(s), checked, cached,
// unpacked.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/adapters/posix/plan.h"
#include "runtime/base/result.h"

namespace banyan::posix {

struct FetcherOptions {
  std::string cache_dir;                       ///< made when missing; its parents are the agent's
  std::string sandboxes_dir;                   ///< WORK/slaves: what a sandbox links to is not thrown out
  std::uint64_t cache_bytes_max = 8ull << 30;  ///< least recently used files go first
  std::uint64_t file_bytes_max = 8ull << 30;
};

/// With `cache`, a file is kept under its sha256 (else under its URI and, where that is local, the file's identity) and
/// unpacked once; sandboxes get links to it.
/// Without, it lies in the sandbox, and beside it what it unpacks to.
/// THREADS: any; two fetches of one cached file wait for each other.
class Fetcher {
 public:
  explicit Fetcher(FetcherOptions options) : options_(std::move(options)) {}

  /// `sandbox` is not the task's yet: nobody else can write to it. `cancelled` ends a download early.
  [[nodiscard]] Result<void> fetch(const std::vector<Fetch>& items, const std::string& sandbox,
                                   const std::atomic<bool>& cancelled);

 private:
  Result<void> fetch_one(const Fetch& item, const std::string& sandbox, const std::atomic<bool>& cancelled);
  Result<void> fetch_cached(const Fetch& item, const std::string& name, const std::string& sandbox,
                            const std::atomic<bool>& cancelled);
  Result<void> fill_cache(const Fetch& item, const std::string& name, const std::string& entry,
                          const std::atomic<bool>& cancelled);
  void shrink_cache(const std::string& keep);
  std::shared_ptr<std::mutex> lock_of(const std::string& key);

  const FetcherOptions options_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<std::mutex>> locks_;  // guarded by mutex_
};

}  // namespace banyan::posix
