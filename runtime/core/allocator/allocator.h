// Decides who is offered what: weighted dominant-resource fairness (Ghodsi et al., NSDI 2011), one pass over the
// agents. Pure. THREADS: any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/base/ids.h"
#include "runtime/base/resources.h"

namespace banyan::allocator {

/// Scalar resources by name, in thousandths: what shares are computed from.
using Quantities = std::map<std::string, std::int64_t>;
void add(Quantities& to, const Resources& what);
/// REQUIRES: added before.
void subtract(Quantities& from, const Resources& what);
/// The largest share of `held` in any resource of `total`.
[[nodiscard]] double dominant_share(const Quantities& held, const Quantities& total);

/// One framework in one of its roles, wanting offers.
struct Claimant {
  FrameworkId framework;
  std::string role;
  Quantities held;          ///< used and offered, in this role
  double weight = 1;        ///< of the role; > 0
  bool asked = false;       ///< it sent a REQUEST: comes before those that did not
  bool wants_gpus = false;  ///< others are never offered agents that have gpus
  bool refined = false;     ///< understands stacked reservations
};

struct Machine {
  AgentId agent;
  Resources free;  ///< without allocation roles
  bool has_gpus = false;
};

struct Grant {
  FrameworkId framework;
  std::string role;
  AgentId agent;
  Resources resources;
};

/// True when that claimant has refused such an offer and its filter still holds.
using Refused = std::function<bool(const Claimant&, const AgentId&, const Resources&)>;

/// Mesos' minimum: 0.01 cpus or 32 MB of memory; less is not worth an offer.
[[nodiscard]] bool worth_offering(const Resources& resources);

/// Each machine's unreserved resources go whole to the claimant whose role, and then itself, holds the smallest share;
/// reserved ones only to their role. Machines are looked at in the given order.
[[nodiscard]] std::vector<Grant> allocate(std::vector<Machine> machines, std::vector<Claimant> claimants,
                                          const Quantities& total, const Refused& refused);

}  // namespace banyan::allocator
