// RecordIO, the framing of Mesos' event streams: decimal length, LF, that many bytes. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace banyan::http {

[[nodiscard]] std::string encode_record(std::string_view record);

/// Takes bytes as they arrive, gives whole records. HTTP chunk borders mean nothing to it.
/// Zero-length records are skipped, as Mesos' clients do.
class RecordDecoder {
 public:
  /// Appends the records that `bytes` completes. An error (bad length, record over limits::record_bytes_max) is final.
  [[nodiscard]] Result<void> feed(std::string_view bytes, std::vector<std::string>& records);

 private:
  std::string line_;                   ///< digits of a length that is not complete yet
  std::optional<std::size_t> length_;  ///< of the record that `record_` will be; nothing: between records
  std::string record_;
};

/// Takes the body of a chunked response as it arrives, gives the payload. Chunk extensions and trailers are skipped;
/// so is whatever follows the end.
class ChunkDecoder {
 public:
  /// Appends to `payload`. An error (a size that is none, a line over 4 KiB) is final.
  [[nodiscard]] Result<void> feed(std::string_view bytes, std::string& payload);
  [[nodiscard]] bool ended() const { return state_ == State::ended; }  ///< the zero chunk and its trailers have come

 private:
  enum class State { size, data, data_end, trailer, ended };

  [[nodiscard]] Result<void> line(const std::string& text);

  State state_ = State::size;
  std::string line_;      ///< a line that is not complete yet
  std::size_t left_ = 0;  ///< valid in `data`: bytes of this chunk still to come
};

}  // namespace banyan::http
