// RecordIO, the framing of Mesos' event streams: decimal length, LF, that many bytes. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace banyan::http {

[[nodiscard]] std::string encode_record(std::string_view record);

/// Takes bytes as they arrive, gives whole records. HTTP chunk borders mean nothing to it.
class RecordDecoder {
 public:
  /// Appends the records that `bytes` completes. An error (bad length, record over limits::record_bytes_max) is final.
  [[nodiscard]] Result<void> feed(std::string_view bytes, std::vector<std::string>& records);

 private:
  std::string buffer_;
};

/// Takes the body of a chunked response as it arrives, gives the payload. Chunk extensions and trailers are skipped.
class ChunkDecoder {
 public:
  [[nodiscard]] Result<void> feed(std::string_view bytes, std::string& payload);
  [[nodiscard]] bool ended() const { return ended_; }  ///< the zero chunk has come

 private:
  std::string line_;
  std::size_t left_ = 0;
  int state_ = 0;
  bool ended_ = false;
};

}  // namespace banyan::http
