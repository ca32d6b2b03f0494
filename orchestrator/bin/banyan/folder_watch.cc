#include "orchestrator/bin/banyan/folder_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include "runtime/adapters/loop/loop.h"

namespace banyan::root {

FolderWatch::FolderWatch(Loop& loop, std::vector<std::string> folders, std::function<void()> removed)
    : loop_(loop),
      folders_(std::move(folders)),
      removed_(std::move(removed)),
      notes_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  watch();
  if (notes_.open()) arm();
}

FolderWatch::~FolderWatch() {
  if (notes_.open()) loop_.forget(notes_.get());
}

void FolderWatch::watch() {
  for (const auto& folder : folders_)
    ::inotify_add_watch(notes_.get(), folder.c_str(), IN_DELETE | IN_DELETE_SELF | IN_MOVED_FROM | IN_MOVE_SELF);
}

void FolderWatch::arm() {
  loop_.when_readable(notes_.get(), [this] {
    char buffer[4096];
    while (::read(notes_.get(), buffer, sizeof buffer) > 0) continue;  // what exactly is for the caller to look at
    arm();
    removed_();
  });
}

}  // namespace banyan::root
