// Who reaches whom: links between places, each direction on its own, until it heals.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "runtime/base/time.h"

namespace banyan::sim {

/// Where a process runs. The master and the root have a place each; every machine is one.
enum class Place : int { master = 0, root = 1, first_machine = 2 };
[[nodiscard]] inline Place place_of(int machine) {
  return static_cast<Place>(static_cast<int>(Place::first_machine) + machine);
}

/// One direction of a link. Within a place nothing is ever cut.
using Route = std::pair<Place, Place>;
[[nodiscard]] inline Route back(const Route& route) { return {route.second, route.first}; }

/// A cut link holds what is sent until it heals, as TCP does; a peer that cannot wait gives up by its own timeout.
class Network {
 public:
  void cut(const Route& route, Instant until) { heals_[route] = std::max(heals_[route], until); }
  /// Both directions between `place` and everybody.
  void isolate(Place place, int places, Instant until) {
    for (int other = 0; other < places; ++other) {
      const Route route{place, static_cast<Place>(other)};
      if (route.first == route.second) continue;
      cut(route, until);
      cut(back(route), until);
    }
  }
  /// When something sent now leaves.
  [[nodiscard]] Instant open_at(const Route& route, Instant now) const {
    const auto it = heals_.find(route);
    return it == heals_.end() ? now : std::max(now, it->second);
  }
  [[nodiscard]] bool reaches(const Route& there, Instant now) const {
    return open_at(there, now) == now && open_at(back(there), now) == now;
  }

  /// Until then, what may arrive twice (a retry whose first try had arrived after all) does so now and then.
  void double_until(Instant until) { doubled_ = std::max(doubled_, until); }
  [[nodiscard]] bool doubles(Instant now) const { return now < doubled_; }

 private:
  std::map<Route, Instant> heals_;
  Instant doubled_{};
};

}  // namespace banyan::sim
