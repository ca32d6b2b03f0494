// Checks for our own mistakes. Always on: a broken invariant must not be acted upon.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace banyan {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: invariant broken: %s\n", file, line, condition);
  std::abort();
}

}  // namespace banyan

#define BANYAN_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::banyan::check_failed(#condition, __FILE__, __LINE__))
