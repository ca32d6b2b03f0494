// Reading a log that rotates, through an API that lists and reads files and knows no inodes. Pure.
//
//   list ─► read ─► list ─► …     what was read counts only when the next listing shows that nothing rotated meanwhile
//
// "stdout" is written, "stdout.1" came before it, "stdout.2" before that. A rotation renames all of them, and a file
// that has rotated keeps its size and the time it was last written: by that it is known again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace banyan::root {

struct LogFile {
  std::string name;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;  ///< Unix time of the last write
};

class RotatedLog {
 public:
  /// What to ask for next. An empty name: a listing of the log's folder.
  struct Ask {
    std::string name;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };

  /// Begins with the last `tail` lines; negative: with the oldest file. Files last written before `since_ns` are left
  /// out.
  RotatedLog(std::string name, std::int64_t tail, std::int64_t since_ns)
      : name_(std::move(name)), lines_(tail), since_ns_(since_ns) {}

  /// Nothing: all that there is has been read; it may have grown after look_again().
  [[nodiscard]] std::optional<Ask> next() const;
  void look_again() { listed_ = missed_ = failed_ = false; }

  /// Every file of the folder, also of others. Without ours: it is not there (yet, or any more).
  void listed(const std::vector<LogFile>& folder);
  /// The answer to an Ask with a name. Nothing: it could not be read; asked again after look_again().
  void read(std::optional<std::string> bytes);

  /// What has been read and not been taken yet, in order. A line says so where files were rotated away unread.
  [[nodiscard]] std::string take() { return std::exchange(text_, {}); }
  [[nodiscard]] bool found() const { return begun_; }  ///< there was a file at some time

 private:
  struct Place {
    std::size_t age = 0;  ///< 0: the file that is written; 1: its predecessor
    std::uint64_t offset = 0;
  };

  [[nodiscard]] std::size_t rotations(const std::vector<LogFile>& now) const;
  void miss() { failed_ = std::exchange(missed_, true); }
  void begin();
  void settle();
  void count_lines(const std::string& bytes);
  [[nodiscard]] std::uint64_t window() const;

  std::string name_;
  std::int64_t lines_;  ///< still to be found while seeking
  std::int64_t since_ns_;
  std::vector<LogFile> files_;  ///< by age, of the last listing
  bool listed_ = false;         ///< nothing was read since
  bool missed_ = false;         ///< it was not there, or not readable: once that may be a rotation
  bool failed_ = false;         ///< twice
  bool begun_ = false;
  bool seeking_ = false;  ///< backwards, for the line to begin with: at_ is the end of what was not looked at
  bool at_end_ = false;   ///< seeking, and nothing was looked at yet: a newline there ends the last line
  Place at_;
  std::size_t oldest_ = 0;  ///< age of the first file wanted
  std::optional<std::string> unproven_;
  std::string text_;
};

}  // namespace banyan::root
