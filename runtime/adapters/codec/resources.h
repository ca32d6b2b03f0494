// Resources as protobuf messages (mesos.v1.Resource) and as values (runtime/base/resources.h).
//
// Mesos has two ways to write a reservation: the old `role` + `reservation`, and, for frameworks with
// RESERVATION_REFINEMENT, the stack `reservations`. Both are read; which one is written is the caller's choice.
// THREADS: any.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include "mesos/v1/mesos.pb.h"
#include "runtime/base/resources.h"

namespace banyan::codec {

enum class ResourceFormat {
  refined,   ///< `reservations` only; unreserved: neither `role` nor `reservations`
  legacy,    ///< `role` ("*": unreserved) and, when dynamic, `reservation`. REQUIRES: a stack of at most one
  operator_  ///< both, as Mesos' operator API answers
};

/// An error names the resource and what is wrong or not supported yet (revocable, shared, disk sources, providers).
[[nodiscard]] Result<Resource> decode(const mesos::v1::Resource& message);
[[nodiscard]] Result<Resources> decode(const google::protobuf::RepeatedPtrField<mesos::v1::Resource>& messages);

[[nodiscard]] mesos::v1::Resource encode(const Resource& resource, ResourceFormat format);
/// Appends to `out`.
void encode(const Resources& resources, ResourceFormat format,
            google::protobuf::RepeatedPtrField<mesos::v1::Resource>* out);

}  // namespace banyan::codec
