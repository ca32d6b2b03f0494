#include "runtime/core/agent/fields.h"

#include <charconv>

namespace banyan::agent {

FieldWriter& FieldWriter::text(std::string_view value) {
  bytes_ += std::to_string(value.size());
  bytes_ += ':';
  bytes_ += value;
  return *this;
}

std::string FieldReader::text() {
  std::size_t size = 0;
  const auto [end, failure] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
  const auto header = static_cast<std::size_t>(end - rest_.data()) + 1;
  if (failure != std::errc() || header > rest_.size() || *end != ':' || rest_.size() - header < size) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  std::string value(rest_.substr(header, size));
  rest_.remove_prefix(header + size);
  return value;
}

std::int64_t FieldReader::number() {
  const std::string digits = text();
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure != std::errc() || end != digits.data() + digits.size()) ok_ = false;
  return value;
}

}  // namespace banyan::agent
