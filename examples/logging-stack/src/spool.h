// The application's log: a folder with one file of numbered JSON lines, appended to durably.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace example {

/// The numbers of lines written by one append.
struct Written {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// {"id":"18f3c2a90d1-42","n":42,"ts":"2026-11-21T03:40:01.123Z","message":"line 42"} and a line feed, per line.
/// The part of an id before the dash is the spool's own, chosen when it is empty; the number counts from 1 and goes on
/// after a restart. THREADS: one.
class Spool {
 public:
  /// Opens or makes FOLDER/lines.log. A line that an earlier process did not finish is cut off: nobody was told of it.
  static banyan::Result<Spool> open(const std::string& folder);
  Spool(Spool&& other) noexcept;
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  Spool& operator=(Spool&&) = delete;
  ~Spool();

  /// Writes `count` lines; they are on disk when this returns.
  banyan::Result<Written> append(std::uint64_t count, const std::string& message);
  /// Every line's id, in order, read back from the file.
  [[nodiscard]] banyan::Result<std::vector<std::string>> ids() const;
  [[nodiscard]] std::uint64_t count() const { return last_; }
  [[nodiscard]] std::string id_of(std::uint64_t number) const { return name_ + "-" + std::to_string(number); }

 private:
  Spool(int fd, std::string path, std::string name, std::uint64_t last);

  int fd_;
  std::string path_;
  std::string name_;
  std::uint64_t last_;
};

}  // namespace example
