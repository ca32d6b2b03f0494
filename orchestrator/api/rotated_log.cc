#include "orchestrator/api/rotated_log.h"

#include <algorithm>
#include <utility>

namespace banyan::root {
namespace {

constexpr std::uint64_t read_bytes = 1 << 20;
constexpr std::uint64_t seek_bytes = 256 << 10;

/// By age, up to the first that is missing.
std::vector<LogFile> generations(const std::string& name, const std::vector<LogFile>& folder) {
  std::vector<LogFile> files;
  for (;;) {
    const std::string wanted = files.empty() ? name : name + "." + std::to_string(files.size());
    const auto found = std::ranges::find(folder, wanted, &LogFile::name);
    if (found == folder.end()) return files;
    files.push_back(*found);
  }
}

}  // namespace

std::uint64_t RotatedLog::window() const { return std::min(at_.offset, seek_bytes); }

std::optional<RotatedLog::Ask> RotatedLog::next() const {
  if (failed_) return std::nullopt;
  if (!listed_) return Ask{};
  const LogFile& file = files_[at_.age];
  if (seeking_) return Ask{file.name, at_.offset - window(), window()};
  if (at_.offset >= file.size) return std::nullopt;
  return Ask{file.name, at_.offset, std::min(read_bytes, file.size - at_.offset)};
}

/// How many times it rotated since the last listing; more than there are files: what we were at is gone.
std::size_t RotatedLog::rotations(const std::vector<LogFile>& now) const {
  const auto was_written = [&](std::size_t age) {  // could be the file that was written then
    return age == 0 || (age < now.size() && now[age].size >= files_[0].size);
  };
  std::size_t times = now.size() - 1;
  if (files_.size() > 1)
    for (std::size_t age = 1; age < now.size(); ++age)
      if (now[age].size == files_[1].size && now[age].modified_ns == files_[1].modified_ns) times = age - 1;
  return was_written(times) ? times : now.size();
}

void RotatedLog::listed(const std::vector<LogFile>& folder) {
  auto now = generations(name_, folder);
  if (now.empty()) {
    unproven_.reset();
    return miss();
  }
  listed_ = true;
  const std::size_t times = files_.empty() ? 0 : rotations(now);
  files_ = std::move(now);
  if (!begun_) return begin();
  const auto bytes = std::exchange(unproven_, std::nullopt);
  at_.age += times;
  oldest_ = std::min(oldest_ + times, files_.size() - 1);
  if (at_.age >= files_.size()) {
    at_ = {files_.size() - 1, 0};
    seeking_ = false;
    text_ += "banyan: lines are missing here; they were rotated away before they were read\n";
  } else if (bytes && times == 0) {
    if (seeking_) count_lines(*bytes);
    else text_ += *bytes, at_.offset += bytes->size();
    missed_ = false;
  }
  settle();
}

void RotatedLog::begin() {
  begun_ = true;
  while (oldest_ + 1 < files_.size() && files_[oldest_ + 1].modified_ns >= since_ns_) ++oldest_;
  at_ = {0, files_[0].size};
  seeking_ = at_end_ = lines_ > 0;
  if (lines_ < 0 && files_[0].modified_ns >= since_ns_) at_ = {oldest_, 0};
  if (files_[0].modified_ns < since_ns_) seeking_ = false;
  settle();
}

/// The next older or younger file, when this one is through.
void RotatedLog::settle() {
  while (seeking_ && at_.offset == 0) {
    if (at_.age < oldest_) at_ = {at_.age + 1, files_[at_.age + 1].size};
    else seeking_ = false;
  }
  if (seeking_) return;
  at_.offset = at_.offset > files_[at_.age].size ? 0 : at_.offset;  // emptied in place
  while (at_.age > 0 && at_.offset >= files_[at_.age].size) at_ = {at_.age - 1, 0};
}

void RotatedLog::count_lines(const std::string& bytes) {
  at_.offset -= window();
  std::size_t end = bytes.size();
  if (std::exchange(at_end_, false) && end > 0 && bytes.back() == '\n') --end;
  for (std::size_t newline = end; newline > 0;) {
    newline = bytes.rfind('\n', newline - 1);
    if (newline == std::string::npos) return;
    if (--lines_ > 0) continue;
    seeking_ = false;
    at_.offset += newline + 1;
    return;
  }
}

void RotatedLog::read(std::optional<std::string> bytes) {
  listed_ = false;
  if (bytes && !bytes->empty()) unproven_ = std::move(bytes);
  else miss();
}

}  // namespace banyan::root
