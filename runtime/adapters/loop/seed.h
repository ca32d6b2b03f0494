// Where randomness starts; from here on it is an Rng.
#pragma once

#include <cstdint>
#include <random>

namespace banyan {

/// From the kernel. For jitter and update uuids, which two processes must not share.
[[nodiscard]] inline std::uint64_t random_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace banyan
