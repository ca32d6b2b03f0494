#include "specs/node_json.h"

#include <boost/json.hpp>
#include <concepts>
#include <limits>
#include <type_traits>
#include <utility>

#include "specs/node_fields.h"
#include "specs/value_json.h"

namespace banyan::specs {

namespace json = boost::json;

namespace {

/// The way to what is wrong, as "servers[1].ports".
struct Bad {
  std::string path;
  std::string what;
};

struct ReadJson {
  const json::object& object;

  /// A field that is not there keeps its default: an older writer did not know it.
  template <class T>
  void operator()(const char* name, T& member) {
    const auto* value = object.if_contains(name);
    if (value == nullptr) return;
    try {
      read(*value, member);
    } catch (Bad& bad) {
      bad.path = name + std::string(bad.path.empty() || bad.path[0] == '[' ? "" : ".") + bad.path;
      throw;
    }
  }

  static void read(const json::value& v, std::string& out) { out = need(v.if_string(), "a text"); }
  static void read(const json::value& v, bool& out) { out = need(v.if_bool(), "true or false"); }
  static void read(const json::value& v, Duration& out) {
    std::int64_t count = 0;
    read(v, count);
    out = Duration(count);
  }
  template <std::integral T>
  static void read(const json::value& v, T& out) {
    json::error_code failure;
    out = v.to_number<T>(failure);
    if (failure) throw Bad{{}, "must be a number of its range"};
  }
  template <class T>
    requires std::is_enum_v<T>
  static void read(const json::value& v, T& out) {
    std::uint32_t number = 0;
    read(v, number);
    if (number > 2) throw Bad{{}, "is no known choice"};
    out = static_cast<T>(number);
  }
  template <class T>
  static void read(const json::value& v, std::optional<T>& out) {
    if (v.is_null()) return out.reset();
    read(v, out.emplace());
  }
  template <class T>
  static void read(const json::value& v, std::vector<T>& out) {
    out.clear();
    for (const auto& item : need(v.if_array(), "a list")) at_index(out.size(), [&] { read(item, out.emplace_back()); });
  }
  template <class T>
  static void read(const json::value& v, std::map<std::string, T>& out) {
    out.clear();
    for (const auto& [key, item] : need(v.if_object(), "an object")) read(item, out[std::string(key)]);
  }
  static void read(const json::value& v, Probe& out) {
    const auto& object = need(v.if_object(), "an object");
    for (const auto& [key, item] : object) {
      if (!read_probe(key, item, out, std::make_index_sequence<std::variant_size_v<Probe>>())) continue;
      return;
    }
    throw Bad{{}, "is no known probe"};
  }
  template <std::size_t... I>
  static bool read_probe(std::string_view kind, const json::value& v, Probe& out, std::index_sequence<I...>) {
    return ((kind == probe_kinds[I] && (read(v, out.emplace<I>()), true)) || ...);
  }
  template <class T>
    requires requires(ReadJson& a, T& t) { fields(a, t); }
  static void read(const json::value& v, T& out) {
    ReadJson archive{need(v.if_object(), "an object")};
    fields(archive, out);
  }

  template <class T>
  static const T& need(const T* pointer, const char* what) {
    if (pointer == nullptr) throw Bad{{}, std::string("must be ") + what};
    return *pointer;
  }
  template <class Read>
  static void at_index(std::size_t index, Read read_item) {
    try {
      read_item();
    } catch (Bad& bad) {
      bad.path = "[" + std::to_string(index) + "]" + (bad.path.empty() || bad.path[0] == '[' ? "" : ".") + bad.path;
      throw;
    }
  }
};

}  // namespace

std::string to_json(const Node& node) { return json::serialize(WriteJson{.positions = true}.write(node)); }

namespace {

Result<json::value> parsed(std::string_view text, const std::string& what) {
  json::error_code failure;
  json::parse_options options;
  options.max_depth = 32;
  auto value = json::parse(json::string_view(text.data(), text.size()), failure, {}, options);
  if (failure) return error(what + "'s JSON cannot be parsed: " + failure.message());
  return value;
}

template <class T>
Result<T> from_json(const json::value& value, const std::string& what) {
  T out;
  try {
    ReadJson::read(value, out);
  } catch (const Bad& bad) {
    return error(what + "'s JSON is wrong: " + (bad.path.empty() ? "it" : bad.path) + " " + bad.what);
  }
  return out;
}

}  // namespace

Result<Node> node_from_json(std::string_view text) {
  const auto value = parsed(text, "a node");
  return value ? from_json<Node>(*value, "a node") : tl::unexpected(value.error());
}

std::string to_json(const Stack& stack) {
  auto value = WriteJson{.positions = true}.write(stack);
  value.as_object().emplace("version", stack_json_version);
  return json::serialize(value);
}

Result<Stack> stack_from_json(std::string_view text) {
  const auto value = parsed(text, "a stack");
  if (!value) return tl::unexpected(value.error());
  const auto* object = value->if_object();
  const auto* version = object == nullptr ? nullptr : object->if_contains("version");
  if (version == nullptr || *version != stack_json_version)
    return error("a stack's JSON has version " + (version == nullptr ? "none" : json::serialize(*version)) +
                 ", this program knows " + std::to_string(stack_json_version));
  return from_json<Stack>(*value, "a stack");
}

}  // namespace banyan::specs
