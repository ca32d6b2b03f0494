// What of HTTP the v1 API of the master demands before a body is read: routes, media types, refusals. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/adapters/http/http.h"

namespace banyan::master {

inline constexpr std::string_view protobuf_type = "application/x-protobuf";

enum class Route { scheduler, operator_, version, health, redirect, unknown };

/// The longest registered prefix counts; "/master" before it means the same.
[[nodiscard]] Route route(std::string_view path);

/// Method and Content-Type of a call; nothing when they are right.
[[nodiscard]] std::optional<http::Response> negotiate(const http::Request& request);
/// Accept, for calls that are answered with a body.
[[nodiscard]] std::optional<http::Response> negotiate_answer(const http::Request& request);

/// A refusal in plain text, as Mesos answers.
[[nodiscard]] http::Response plain(unsigned status, std::string text);

}  // namespace banyan::master
