// Election: at most one process acts for a name at a time.
#pragma once

#include <functional>

#include "runtime/base/result.h"

namespace banyan {

/// THREADS: one (the loop's).
class Election {
 public:
  virtual ~Election() = default;

  /// Waits for its turn; `elected` is called once, on the loop's thread. The right lasts until the process dies or
  /// resigns; `lost` is called when it ends earlier (never with a local lock) and the holder must stop at once.
  virtual void campaign(std::function<void()> elected, std::function<void(std::string reason)> lost) = 0;
  virtual void resign() = 0;
};

}  // namespace banyan
