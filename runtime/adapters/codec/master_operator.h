// The v1 operator API of the master (mesos.v1.master): reads are answered from the state, writes become inputs.
// Pure. THREADS: any.
#pragma once

#include <string>
#include <variant>

#include "mesos/v1/master/master.pb.h"
#include "runtime/adapters/codec/master_calls.h"
#include "runtime/adapters/codec/master_events.h"
#include "runtime/core/master/state.h"

namespace banyan::codec {

/// The body of a 200, or what the core is to decide.
using OperatorResult = std::variant<mesos::v1::master::Response, master::Input>;

[[nodiscard]] Accepted<OperatorResult> operator_call(const std::string& body, const master::State& state,
                                                     const MasterFacts& master, master::CallId call);

}  // namespace banyan::codec
