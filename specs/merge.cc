#include "specs/merge.h"

#include <map>

namespace banyan::specs {

Value* merged(Tree& tree, Value& base, Value& over) {
  if (!base.is_map() || !over.is_map()) return &over;
  Value& out = tree.values.emplace_back(base);
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < out.keys.size(); ++i) places.emplace(out.keys[i]->text, i);
  for (std::size_t i = 0; i < over.keys.size(); ++i) {
    const auto [place, fresh] = places.emplace(over.keys[i]->text, out.keys.size());
    if (fresh) {
      out.keys.push_back(over.keys[i]);
      out.items.push_back(over.items[i]);
    } else {
      Value*& item = out.items[place->second];
      item = merged(tree, *item, *over.items[i]);
    }
  }
  return &out;
}

}  // namespace banyan::specs
