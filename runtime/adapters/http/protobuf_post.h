// The request of the v1 APIs: a protobuf message in, a protobuf message wanted back.
#pragma once

#include <string>
#include <utility>

#include "runtime/adapters/http/http.h"

namespace banyan::http {

/// POST of a serialized message to `path`.
[[nodiscard]] inline Request protobuf_post(std::string path, std::string message) {
  constexpr const char* type = "application/x-protobuf";
  return {"POST", std::move(path), "", {{"content-type", type}, {"accept", type}}, std::move(message)};
}

}  // namespace banyan::http
