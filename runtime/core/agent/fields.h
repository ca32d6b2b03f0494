// How the agent's records are written: a sequence of fields, each its length in decimal, ':', its bytes. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace banyan::agent {

class FieldWriter {
 public:
  FieldWriter& text(std::string_view value);
  FieldWriter& number(std::int64_t value) { return text(std::to_string(value)); }
  FieldWriter& flag(bool value) { return text(value ? "1" : "0"); }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what FieldWriter wrote, in the same order. A field that is missing or damaged reads as empty and makes ok()
/// false.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}
  std::string text();
  std::int64_t number();
  bool flag() { return text() == "1"; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace banyan::agent
