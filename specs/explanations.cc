#include <algorithm>

#include "specs/diagnostic.h"

namespace banyan::specs {

namespace {

constexpr Explanation explanations[] = {
    {"E104", "dependency cycle", "Every framework of the cycle waits for another one of it, so none could ever start."},
};

}  // namespace

const Explanation* explain(std::string_view code) {
  const auto* found = std::ranges::find(explanations, code, &Explanation::code);
  return found == std::end(explanations) ? nullptr : found;
}

std::vector<Explanation> all_explanations() { return {std::begin(explanations), std::end(explanations)}; }

}  // namespace banyan::specs
