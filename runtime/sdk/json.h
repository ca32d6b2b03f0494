// Protobuf messages as JSON, by reflection: how a handover and a child's status are written.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace google::protobuf {
class Message;
}

namespace banyan::sdk {

/// Compact JSON in the order of the fields, snake_case names, 64-bit integers as numbers (protobuf's own printer makes
/// them strings), bytes as base64, enums as names. Absent fields are left out. Map keys are sorted.
[[nodiscard]] std::string to_json(const google::protobuf::Message& message);

/// The reverse. Takes integers as numbers or strings; ignores unknown fields; null is absent. Clears `message` first.
/// An error names the field.
[[nodiscard]] Result<void> from_json(std::string_view text, google::protobuf::Message& message);

}  // namespace banyan::sdk
