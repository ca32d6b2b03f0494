// What the master tells schedulers, as mesos.v1.scheduler.Event records. Pure. THREADS: any.
#pragma once

#include <string>

#include "mesos/v1/mesos.pb.h"
#include "mesos/v1/scheduler/scheduler.pb.h"
#include "runtime/base/time.h"
#include "runtime/core/master/effects.h"

namespace banyan::codec {

/// The version told to Mesos' clients: they need digits and dots, at least 1.5.0 (Marathon), and gate features on it.
inline constexpr const char* mesos_version = "1.11.0";

/// Where this master can be reached, as it says of itself.
struct MasterFacts {
  std::string id;
  std::string ip = "127.0.0.1";
  std::uint16_t port = 5050;
};

[[nodiscard]] mesos::v1::MasterInfo encode(const MasterFacts& master);
[[nodiscard]] mesos::v1::Offer encode(const master::events::Offer& offer, const master::Capabilities& capabilities);
/// `at`: when the master says so, for the states it reports by itself.
[[nodiscard]] mesos::v1::scheduler::Event encode(const master::events::Any& event, const MasterFacts& master,
                                                 WallTime at);

}  // namespace banyan::codec
