// FNV-1a, 64 bits: equality of what we wrote ourselves, not a defence against anybody.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace banyan {

class Fnv {
 public:
  /// Each text is closed by a zero byte: ("ab", "c") and ("a", "bc") differ.
  Fnv& add(std::string_view text) {
    for (const char c : text) mix(static_cast<unsigned char>(c));
    mix(0);
    return *this;
  }
  /// 16 hexadecimal digits.
  [[nodiscard]] std::string hex() const {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (int shift = 60; shift >= 0; shift -= 4) text += digits[(state_ >> shift) & 0xf];
    return text;
  }

 private:
  void mix(unsigned char byte) { state_ = (state_ ^ byte) * 0x100000001b3ULL; }
  std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

}  // namespace banyan
