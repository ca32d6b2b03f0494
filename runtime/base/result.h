// Results for what can happen in a healthy system; BANYAN_CHECK (check.h) for our own mistakes.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace banyan {

/// What went wrong, in words a user can act on: what was tried, on what, why it failed.
struct Error {
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> error(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}

}  // namespace banyan
