#include "runtime/adapters/http/recordio.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "runtime/base/limits.h"

namespace banyan::http {
namespace {

constexpr std::size_t length_line_max = 20;   ///< digits of the largest uint64; mesos-go's bound too
constexpr std::size_t chunk_line_max = 4096;  ///< a chunk's size with its extensions, or one trailer

/// All of `text` as a number to that base, or nothing.
std::optional<std::size_t> number(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string encode_record(std::string_view record) {
  std::string text = std::to_string(record.size());
  text += '\n';
  text += record;
  return text;
}

Result<void> RecordDecoder::feed(std::string_view bytes, std::vector<std::string>& records) {
  while (!bytes.empty()) {
    if (!length_) {
      const auto line_end = bytes.find('\n');
      line_ += bytes.substr(0, line_end);
      if (line_.size() > length_line_max) return error("RecordIO: a record's length has more than 20 digits");
      if (line_end == std::string_view::npos) return {};
      bytes.remove_prefix(line_end + 1);
      length_ = number(line_, 10);
      if (!length_) return error("RecordIO: a record's length is not a number");
      if (*length_ > limits::record_bytes_max)
        return error("RecordIO: a record of " + line_ + " bytes is over the limit of " +
                     std::to_string(limits::record_bytes_max));
      line_.clear();
      if (*length_ == 0) length_.reset();  // Mesos never sends one; its clients skip them
      continue;
    }
    const std::size_t taken = std::min(*length_ - record_.size(), bytes.size());
    record_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    if (record_.size() < *length_) return {};
    records.push_back(std::exchange(record_, {}));
    length_.reset();
  }
  return {};
}

Result<void> ChunkDecoder::feed(std::string_view bytes, std::string& payload) {
  while (!bytes.empty() && !ended()) {
    if (state_ == State::data) {
      const std::size_t taken = std::min(left_, bytes.size());
      payload += bytes.substr(0, taken);
      bytes.remove_prefix(taken);
      left_ -= taken;
      if (left_ == 0) state_ = State::data_end;
      continue;
    }
    const auto line_end = bytes.find('\n');
    line_ += bytes.substr(0, line_end);
    if (line_.size() > chunk_line_max) return error("HTTP: a chunk's first line is over 4096 bytes");
    if (line_end == std::string_view::npos) return {};
    bytes.remove_prefix(line_end + 1);
    if (line_.empty() || line_.back() != '\r') return error("HTTP: a chunk's line does not end with CR LF");
    line_.pop_back();
    if (auto taken = line(std::exchange(line_, {})); !taken) return taken;
  }
  return {};
}

Result<void> ChunkDecoder::line(const std::string& text) {
  switch (state_) {
    case State::size: {
      auto digits = std::string_view(text).substr(0, text.find(';'));
      while (!digits.empty() && (digits.back() == ' ' || digits.back() == '\t')) digits.remove_suffix(1);
      const auto size = number(digits, 16);
      if (!size) return error("HTTP: a chunk's size is not a hexadecimal number");
      left_ = *size;
      state_ = left_ == 0 ? State::trailer : State::data;
      return {};
    }
    case State::data_end:
      if (!text.empty()) return error("HTTP: a chunk is longer than it said");
      state_ = State::size;
      return {};
    case State::trailer:
      if (text.empty()) state_ = State::ended;
      return {};
    case State::data:
    case State::ended: break;
  }
  return {};
}

}  // namespace banyan::http
