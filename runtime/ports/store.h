// Store: where durable state lives. ZooKeeper's semantics in four lines: versioned keys, all-or-nothing writes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/base/change.h"
#include "runtime/base/result.h"

namespace banyan {

/// Durable keys and values. One owner at a time: opening a store another process holds fails.
/// THREADS: one; `done` is called on that same thread (the loop's), never from within commit().
class Store {
 public:
  using Done = std::function<void(Result<void>)>;
  virtual ~Store() = default;

  /// Every key and value. At start only.
  [[nodiscard]] virtual Result<std::map<std::string, std::string>> load() = 0;

  /// Makes all of `changes` durable, or none. Commits reach the disk in call order, several per sync under load.
  /// An error is final: the process must stop (a failed fsync cannot be retried).
  virtual void commit(Changes changes, Done done) = 0;
};

}  // namespace banyan
