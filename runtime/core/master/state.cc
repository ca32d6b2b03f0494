#include "runtime/core/master/state.h"

#include "runtime/core/master/conversion.h"

namespace banyan::master {
namespace {

/// Some key of `sorted` begins with `framework`.
template <class Key, class Container, class KeyOf>
bool has(const Container& sorted, const FrameworkId& framework, KeyOf key_of) {
  const auto it = sorted.lower_bound(Key(framework, {}));
  return it != sorted.end() && key_of(*it).first == framework;
}

}  // namespace

bool Agent::hosts(const FrameworkId& framework) const {
  const auto itself = [](const TaskKey& key) -> const TaskKey& { return key; };
  const auto first = [](const auto& entry) -> const auto& { return entry.first; };
  return has<TaskKey>(tasks, framework, itself) || has<ExecutorKey>(executors, framework, first) ||
         has<TaskKey>(remains, framework, first);
}

Resources Agent::checkpointed() const { return total.filter(is_checkpointed); }

}  // namespace banyan::master
