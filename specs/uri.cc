#include "specs/uri.h"

#include <charconv>

namespace banyan::specs {

namespace {

bool has_scheme(std::string_view uri) { return uri.find(':') < uri.find('/'); }

/// `%20` as a space; a percent sign without two hexadecimal digits stays.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const auto digits = text.substr(i + 1, 2);
    const char* end = digits.data() + digits.size();
    if (text[i] == '%' && digits.size() == 2 && std::from_chars(digits.data(), end, byte, 16).ptr == end) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> local_path(std::string_view uri) {
  if (!has_scheme(uri)) return std::string(uri);
  if (!uri.starts_with("file:")) return std::nullopt;
  uri.remove_prefix(uri.starts_with("file:///") ? 7 : 5);
  return unescaped(uri);
}

bool is_relative(std::string_view uri) { return !has_scheme(uri) && !uri.starts_with('/'); }

std::string file_name(std::string_view uri) {
  const auto local = local_path(uri);
  const std::string path = local ? *local : std::string(uri.substr(0, uri.find_first_of("?#")));
  return path.substr(path.rfind('/') + 1);
}

}  // namespace banyan::specs
