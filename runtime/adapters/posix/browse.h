// Reading the files of sandboxes for LIST_FILES and READ_FILE, and nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace banyan::posix {

struct FileEntry {
  std::string path;  ///< the path asked for + '/' + name
  std::uint32_t links = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::uint32_t mode = 0;
  std::string user;  ///< number, as text
  std::string group;
};

struct FilePart {
  std::uint64_t size = 0;  ///< of the whole file
  std::string bytes;
};

inline constexpr std::uint64_t read_bytes_max = 1 << 20;  ///< per READ_FILE; callers go on at offset + what they got

/// Paths: absolute below `sandboxes` (WORK/slaves), or Mesos' virtual
/// /frameworks/F/executors/E/runs/{latest,CONTAINER}/… of any agent id this machine had. Links are followed while they
/// stay inside the same sandbox: a task cannot lead the reader anywhere else. Errors: "not found: …".
/// THREADS: any. Blocks for as long as a disk does.
class Browser {
 public:
  explicit Browser(std::string sandboxes) : sandboxes_(std::move(sandboxes)) {}
  [[nodiscard]] Result<std::vector<FileEntry>> list(const std::string& path) const;
  [[nodiscard]] Result<FilePart> read(const std::string& path, std::uint64_t offset, std::uint64_t length) const;

 private:
  [[nodiscard]] Result<int> open(const std::string& path, int flags) const;

  std::string sandboxes_;
};

}  // namespace banyan::posix
