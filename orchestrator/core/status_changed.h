// Whose status has changed, for those who watch.
#pragma once

#include <map>
#include <set>
#include <string>

namespace banyan::root {

struct StatusChanged {
  bool everything = false;                             ///< connection, stacks or their nodes: a whole status is due
  std::map<std::string, std::set<std::string>> nodes;  ///< by stack; with none, the stack itself has changed

  [[nodiscard]] bool empty() const { return !everything && nodes.empty(); }
  void add(const StatusChanged& more) {
    everything |= more.everything;
    for (const auto& [stack, names] : more.nodes) nodes[stack].insert(names.begin(), names.end());
  }
};

}  // namespace banyan::root
