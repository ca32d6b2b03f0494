#include "runtime/adapters/codec/resources.h"

#include "runtime/base/check.h"

namespace banyan::codec {
namespace {

using Message = mesos::v1::Resource;
using ReservationMessage = mesos::v1::Resource::ReservationInfo;

tl::unexpected<Error> bad(const Message& message, const std::string& why) {
  return error("resource '" + message.name() + "': " + why);
}

Result<Amount> decode_amount(const Message& message) {
  switch (message.type()) {
    case mesos::v1::Value::SCALAR: {
      if (!message.has_scalar()) return bad(message, "is a SCALAR without 'scalar'");
      const auto scalar = to_scalar(message.scalar().value());
      if (!scalar) return bad(message, scalar.error().message);
      return Amount{*scalar};
    }
    case mesos::v1::Value::RANGES: {
      if (!message.has_ranges()) return bad(message, "is RANGES without 'ranges'");
      std::vector<Range> ranges;
      for (const auto& r : message.ranges().range()) ranges.push_back({r.begin(), r.end()});
      auto merged = to_ranges(std::move(ranges));
      if (!merged) return bad(message, merged.error().message);
      return Amount{std::move(*merged)};
    }
    case mesos::v1::Value::SET: {
      if (!message.has_set()) return bad(message, "is a SET without 'set'");
      return Amount{Items(message.set().item().begin(), message.set().item().end())};
    }
    default: return bad(message, "must be a SCALAR, RANGES or a SET");
  }
}

Reservation decode_reservation(const ReservationMessage& message, bool dynamic, const std::string& role) {
  Reservation r{dynamic, role, message.principal(), {}};
  for (const auto& label : message.labels().labels()) r.labels[label.key()] = label.value();
  return r;
}

std::vector<Reservation> decode_reservations(const Message& message) {
  std::vector<Reservation> stack;
  for (const auto& r : message.reservations())
    stack.push_back(decode_reservation(r, r.type() != ReservationMessage::STATIC, r.role()));
  if (stack.empty() && message.role() != "*")
    stack.push_back(decode_reservation(message.reservation(), message.has_reservation(), message.role()));
  return stack;
}

/// What a resource may not say yet, or "".
std::string unsupported(const Message& message) {
  if (message.has_revocable()) return "revocable resources are not supported yet";
  if (message.has_shared()) return "shared resources are not supported yet";
  if (message.has_provider_id()) return "resource providers are not supported yet";
  if (message.has_disk() && message.disk().has_source()) return "disk sources are not supported yet";
  return "";
}

void encode_reservation(const Reservation& r, ReservationMessage* message) {
  if (!r.principal.empty()) message->set_principal(r.principal);
  for (const auto& [key, value] : r.labels) {
    auto* label = message->mutable_labels()->add_labels();
    label->set_key(key);
    label->set_value(value);
  }
}

void encode_reservations(const std::vector<Reservation>& stack, ResourceFormat format, Message* message) {
  if (format != ResourceFormat::legacy) {
    for (const auto& r : stack) {
      auto* refined = message->add_reservations();
      refined->set_type(r.dynamic ? ReservationMessage::DYNAMIC : ReservationMessage::STATIC);
      refined->set_role(r.role);
      encode_reservation(r, refined);
    }
  }
  if (format == ResourceFormat::refined) return;
  BANYAN_CHECK(format == ResourceFormat::operator_ || stack.size() <= 1);
  message->set_role(stack.empty() ? "*" : stack.back().role);
  if (stack.size() == 1 && stack[0].dynamic) encode_reservation(stack[0], message->mutable_reservation());
}

void encode_amount(const Amount& amount, Message* message) {
  if (const auto* scalar = std::get_if<Scalar>(&amount)) {
    message->set_type(mesos::v1::Value::SCALAR);
    message->mutable_scalar()->set_value(static_cast<double>(scalar->milli) / 1000.0);
  } else if (const auto* ranges = std::get_if<Ranges>(&amount)) {
    message->set_type(mesos::v1::Value::RANGES);
    for (const Range& r : *ranges) {
      auto* range = message->mutable_ranges()->add_range();
      range->set_begin(r.begin);
      range->set_end(r.end);
    }
  } else {
    message->set_type(mesos::v1::Value::SET);
    for (const auto& item : std::get<Items>(amount)) message->mutable_set()->add_item(item);
  }
}

}  // namespace

Result<Resource> decode(const Message& message) {
  if (message.name().empty()) return bad(message, "has no name");
  if (const auto reason = unsupported(message); !reason.empty()) return bad(message, reason);
  auto amount = decode_amount(message);
  if (!amount) return tl::unexpected(amount.error());

  Resource resource;
  resource.identity.name = message.name();
  resource.identity.reservations = decode_reservations(message);
  for (const auto& r : resource.identity.reservations)
    if (r.role.empty()) return bad(message, "is reserved to no role");
  resource.identity.allocation_role = message.allocation_info().role();
  resource.amount = std::move(*amount);
  if (message.has_disk()) {
    if (!message.disk().has_persistence()) return bad(message, "'disk' without 'persistence' is not supported yet");
    if (message.name() != "disk" || !std::holds_alternative<Scalar>(resource.amount))
      return bad(message, "only the scalar 'disk' can be a persistent volume");
    const auto& volume = message.disk().volume();
    resource.identity.volume =
        Volume{message.disk().persistence().id(), message.disk().persistence().principal(), volume.container_path(),
               volume.has_mode() && volume.mode() == mesos::v1::Volume::RO};
  }
  return resource;
}

Result<Resources> decode(const google::protobuf::RepeatedPtrField<Message>& messages) {
  Resources all;
  for (const auto& message : messages) {
    auto resource = decode(message);
    if (!resource) return tl::unexpected(resource.error());
    if (!all.accepts(*resource)) return bad(message, "is named before as another kind of amount");
    all.add(*resource);
  }
  return all;
}

Message encode(const Resource& resource, ResourceFormat format) {
  const ResourceIdentity& identity = resource.identity;
  Message message;
  message.set_name(identity.name);
  encode_amount(resource.amount, &message);
  encode_reservations(identity.reservations, format, &message);
  if (!identity.allocation_role.empty()) message.mutable_allocation_info()->set_role(identity.allocation_role);
  if (identity.volume) {
    auto* disk = message.mutable_disk();
    disk->mutable_persistence()->set_id(identity.volume->persistence_id);
    if (!identity.volume->principal.empty()) disk->mutable_persistence()->set_principal(identity.volume->principal);
    disk->mutable_volume()->set_container_path(identity.volume->container_path);
    disk->mutable_volume()->set_mode(identity.volume->read_only ? mesos::v1::Volume::RO : mesos::v1::Volume::RW);
  }
  return message;
}

void encode(const Resources& resources, ResourceFormat format, google::protobuf::RepeatedPtrField<Message>* out) {
  for (const auto& [identity, amount] : resources.entries()) *out->Add() = encode({identity, amount}, format);
}

}  // namespace banyan::codec
