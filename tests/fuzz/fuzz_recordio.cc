// The two decoders: whatever comes, cut into whatever pieces, the outcome is the same as in one piece.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "runtime/adapters/http/recordio.h"
#include "runtime/base/check.h"

namespace {

using namespace banyan::http;

struct Outcome {
  bool refused = false;
  std::string payload;
  std::vector<std::string> records;
  bool operator==(const Outcome&) const = default;
};

/// As a stream's reader does: chunks, and records within them.
Outcome decode(std::string_view bytes, std::size_t piece) {
  ChunkDecoder chunks;
  RecordDecoder records;
  Outcome outcome;
  for (; !bytes.empty() && !outcome.refused; bytes.remove_prefix(std::min(piece, bytes.size()))) {
    std::string payload;
    outcome.refused = !chunks.feed(bytes.substr(0, piece), payload) || !records.feed(payload, outcome.records);
    outcome.payload += payload;
  }
  // How much came out before a refusal depends on where the pieces end.
  if (outcome.refused) outcome.payload.clear(), outcome.records.clear();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] % 16 + 1u;
  BANYAN_CHECK(decode(bytes, piece) == decode(bytes, size));

  RecordDecoder bare;
  std::vector<std::string> found;
  const auto fed = bare.feed(bytes, found);
  (void)fed;
  return 0;
}
