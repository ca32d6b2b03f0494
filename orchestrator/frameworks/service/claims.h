// What an instance keeps reserved — its ports, its volumes — and how it is found in offers. Pure.
//
// Every claim is one dynamic reservation to the node's role with labels banyan.instance=kafka-0 and banyan.claim=
// port:client, so that any later scheduler of the node finds it in an offer without any record.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mesos/v1/mesos.pb.h"
#include "orchestrator/frameworks/service/instance.h"
#include "specs/stack.h"

namespace banyan::service {

namespace v1 = ::mesos::v1;

struct Claim {
  std::string key;   ///< "port:client", "volume:data"
  std::string name;  ///< client, data
  bool volume = false;
  std::optional<std::uint16_t> fixed;  ///< of a port
  std::int64_t size_mb = 0;            ///< of a volume
  std::string path;                    ///< of a volume: where the sandbox shows it
};
[[nodiscard]] std::vector<Claim> claims_of(const specs::Server& server);
/// Every port's number by its name, as far as the place holds it: a number that is a tcp and a udp port is one claim.
[[nodiscard]] std::map<std::string, std::uint16_t> ports_of(const specs::Server& server, const Place& place);

/// Names a persistent volume within its role.
[[nodiscard]] std::string persistence_id(const std::string& instance, const std::string& volume);

/// Where the sandbox shows a volume.
[[nodiscard]] std::string volume_path(const std::string& name, const specs::VolumeSpec& spec);

/// What all offers of one agent hold together, taken from piece by piece. A value: copy it to try something.
class Pool {
 public:
  Pool(std::string role, const v1::Offer& offer);
  /// REQUIRES: same agent.
  void add(const v1::Offer& offer);

  [[nodiscard]] const std::string& agent() const { return agent_; }
  [[nodiscard]] const std::string& host() const { return host_; }
  /// The agent's folder of persistent volumes, as its attribute banyan_volumes says; empty: it does not say.
  [[nodiscard]] const std::string& volumes() const { return volumes_; }
  [[nodiscard]] const std::vector<v1::OfferID>& offers() const { return offers_; }

  /// Resources that an ACCEPT must RESERVE and CREATE, in order, for what has been claimed so far.
  [[nodiscard]] const std::vector<v1::Resource>& to_reserve() const { return to_reserve_; }
  [[nodiscard]] const std::vector<v1::Resource>& to_create() const { return to_create_; }
  /// What gives volumes another size, after the RESERVE and in this order.
  [[nodiscard]] const std::vector<v1::Offer::Operation>& to_resize() const { return to_resize_; }
  /// What an ACCEPT must UNRESERVE first.
  [[nodiscard]] const std::vector<v1::Resource>& to_unreserve() const { return to_unreserve_; }

  /// The number of a port claim that is reserved here for `instance`; 0 for a volume. Nothing if it is not here.
  [[nodiscard]] std::optional<std::uint16_t> reserved(const std::string& instance, const Claim& claim) const;
  /// Megabytes of the volume that is here for `instance`; nothing if there is none.
  [[nodiscard]] std::optional<std::int64_t> volume_mb(const std::string& instance, const Claim& claim) const;
  /// Gives back the ports reserved here for `instance` that are none of `kept` (claim key -> number). Volumes stay.
  void give_back_ports(const std::string& instance, const std::map<std::string, std::uint16_t>& kept);
  /// Whether anything here is reserved for `instance`.
  [[nodiscard]] bool knows(const std::string& instance) const;
  /// Reserves (and creates) the claim from what is free. A port that may be any prefers `preferred`, then the lowest
  /// free one not `avoided`, of 31000-32000 first. False: there is no room for it.
  bool claim(const std::string& instance, const Claim& claim, std::uint16_t preferred,
             const std::set<std::uint16_t>& avoided, std::uint16_t& number);
  /// Gives the volume that is here for `instance` the claim's size; its data stays. False: no room, or none is here.
  bool resize(const std::string& instance, const Claim& claim);
  /// Takes amounts that are nobody's; what the task then uses is appended to `used`. False: too little, nothing taken.
  bool take_scalars(const specs::Resources& wanted, std::vector<v1::Resource>& used);
  /// Counts amounts as promised to an instance that is to run here, so that the next one is not placed on them too.
  /// False: they are not there any more. Changes nothing that take_scalars() sees.
  bool set_aside(const specs::Resources& wanted);
  /// Takes a reserved claim for the task, a volume to be seen at the claim's path. False: not here.
  bool take_claim(const std::string& instance, const Claim& claim, std::uint16_t number,
                  std::vector<v1::Resource>& used);

 private:
  bool take_free_port(std::uint16_t port, v1::Resource& taken);
  bool claim_volume(const std::string& instance, const Claim& claim);
  std::optional<v1::Resource> take_disk(std::int64_t milli);
  bool grow(const v1::Resource& volume, v1::Resource addition, const std::string& instance, const Claim& claim);
  void shrink(const v1::Resource& volume, const v1::Resource& piece);
  [[nodiscard]] std::optional<std::uint16_t> lowest_free_port(const std::set<std::uint16_t>& avoided) const;

  std::string role_;
  std::string agent_;
  std::string host_;
  std::string volumes_;
  std::vector<v1::OfferID> offers_;
  std::vector<v1::Resource> resources_;
  std::vector<v1::Resource> budget_;  ///< resources_ less what was set aside
  std::vector<v1::Resource> to_reserve_;
  std::vector<v1::Resource> to_create_;
  std::vector<v1::Offer::Operation> to_resize_;
  std::vector<v1::Resource> to_unreserve_;
};

/// "cpus 1.0, mem 512 MB, 2 ports (9092), 1 volume": what an instance needs, for people.
[[nodiscard]] std::string needs_text(const specs::Server& server);

}  // namespace banyan::service
