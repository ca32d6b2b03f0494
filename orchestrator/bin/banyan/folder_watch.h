// Tells that something was removed from one of some folders, or a folder itself: cleaners of /run and /tmp do that.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/adapters/posix/fd.h"

namespace banyan {
class Loop;
}

namespace banyan::root {

/// THREADS: the loop's. Without inotify it tells nothing.
class FolderWatch {
 public:
  FolderWatch(Loop& loop, std::vector<std::string> folders, std::function<void()> removed);
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;
  /// Again, after the folders were made anew. What is watched already stays so.
  void watch();

 private:
  void arm();

  Loop& loop_;
  std::vector<std::string> folders_;
  std::function<void()> removed_;
  posix::Fd notes_;
};

}  // namespace banyan::root
