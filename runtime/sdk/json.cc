#include "runtime/sdk/json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <limits>
#include <map>

#include "runtime/sdk/base64.h"

namespace banyan::sdk {
namespace {

namespace pb = google::protobuf;
namespace json = boost::json;
using Field = pb::FieldDescriptor;

constexpr int singular = -1;  // the index of a field that is not repeated

json::object object_of(const pb::Message& message);

/// One value: of a singular field, or the index-th of a repeated one.
json::value value_of(const pb::Message& message, const Field* field, int index) {
  const auto* reflection = message.GetReflection();
#define BANYAN_GET(TYPE) \
  (index == singular ? reflection->Get##TYPE(message, field) : reflection->GetRepeated##TYPE(message, field, index))
  switch (field->cpp_type()) {
    case Field::CPPTYPE_INT32: return BANYAN_GET(Int32);
    case Field::CPPTYPE_INT64: return BANYAN_GET(Int64);
    case Field::CPPTYPE_UINT32: return BANYAN_GET(UInt32);
    case Field::CPPTYPE_UINT64: return BANYAN_GET(UInt64);
    case Field::CPPTYPE_DOUBLE: return BANYAN_GET(Double);
    case Field::CPPTYPE_FLOAT: return static_cast<double>(BANYAN_GET(Float));
    case Field::CPPTYPE_BOOL: return BANYAN_GET(Bool);
    case Field::CPPTYPE_ENUM: return json::string(BANYAN_GET(Enum)->name());
    case Field::CPPTYPE_STRING: {
      const std::string text = BANYAN_GET(String);
      return json::string(field->type() == Field::TYPE_BYTES ? base64_encode(text) : text);
    }
    case Field::CPPTYPE_MESSAGE: return object_of(BANYAN_GET(Message));
  }
#undef BANYAN_GET
  return nullptr;
}

std::string key_text(const json::value& key) {
  return key.is_string() ? std::string(key.as_string()) : json::serialize(key);
}

json::value map_of(const pb::Message& message, const Field* field) {
  std::map<std::string, json::value> sorted;
  const auto* entry_type = field->message_type();
  for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
    const auto& entry = message.GetReflection()->GetRepeatedMessage(message, field, i);
    sorted[key_text(value_of(entry, entry_type->map_key(), singular))] =
        value_of(entry, entry_type->map_value(), singular);
  }
  json::object object;
  for (auto& [key, value] : sorted) object.emplace(key, std::move(value));
  return object;
}

json::value array_of(const pb::Message& message, const Field* field) {
  json::array array;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i)
    array.push_back(value_of(message, field, i));
  return array;
}

json::object object_of(const pb::Message& message) {
  json::object object;
  std::vector<const Field*> fields;
  message.GetReflection()->ListFields(message, &fields);  // those that are set, by number
  for (const auto* field : fields) {
    json::value value = field->is_map()        ? map_of(message, field)
                        : field->is_repeated() ? array_of(message, field)
                                               : value_of(message, field, singular);
    object.emplace(field->name(), std::move(value));
  }
  return object;
}

Result<void> fill(pb::Message& message, const json::object& object);

tl::unexpected<Error> not_a(const Field* field, const char* what) {
  return error(field->full_name() + " is not " + what);
}

/// An integer as a number or as a string of digits, within [min, max].
template <class T>
Result<T> integer_of(const Field* field, const json::value& value) {
  if (value.is_string()) {
    boost::system::error_code code;
    const auto parsed = json::parse(value.as_string(), code);
    if (!code && parsed.is_number()) return integer_of<T>(field, parsed);
    return not_a(field, "an integer");
  }
  boost::system::error_code code;
  const T number = value.to_number<T>(code);  // exact: fails on fractions and out of range
  if (code) return not_a(field, "an integer in range");
  return number;
}

template <class T, class Set>
Result<void> set_integer(const Field* field, const json::value& value, const Set& set) {
  const auto number = integer_of<T>(field, value);
  if (!number) return tl::unexpected(number.error());
  set(*number);
  return {};
}

/// Sets a singular field, or appends to a repeated one.
Result<void> set_value(pb::Message& message, const Field* field, const json::value& value) {
  const auto* reflection = message.GetReflection();
  const bool add = field->is_repeated();
#define BANYAN_PUT(TYPE) \
  [&](auto v) { add ? reflection->Add##TYPE(&message, field, v) : reflection->Set##TYPE(&message, field, v); }
  switch (field->cpp_type()) {
    case Field::CPPTYPE_INT32: return set_integer<std::int32_t>(field, value, BANYAN_PUT(Int32));
    case Field::CPPTYPE_INT64: return set_integer<std::int64_t>(field, value, BANYAN_PUT(Int64));
    case Field::CPPTYPE_UINT32: return set_integer<std::uint32_t>(field, value, BANYAN_PUT(UInt32));
    case Field::CPPTYPE_UINT64: return set_integer<std::uint64_t>(field, value, BANYAN_PUT(UInt64));
    case Field::CPPTYPE_DOUBLE:
    case Field::CPPTYPE_FLOAT: {
      if (!value.is_number()) return not_a(field, "a number");
      const auto number = value.to_number<double>();
      if (field->cpp_type() == Field::CPPTYPE_DOUBLE) BANYAN_PUT(Double)(number);
      if (field->cpp_type() == Field::CPPTYPE_FLOAT) BANYAN_PUT(Float)(static_cast<float>(number));
      return {};
    }
    case Field::CPPTYPE_BOOL:
      if (!value.is_bool()) return not_a(field, "true or false");
      BANYAN_PUT(Bool)(value.as_bool());
      return {};
    case Field::CPPTYPE_ENUM: {
      const auto* number =
          value.is_string() ? field->enum_type()->FindValueByName(std::string(value.as_string())) : nullptr;
      if (number == nullptr) return not_a(field, "one of its names");
      BANYAN_PUT(Enum)(number);
      return {};
    }
    case Field::CPPTYPE_STRING: {
      if (!value.is_string()) return not_a(field, "a string");
      std::string text(value.as_string());
      if (field->type() == Field::TYPE_BYTES) {
        auto bytes = base64_decode(text);
        if (!bytes) return not_a(field, "base64");
        text = std::move(*bytes);
      }
      BANYAN_PUT(String)(text);
      return {};
    }
    case Field::CPPTYPE_MESSAGE: {
      if (!value.is_object()) return not_a(field, "an object");
      auto* inner = add ? reflection->AddMessage(&message, field) : reflection->MutableMessage(&message, field);
      return fill(*inner, value.as_object());
    }
  }
#undef BANYAN_PUT
  return {};
}

Result<void> fill_map(pb::Message& message, const Field* field, const json::value& value) {
  if (!value.is_object()) return not_a(field, "an object");
  for (const auto& [key, entry_value] : value.as_object()) {
    auto* entry = message.GetReflection()->AddMessage(&message, field);
    if (auto set = set_value(*entry, field->message_type()->map_key(), json::string(key)); !set) return set;
    if (auto set = set_value(*entry, field->message_type()->map_value(), entry_value); !set) return set;
  }
  return {};
}

Result<void> fill(pb::Message& message, const json::object& object) {
  for (const auto& [name, value] : object) {
    const auto* field = message.GetDescriptor()->FindFieldByName(std::string(name));
    if (field == nullptr || value.is_null()) continue;
    if (field->is_map()) {
      if (auto filled = fill_map(message, field, value); !filled) return filled;
    } else if (field->is_repeated()) {
      if (!value.is_array()) return not_a(field, "an array");
      for (const auto& element : value.as_array())
        if (auto set = set_value(message, field, element); !set) return set;
    } else if (auto set = set_value(message, field, value); !set) {
      return set;
    }
  }
  return {};
}

}  // namespace

std::string to_json(const pb::Message& message) { return json::serialize(object_of(message)); }

Result<void> from_json(std::string_view text, pb::Message& message) {
  message.Clear();
  boost::system::error_code code;
  const auto value = json::parse(json::string_view(text.data(), text.size()), code);
  if (code) return error("not JSON: " + code.message());
  if (!value.is_object()) return error("not a JSON object");
  if (auto filled = fill(message, value.as_object()); !filled) return filled;
  if (!message.IsInitialized()) return error("missing: " + message.InitializationErrorString());
  return {};
}

}  // namespace banyan::sdk
