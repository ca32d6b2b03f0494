// What the master decides on, read out of Mesos' messages; the message itself travels along as bytes, so that fields
// nobody here knows survive. Pure. THREADS: any.
#pragma once

#include "mesos/v1/mesos.pb.h"
#include "runtime/adapters/codec/parse.h"
#include "runtime/core/master/inputs.h"

namespace banyan::codec {

[[nodiscard]] master::FrameworkDescription describe(const mesos::v1::FrameworkInfo& info);
/// Never fails: what is wrong is said in `invalid`, for the TASK_ERROR.
[[nodiscard]] master::TaskDescription describe(const mesos::v1::TaskInfo& task, const FrameworkId& framework);
[[nodiscard]] Result<master::ExecutorDescription> describe(const mesos::v1::ExecutorInfo& executor,
                                                           const FrameworkId& framework);

/// GROW_VOLUME or SHRINK_VOLUME; `piece` as the call says it.
[[nodiscard]] Result<master::Conversion> decode_resize(master::Conversion::Kind kind, const mesos::v1::Resource& volume,
                                                       const mesos::v1::Resource& piece);
/// What SHRINK_VOLUME names by an amount alone: that much disk, reserved as the volume is.
[[nodiscard]] mesos::v1::Resource plain_piece(mesos::v1::Resource volume, const mesos::v1::Value::Scalar& amount);

}  // namespace banyan::codec
