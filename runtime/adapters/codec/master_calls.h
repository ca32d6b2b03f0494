// The v1 scheduler API's calls as inputs of the master's core (mesos.v1.scheduler.Call). Pure. THREADS: any.
#pragma once

#include <optional>
#include <string>

#include "mesos/v1/scheduler/scheduler.pb.h"
#include "runtime/core/master/inputs.h"

namespace banyan::codec {

/// A request that is answered before any core sees it.
struct Refusal {
  unsigned status = 400;
  std::string text;
};
template <class T>
using Accepted = tl::expected<T, Refusal>;

/// `body`: protobuf. `stream`: the Mesos-Stream-Id header. Refusals have the words of Mesos' master.
[[nodiscard]] Accepted<master::Input> decode_scheduler_call(const std::string& body,
                                                            const std::optional<std::string>& stream,
                                                            master::CallId call);

/// How long a refusal holds: 5 s when not said or absurd, at most a year.
[[nodiscard]] Duration refuse_duration(bool given, double seconds);

}  // namespace banyan::codec
