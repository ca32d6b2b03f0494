// Randomness is a seed: the same seed gives the same numbers on every machine.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace banyan {

/// splitmix64 (Steele, Lea, Flood 2014). A small value; copy it to fork a stream. Not for secrets.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, n). REQUIRES: n > 0. The bias of the multiplication is below 2^-32 for the n we use.
  std::uint64_t below(std::uint64_t n) { return static_cast<std::uint64_t>((static_cast<Wide>(next()) * n) >> 64); }

  /// True with probability numerator/denominator.
  bool chance(std::uint64_t numerator, std::uint64_t denominator) { return below(denominator) < numerator; }

  /// 16 random bytes in the shape of a version 4 UUID.
  std::array<std::uint8_t, 16> uuid_bytes() {
    std::array<std::uint8_t, 16> b{};
    for (std::size_t i = 0; i < 16; i += 8) {
      const std::uint64_t word = next();
      for (std::size_t k = 0; k < 8; ++k) b[i + k] = static_cast<std::uint8_t>(word >> (8 * k));
    }
    b[6] = static_cast<std::uint8_t>((b[6] & 0x0f) | 0x40);
    b[8] = static_cast<std::uint8_t>((b[8] & 0x3f) | 0x80);
    return b;
  }

  /// 36 characters, lower case.
  std::string uuid() {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    const auto bytes = uuid_bytes();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
      text += digits[bytes[i] >> 4];
      text += digits[bytes[i] & 0xf];
    }
    return text;
  }

 private:
  __extension__ using Wide = unsigned __int128;

  std::uint64_t state_;
};

}  // namespace banyan
