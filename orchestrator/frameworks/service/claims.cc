#include "orchestrator/frameworks/service/claims.h"

#include <algorithm>
#include <cmath>

#include "runtime/base/check.h"

namespace banyan::service {

namespace {

constexpr std::int64_t mebibyte = 1 << 20;
constexpr const char* instance_label = "banyan.instance";
constexpr const char* claim_label = "banyan.claim";

// Mesos' default ports. Where an agent offers more, the others are left to those who ask for them by number.
constexpr std::uint64_t usual_ports_begin = 31000;
constexpr std::uint64_t usual_ports_end = 32000;

std::int64_t milli_of(const v1::Resource& r) { return std::llround(r.scalar().value() * 1000.0); }
void set_milli(v1::Resource& r, std::int64_t milli) {
  r.mutable_scalar()->set_value(static_cast<double>(milli) / 1000.0);
}
std::int64_t megabytes(std::int64_t bytes) { return (bytes + mebibyte - 1) / mebibyte; }

std::string label(const v1::Resource& r, const char* key) {
  if (r.reservations().empty()) return "";
  for (const auto& l : r.reservations(r.reservations_size() - 1).labels().labels())
    if (l.key() == key) return l.value();
  return "";
}

bool is_claim(const v1::Resource& r, const std::string& instance, const Claim& claim) {
  const bool created = r.disk().has_persistence();
  if (claim.volume && created) return r.disk().persistence().id() == persistence_id(instance, claim.name);
  return !created && label(r, instance_label) == instance && label(r, claim_label) == claim.key;
}

/// Neither a volume nor reserved for one instance: what cpus, mem and scratch disk are taken from.
bool is_common(const v1::Resource& r) {
  return !r.disk().has_persistence() && !r.has_revocable() && label(r, instance_label).empty();
}
bool is_free(const v1::Resource& r) { return is_common(r) && r.reservations().empty(); }

/// Splits `port` out of the ranges of `r`; false if it is not in them.
bool remove_port(v1::Resource& r, std::uint16_t port) {
  v1::Value::Ranges left;
  bool found = false;
  const auto keep = [&](std::uint64_t begin, std::uint64_t end) {
    auto* range = left.add_range();
    range->set_begin(begin);
    range->set_end(end);
  };
  for (const auto& range : r.ranges().range()) {
    if (port < range.begin() || port > range.end()) {
      keep(range.begin(), range.end());
      continue;
    }
    found = true;
    if (port > range.begin()) keep(range.begin(), port - 1u);
    if (port < range.end()) keep(port + 1u, range.end());
  }
  *r.mutable_ranges() = left;
  return found;
}

v1::Resource one_port(const v1::Resource& like, std::uint16_t port) {
  v1::Resource r = like;
  r.clear_ranges();
  auto* range = r.mutable_ranges()->add_range();
  range->set_begin(port);
  range->set_end(port);
  return r;
}

void reserve(v1::Resource& r, const std::string& role, const std::string& instance, const std::string& key) {
  auto* reservation = r.add_reservations();
  reservation->set_type(v1::Resource::ReservationInfo::DYNAMIC);
  reservation->set_role(role);
  const auto add = [&](const char* name, const std::string& value) {
    auto* l = reservation->mutable_labels()->add_labels();
    l->set_key(name);
    l->set_value(value);
  };
  add(instance_label, instance);
  add(claim_label, key);
}

v1::Resource created(v1::Resource r, const std::string& instance, const Claim& claim) {
  r.mutable_disk()->mutable_persistence()->set_id(persistence_id(instance, claim.name));
  auto* volume = r.mutable_disk()->mutable_volume();
  volume->set_container_path(claim.path);
  volume->set_mode(v1::Volume::RW);
  return r;
}

/// Takes an amount out of `from`, in as many pieces as it needs. False: too little; `from` is then in pieces.
bool take_scalar(std::vector<v1::Resource>& from, const std::string& name, std::int64_t milli, bool unreserved_only,
                 std::vector<v1::Resource>& used) {
  std::int64_t left = milli;
  for (auto& r : from) {
    if (left <= 0) break;
    if (r.name() != name || !r.has_scalar() || !(unreserved_only ? is_free(r) : is_common(r))) continue;
    const std::int64_t taken = std::min(left, milli_of(r));
    if (taken <= 0) continue;
    v1::Resource piece = r;
    set_milli(piece, taken);
    set_milli(r, milli_of(r) - taken);
    used.push_back(std::move(piece));
    left -= taken;
  }
  return left <= 0;
}

/// A number is reserved once. For a udp port with the number of a tcp port: the name of that one; else empty.
std::string holder_of(const specs::Server& server, const specs::Port& port) {
  if (!port.fixed || port.protocol != specs::Transport::udp) return "";
  for (const auto& [name, other] : server.ports)
    if (other.protocol == specs::Transport::tcp && other.fixed == port.fixed) return name;
  return "";
}

/// All of them or none.
bool take_amounts(std::vector<v1::Resource>& from, const specs::Resources& wanted, std::vector<v1::Resource>& used) {
  const std::pair<const char*, std::int64_t> amounts[] = {{"cpus", wanted.cpus_milli},
                                                          {"mem", megabytes(wanted.mem_bytes) * 1000},
                                                          {"disk", megabytes(wanted.disk_bytes) * 1000}};
  auto left = from;
  auto taken = used;
  for (const auto& [name, milli] : amounts)
    if (!take_scalar(left, name, milli, false, taken)) return false;
  from = std::move(left);
  used = std::move(taken);
  return true;
}

}  // namespace

std::string persistence_id(const std::string& instance, const std::string& volume) { return instance + "." + volume; }

std::string volume_path(const std::string& name, const specs::VolumeSpec& spec) {
  return spec.path.empty() ? name : spec.path;
}

std::vector<Claim> claims_of(const specs::Server& server) {
  std::vector<Claim> claims;
  for (const auto& [name, port] : server.ports) {
    if (!holder_of(server, port).empty()) continue;
    Claim c;
    c.key = "port:" + name;
    c.name = name;
    c.fixed = port.fixed;
    claims.push_back(std::move(c));
  }
  for (const auto& [name, volume] : server.volumes) {
    if (volume.host_path) continue;
    Claim c;
    c.key = "volume:" + name;
    c.name = name;
    c.volume = true;
    c.size_mb = std::max<std::int64_t>(1, megabytes(volume.size_bytes));
    c.path = volume_path(name, volume);
    claims.push_back(std::move(c));
  }
  return claims;
}

std::map<std::string, std::uint16_t> ports_of(const specs::Server& server, const Place& place) {
  auto ports = place.ports;
  for (const auto& [name, port] : server.ports)
    if (const auto held = place.ports.find(holder_of(server, port)); held != place.ports.end())
      ports[name] = held->second;
  return ports;
}

Pool::Pool(std::string role, const v1::Offer& offer) : role_(std::move(role)), agent_(offer.agent_id().value()) {
  const auto& address = offer.url().address();
  host_ = address.has_ip() ? address.ip() : address.has_hostname() ? address.hostname() : offer.hostname();
  for (const auto& attribute : offer.attributes())
    if (attribute.name() == "banyan_volumes") volumes_ = attribute.text().value();
  add(offer);
}

void Pool::add(const v1::Offer& offer) {
  BANYAN_CHECK(offer.agent_id().value() == agent_);
  offers_.push_back(offer.id());
  resources_.insert(resources_.end(), offer.resources().begin(), offer.resources().end());
  budget_ = resources_;
}

std::optional<std::uint16_t> Pool::reserved(const std::string& instance, const Claim& claim) const {
  for (const auto& r : resources_) {
    if (!is_claim(r, instance, claim)) continue;
    if (claim.volume && !r.disk().has_persistence()) continue;
    if (claim.volume) return 0;
    if (r.ranges().range_size() > 0) return static_cast<std::uint16_t>(r.ranges().range(0).begin());
  }
  return std::nullopt;
}

std::optional<std::int64_t> Pool::volume_mb(const std::string& instance, const Claim& claim) const {
  for (const auto& r : resources_)
    if (claim.volume && r.disk().has_persistence() && is_claim(r, instance, claim)) return milli_of(r) / 1000;
  return std::nullopt;
}

void Pool::give_back_ports(const std::string& instance, const std::map<std::string, std::uint16_t>& kept) {
  std::erase_if(resources_, [&](const v1::Resource& r) {
    if (r.name() != "ports" || label(r, instance_label) != instance || r.ranges().range_size() == 0) return false;
    const auto keep = kept.find(label(r, claim_label));
    if (keep != kept.end() && keep->second == r.ranges().range(0).begin()) return false;
    to_unreserve_.push_back(r);
    return true;
  });
}

bool Pool::knows(const std::string& instance) const {
  return std::any_of(resources_.begin(), resources_.end(),
                     [&](const auto& r) { return label(r, instance_label) == instance; });
}

bool Pool::take_free_port(std::uint16_t port, v1::Resource& taken) {
  for (auto& r : resources_) {
    if (r.name() != "ports" || !is_free(r) || !remove_port(r, port)) continue;
    taken = one_port(r, port);
    return true;
  }
  return false;
}

std::optional<std::uint16_t> Pool::lowest_free_port(const std::set<std::uint16_t>& avoided) const {
  const auto lowest_in = [&](std::uint64_t first, std::uint64_t last) {
    std::uint64_t lowest = last + 1;
    for (const auto& r : resources_) {
      if (r.name() != "ports" || !is_free(r)) continue;
      for (const auto& range : r.ranges().range()) {
        auto port = std::max(first, range.begin());
        while (port <= std::min(last, range.end()) && avoided.contains(static_cast<std::uint16_t>(port))) ++port;
        if (port <= range.end()) lowest = std::min(lowest, port);
      }
    }
    return lowest <= last ? std::optional(static_cast<std::uint16_t>(lowest)) : std::nullopt;
  };
  const auto usual = lowest_in(usual_ports_begin, usual_ports_end);
  return usual ? usual : lowest_in(1, UINT16_MAX);
}

bool Pool::claim(const std::string& instance, const Claim& claim, std::uint16_t preferred,
                 const std::set<std::uint16_t>& avoided, std::uint16_t& number) {
  if (claim.volume) return claim_volume(instance, claim);
  number = claim.fixed.value_or(avoided.contains(preferred) ? 0 : preferred);
  v1::Resource taken;
  if (number == 0 || !take_free_port(number, taken)) {
    const auto lowest = claim.fixed ? std::nullopt : lowest_free_port(avoided);
    if (!lowest || !take_free_port(*lowest, taken)) return false;
    number = *lowest;
  }
  reserve(taken, role_, instance, claim.key);
  to_reserve_.push_back(taken);
  resources_.push_back(taken);
  return true;
}

bool Pool::claim_volume(const std::string& instance, const Claim& claim) {
  const auto bare =
      std::find_if(resources_.begin(), resources_.end(), [&](const auto& r) { return is_claim(r, instance, claim); });
  v1::Resource taken;
  if (bare != resources_.end()) {  // reserved by a call whose CREATE never happened
    taken = *bare;
    resources_.erase(bare);
  } else {
    const auto free = take_disk(claim.size_mb * 1000);
    if (!free) return false;
    taken = *free;
    reserve(taken, role_, instance, claim.key);
    to_reserve_.push_back(taken);
  }
  to_create_.push_back(created(taken, instance, claim));
  resources_.push_back(to_create_.back());
  return true;
}

/// In one piece, from what nobody has reserved.
std::optional<v1::Resource> Pool::take_disk(std::int64_t milli) {
  std::vector<v1::Resource> pieces;
  auto left = resources_;
  if (!take_scalar(left, "disk", milli, true, pieces) || pieces.size() != 1) return std::nullopt;
  resources_ = std::move(left);
  return pieces.front();
}

bool Pool::resize(const std::string& instance, const Claim& claim) {
  const auto here = std::find_if(resources_.begin(), resources_.end(), [&](const auto& r) {
    return r.disk().has_persistence() && is_claim(r, instance, claim);
  });
  if (here == resources_.end()) return false;
  const auto at = here - resources_.begin();  // growing may append
  const v1::Resource volume = *here;
  v1::Resource piece = volume;
  piece.clear_disk();
  const std::int64_t missing = claim.size_mb * 1000 - milli_of(volume);
  set_milli(piece, std::abs(missing));
  if (missing < 0) shrink(volume, piece);
  else if (!grow(volume, piece, instance, claim)) return false;
  set_milli(resources_[static_cast<std::size_t>(at)], claim.size_mb * 1000);
  return true;
}

/// What a call that never grew it has reserved is used before anything more is taken.
bool Pool::grow(const v1::Resource& volume, v1::Resource addition, const std::string& instance, const Claim& claim) {
  const auto missing = milli_of(addition);
  const auto bare = std::find_if(resources_.begin(), resources_.end(), [&](const auto& r) {
    return !r.disk().has_persistence() && is_claim(r, instance, claim);
  });
  const auto reserved = bare == resources_.end() ? 0 : std::min(missing, milli_of(*bare));
  if (bare != resources_.end()) set_milli(*bare, milli_of(*bare) - reserved);
  if (reserved < missing) {
    if (!take_disk(missing - reserved)) return false;
    to_reserve_.push_back(addition);
    set_milli(to_reserve_.back(), missing - reserved);
  }
  auto& operation = to_resize_.emplace_back();
  operation.set_type(v1::Offer::Operation::GROW_VOLUME);
  *operation.mutable_grow_volume()->mutable_volume() = volume;
  *operation.mutable_grow_volume()->mutable_addition() = std::move(addition);
  return true;
}

/// What it gives up is nobody's again.
void Pool::shrink(const v1::Resource& volume, const v1::Resource& piece) {
  auto& operation = to_resize_.emplace_back();
  operation.set_type(v1::Offer::Operation::SHRINK_VOLUME);
  *operation.mutable_shrink_volume()->mutable_volume() = volume;
  *operation.mutable_shrink_volume()->mutable_subtract() = piece.scalar();
  auto& unreserve = to_resize_.emplace_back();
  unreserve.set_type(v1::Offer::Operation::UNRESERVE);
  *unreserve.mutable_unreserve()->add_resources() = piece;
}

bool Pool::take_scalars(const specs::Resources& wanted, std::vector<v1::Resource>& used) {
  return take_amounts(resources_, wanted, used);
}

bool Pool::set_aside(const specs::Resources& wanted) {
  std::vector<v1::Resource> ignored;
  return take_amounts(budget_, wanted, ignored);
}

bool Pool::take_claim(const std::string& instance, const Claim& claim, std::uint16_t number,
                      std::vector<v1::Resource>& used) {
  for (auto it = resources_.begin(); it != resources_.end(); ++it) {
    if (!is_claim(*it, instance, claim)) continue;
    if (claim.volume) {
      if (!it->disk().has_persistence()) continue;
      used.push_back(*it);
      used.back().mutable_disk()->mutable_volume()->set_container_path(claim.path);
      resources_.erase(it);
      return true;
    }
    if (!remove_port(*it, number)) continue;
    used.push_back(one_port(*it, number));
    return true;
  }
  return false;
}

std::string needs_text(const specs::Server& server) {
  const auto claims = claims_of(server);
  const auto volumes = std::count_if(claims.begin(), claims.end(), [](const auto& c) { return c.volume; });
  const auto ports = static_cast<std::ptrdiff_t>(claims.size()) - volumes;
  std::string cpus = std::to_string(server.resources.cpus_milli / 1000);
  std::string fraction = std::to_string(1000 + server.resources.cpus_milli % 1000).substr(1);
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  if (!fraction.empty()) cpus += "." + fraction;
  std::string text = "cpus " + cpus + ", mem " + std::to_string(megabytes(server.resources.mem_bytes)) + " MB";
  if (ports > 0) text += ", " + std::to_string(ports) + (ports == 1 ? " port" : " ports");
  std::string fixed;
  for (const auto& claim : claims)
    if (claim.fixed) fixed += (fixed.empty() ? " (" : ", ") + std::to_string(*claim.fixed);
  if (!fixed.empty()) text += fixed + ")";
  if (volumes > 0) text += ", " + std::to_string(volumes) + (volumes == 1 ? " volume" : " volumes");
  return text;
}

}  // namespace banyan::service
