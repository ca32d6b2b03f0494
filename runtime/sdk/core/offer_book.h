// OfferBook: which offers a scheduler still holds, and which it left lying. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "mesos/v1/mesos.pb.h"

namespace banyan::sdk {

/// Offers are exclusive: what one scheduler forgets starves the others. So whatever a scheduler neither used nor
/// explicitly holds is declined for it.
class OfferBook {
 public:
  void offered(const mesos::v1::Offer& offer) { offers_[offer.id().value()] = Mark::untouched; }
  /// Accepted, declined or rescinded.
  void gone(const mesos::v1::OfferID& offer) { offers_.erase(offer.value()); }
  /// The scheduler will answer later.
  void hold(const mesos::v1::OfferID& offer) {
    if (const auto it = offers_.find(offer.value()); it != offers_.end()) it->second = Mark::held;
  }
  /// A new subscription: the master has taken every offer back.
  void clear() { offers_.clear(); }
  /// Takes out what was neither used nor held: to be declined.
  [[nodiscard]] std::vector<mesos::v1::OfferID> take_untouched() {
    std::vector<mesos::v1::OfferID> left;
    for (auto it = offers_.begin(); it != offers_.end();) {
      if (it->second == Mark::held) {
        ++it;
        continue;
      }
      left.emplace_back().set_value(it->first);
      it = offers_.erase(it);
    }
    return left;
  }

 private:
  enum class Mark { untouched, held };
  std::map<std::string, Mark> offers_;
};

}  // namespace banyan::sdk
