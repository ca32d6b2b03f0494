// The agent core's words <-> mesos.v1 messages. Decoding takes what the core decides on and keeps the whole message as
// bytes. THREADS: any.
#pragma once

#include <string>

#include "mesos/v1/mesos.pb.h"
#include "runtime/adapters/codec/parse.h"
#include "runtime/core/agent/words.h"

namespace banyan::codec {

[[nodiscard]] agent::Framework decode_framework(const mesos::v1::FrameworkInfo& info);
[[nodiscard]] agent::ExecutorDescription decode_executor(const mesos::v1::ExecutorInfo& info);
[[nodiscard]] agent::TaskDescription decode_task(const mesos::v1::TaskInfo& info);
/// Persistent volumes among these resources.
[[nodiscard]] std::set<agent::VolumeKey> decode_volumes(
    const google::protobuf::RepeatedPtrField<mesos::v1::Resource>& resources);

/// What an executor sent.
[[nodiscard]] agent::Status decode_status(const mesos::v1::TaskStatus& status);
[[nodiscard]] mesos::v1::TaskStatus encode_status(const agent::Status& status, const AgentId& agent);

[[nodiscard]] inline Duration decode_duration(const mesos::v1::DurationInfo& d) { return Duration(d.nanoseconds()); }

}  // namespace banyan::codec
