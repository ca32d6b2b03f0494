#include "runtime/core/allocator/allocator.h"

#include <algorithm>
#include <tuple>

#include "runtime/base/check.h"

namespace banyan::allocator {
namespace {

void change(Quantities& quantities, const Resources& what, std::int64_t sign) {
  for (const auto& [identity, amount] : what.entries())
    if (const auto* scalar = std::get_if<Scalar>(&amount)) quantities[identity.name] += sign * scalar->milli;
}

/// What of `free` may go to the claimant.
Resources within_reach(const Resources& free, const Claimant& claimant) {
  return free.filter([&](const ResourceIdentity& identity) {
    if (!identity.reserved()) return true;
    return identity.role() == claimant.role && (claimant.refined || identity.reservations.size() == 1);
  });
}

/// The claimants, neediest first.
class Line {
 public:
  Line(std::vector<Claimant> claimants, const Quantities& total) : claimants_(std::move(claimants)), total_(total) {
    for (const auto& c : claimants_)
      for (const auto& [name, milli] : c.held) roles_[c.role][name] += milli;
    sort();
  }
  [[nodiscard]] const std::vector<Claimant>& claimants() const { return claimants_; }

  void granted(std::size_t index, const Resources& what) {
    Claimant& c = claimants_[index];
    add(c.held, what);
    add(roles_[c.role], what);
    c.asked = false;
  }
  void sort() {
    std::map<std::string, double> shares;
    for (const auto& [role, held] : roles_) shares[role] = dominant_share(held, total_);
    using Rank = std::tuple<bool, double, const std::string&, double, const FrameworkId&>;
    const auto rank = [&](const Claimant& c) {
      return Rank(!c.asked, shares[c.role] / c.weight, c.role, dominant_share(c.held, total_), c.framework);
    };
    std::sort(claimants_.begin(), claimants_.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  }

 private:
  std::vector<Claimant> claimants_;
  const Quantities& total_;
  std::map<std::string, Quantities> roles_;
};

}  // namespace

void add(Quantities& to, const Resources& what) { change(to, what, 1); }
void subtract(Quantities& from, const Resources& what) { change(from, what, -1); }

double dominant_share(const Quantities& held, const Quantities& total) {
  double share = 0;
  for (const auto& [name, milli] : held) {
    const auto all = total.find(name);
    if (all == total.end() || all->second <= 0) continue;
    share = std::max(share, static_cast<double>(milli) / static_cast<double>(all->second));
  }
  return share;
}

bool worth_offering(const Resources& resources) {
  return resources.scalar("cpus").milli >= 10 || resources.scalar("mem").milli >= 32'000;
}

std::vector<Grant> allocate(std::vector<Machine> machines, std::vector<Claimant> claimants, const Quantities& total,
                            const Refused& refused) {
  std::vector<Grant> grants;
  Line line(std::move(claimants), total);
  for (Machine& machine : machines) {
    bool granted = false;
    for (std::size_t i = 0; i < line.claimants().size() && !machine.free.empty(); ++i) {
      const Claimant& claimant = line.claimants()[i];
      if (machine.has_gpus && !claimant.wants_gpus) continue;
      Resources offer = within_reach(machine.free, claimant);
      if (!worth_offering(offer) || refused(claimant, machine.agent, offer)) continue;
      machine.free -= offer;
      grants.push_back({claimant.framework, claimant.role, machine.agent, offer});
      line.granted(i, offer);
      granted = true;
    }
    if (granted) line.sort();
  }
  return grants;
}

}  // namespace banyan::allocator
