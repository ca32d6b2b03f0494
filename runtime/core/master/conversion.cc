#include "runtime/core/master/conversion.h"

#include "runtime/core/master/validation.h"

namespace banyan::master {
namespace {

Resource unreserved_once(Resource resource) {
  resource.identity.reservations.pop_back();
  return resource;
}

Resource without_volume(Resource resource) {
  resource.identity.volume.reset();
  return resource;
}

/// Why `resource` cannot be reserved (or its reservation undone); "" if it can.
std::string reservation_error(const Resource& resource, const std::string& role) {
  const auto& identity = resource.identity;
  if (!identity.reserved() || !identity.reservations.back().dynamic)
    return "'" + identity.name + "' has no dynamic reservation";
  if (identity.volume) return "'" + identity.volume->persistence_id + "' is a volume: DESTROY it first";
  if (identity.role() == "*") return "the role '*' cannot be reserved to";
  if (const auto error = role_error(identity.role()); !error.empty()) return error;
  if (!role.empty() && identity.role() != role)
    return "it is reserved to '" + identity.role() + "' but offered to '" + role + "'";
  return "";
}

std::string volume_error(const Resource& resource) {
  const auto& identity = resource.identity;
  if (!identity.volume) return "'" + identity.name + "' is not a persistent volume";
  if (!identity.reserved()) return "a persistent volume needs reserved disk";
  if (const auto error = id_error("persistence id", identity.volume->persistence_id); !error.empty()) return error;
  return container_path_error(identity.volume->container_path);
}

bool volume_exists(const Resources& total, const ResourceIdentity& wanted) {
  for (const auto& [identity, amount] : total.entries())
    if (identity.volume && identity.volume->persistence_id == wanted.volume->persistence_id &&
        identity.role() == wanted.role())
      return true;
  return false;
}

/// One volume takes in a piece of disk that is reserved as it is, or gives it up. Its data stays.
Result<Exchange> resize(const Conversion& conversion) {
  const auto volumes = conversion.resources.without_allocation().list();
  const auto pieces = conversion.piece.without_allocation().list();
  if (volumes.size() != 1 || pieces.size() != 1) return error("it needs one volume and one amount above 0");
  const auto& volume = volumes.front();
  const auto& piece = pieces.front();
  if (const auto why = volume_error(volume); !why.empty()) return error(why);
  const auto* before = std::get_if<Scalar>(&volume.amount);
  const auto* moved = std::get_if<Scalar>(&piece.amount);
  if (without_volume(volume).identity != piece.identity || before == nullptr || moved == nullptr)
    return error("what '" + volume.identity.volume->persistence_id + "' gains or gives up is disk reserved as it is");
  const auto sized = [&](std::int64_t milli) { return Resources{Resource{volume.identity, Scalar{milli}}}; };
  if (conversion.kind == Conversion::Kind::grow)
    return Exchange{Resources{volume, piece}, sized(before->milli + moved->milli)};
  if (before->milli <= moved->milli)
    return error("'" + volume.identity.volume->persistence_id + "' has no more than that");
  return Exchange{Resources{volume}, sized(before->milli - moved->milli) + Resources{piece}};
}

}  // namespace

Result<Exchange> exchange(const Conversion& conversion, const std::string& role, const Resources& total) {
  using Kind = Conversion::Kind;
  if (conversion.resources.empty()) return error("it names no resources");
  if (conversion.kind == Kind::grow || conversion.kind == Kind::shrink) return resize(conversion);
  const bool reservation = conversion.kind == Kind::reserve || conversion.kind == Kind::unreserve;
  Resources finer;
  Resources plainer;
  for (const auto& resource : conversion.resources.without_allocation().list()) {
    const std::string why = reservation ? reservation_error(resource, role) : volume_error(resource);
    if (!why.empty()) return error(why);
    if (conversion.kind == Kind::create &&
        (volume_exists(total, resource.identity) || volume_exists(finer, resource.identity)))
      return error("the volume '" + resource.identity.volume->persistence_id + "' exists already");
    finer.add(resource);
    plainer.add(reservation ? unreserved_once(resource) : without_volume(resource));
  }
  if (conversion.kind == Kind::reserve || conversion.kind == Kind::create) return Exchange{plainer, finer};
  return Exchange{finer, plainer};
}

Result<Resources> with_checkpointed(const Resources& declared, const Resources& checkpointed) {
  Resources plain;
  for (Resource resource : checkpointed.list()) {
    resource.identity.volume.reset();
    auto& stack = resource.identity.reservations;
    while (!stack.empty() && stack.back().dynamic) stack.pop_back();
    if (!declared.accepts(resource) || !plain.accepts(resource))
      return error("the kept " + Resources{resource}.str() + " is of another kind than what the agent declares");
    plain.add(resource);
  }
  if (!declared.contains(plain))
    return error("its reservations and volumes need " + plain.str() + ", but it declares only " + declared.str() +
                 "; give it those resources again or start it with a new work folder");
  return declared - plain + checkpointed;
}

bool is_checkpointed(const ResourceIdentity& identity) {
  return identity.volume || (identity.reserved() && identity.reservations.back().dynamic);
}

}  // namespace banyan::master
