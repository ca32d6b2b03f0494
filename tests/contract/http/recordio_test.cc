// The two decoders: the same bytes give the same records, however they are cut.
#include "runtime/adapters/http/recordio.h"

#include <gmock/gmock.h>

#include "runtime/adapters/http/text.h"
#include "runtime/base/limits.h"

namespace banyan::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Records = std::vector<std::string>;

/// Feeds `bytes` in pieces of that size.
Result<Records> decode_records(std::string_view bytes, std::size_t piece) {
  RecordDecoder decoder;
  Records records;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
    if (auto fed = decoder.feed(bytes.substr(0, piece), records); !fed) return tl::unexpected(fed.error());
  return records;
}
Result<std::string> decode_chunks(std::string_view bytes, std::size_t piece) {
  ChunkDecoder decoder;
  std::string payload;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
    if (auto fed = decoder.feed(bytes.substr(0, piece), payload); !fed) return tl::unexpected(fed.error());
  return payload + (decoder.ended() ? "." : "");
}

TEST(ARecordDecoder, GivesTheSameRecordsHoweverTheBytesAreCut) {
  const Records records = {"a", "line\nbreak", std::string(1000, 'x'), std::string("\0\1", 2)};
  std::string bytes;
  for (const auto& record : records) bytes += encode_record(record);
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 500u, 5000u}) EXPECT_EQ(*decode_records(bytes, piece), records);
}

TEST(ARecordDecoder, SkipsEmptyRecords) { EXPECT_THAT(*decode_records("0\n1\na0\n", 1), ElementsAre("a")); }

TEST(ARecordDecoder, HoldsAnUnfinishedRecordBack) { EXPECT_THAT(*decode_records("5\nabcd", 2), IsEmpty()); }

TEST(ARecordDecoder, RefusesALengthThatIsNone) {
  for (const char* bad : {"x\n", "\n", "-1\n", "+1\n", " 1\n", "1 \n", "1\r\n", "0x1\n", "99999999999999999999\n"})
    for (const std::size_t piece : {1u, 100u}) EXPECT_FALSE(decode_records(bad, piece)) << bad;
}

TEST(ARecordDecoder, RefusesALengthWithoutAnEnd) { EXPECT_FALSE(decode_records(std::string(21, '1'), 1)); }

TEST(ARecordDecoder, RefusesARecordOverTheLimitBeforeItComes) {
  EXPECT_TRUE(decode_records(std::to_string(limits::record_bytes_max) + "\n", 100));
  EXPECT_FALSE(decode_records(std::to_string(limits::record_bytes_max + 1) + "\n", 100));
}

TEST(AChunkDecoder, GivesTheSamePayloadHoweverTheBytesAreCut) {
  const std::string bytes =
      chunk("hello ") + chunk(std::string(300, 'y')) + "5;ext=\"1\"\r\nworld\r\n0\r\nTrailer: 1\r\n\r\n";
  const std::string payload = "hello " + std::string(300, 'y') + "world.";
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 500u}) EXPECT_EQ(*decode_chunks(bytes, piece), payload);
}

TEST(AChunkDecoder, IgnoresWhatFollowsTheEnd) { EXPECT_EQ(*decode_chunks("0\r\n\r\nHTTP/1.1 200 OK", 4), "."); }

TEST(AChunkDecoder, TakesSizesInEitherCaseAndBlanksBehindThem) {
  EXPECT_EQ(*decode_chunks("A \r\n0123456789\r\na\t;x\r\n0123456789\r\n0\r\n\r\n", 1), "01234567890123456789.");
}

TEST(AChunkDecoder, RefusesWhatIsNoChunk) {
  for (const char* bad : {"\r\n", "g\r\n", "-1\r\n", "1\n", "1\r\nab\r\n", "ffffffffffffffffff\r\n", "0x1\r\n"})
    for (const std::size_t piece : {1u, 100u}) EXPECT_FALSE(decode_chunks(bad, piece)) << bad;
}

TEST(AChunkDecoder, RefusesALineWithoutAnEnd) { EXPECT_FALSE(decode_chunks("1;" + std::string(5000, 'x'), 100)); }

TEST(TheText, KeepsAHeaderValueOnItsLine) {
  EXPECT_EQ(response_text({200, {{"location", "//h\r\nSet-Cookie: x"}}, ""}, true, true),
            "HTTP/1.1 200 OK\r\nLocation: //hSet-Cookie: x\r\nContent-Length: 0\r\n\r\n");
}

TEST(TheText, NamesTheHostAndTheLengthOfARequest) {
  EXPECT_EQ(request_text({"POST", "/api/v1", "a=b", {{"accept", "x"}}, "body"}, {"h:1"}),
            "POST /api/v1?a=b HTTP/1.1\r\nHost: h:1\r\nAccept: x\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_EQ(request_text({"GET", "/", "", {}, ""}, {"unix:/s"}), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

}  // namespace
}  // namespace banyan::http
