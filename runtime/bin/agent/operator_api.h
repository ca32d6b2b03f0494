// The v1 operator API of an agent: what it runs, and the files of its sandboxes. Answers only; changes nothing.
#pragma once

#include "mesos/v1/agent/agent.pb.h"
#include "runtime/adapters/http/http.h"
#include "runtime/adapters/posix/browse.h"
#include "runtime/core/agent/core.h"

namespace banyan::agent {

/// The HTTP answer to one call of POST /api/v1 (protobuf). `self`: AgentInfo without its id.
[[nodiscard]] http::Response answer_operator(const http::Request& request, const Core& core,
                                             const posix::Browser& browser, const mesos::v1::AgentInfo& self);

}  // namespace banyan::agent
