// Bytes that a core has carried, as the message they are.
#pragma once

#include <string>

namespace banyan::codec {

/// REQUIRES: `bytes` is what SerializeAsString gave.
template <class Message>
[[nodiscard]] Message parse(const std::string& bytes) {
  Message message;
  message.ParsePartialFromString(bytes);
  return message;
}

}  // namespace banyan::codec
