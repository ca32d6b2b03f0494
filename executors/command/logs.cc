#include "executors/command/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

namespace banyan::shim {
namespace {

int open_fresh(const Log& log, int flags) {
  // O_NONBLOCK: a FIFO under this name must not hang us.
  return openat(log.folder, log.name, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | flags,
                0640);
}

void predecessor(char* text, size_t size, const char* name, int number) {
  if (number == 0) snprintf(text, size, "%s", name);
  if (number > 0) snprintf(text, size, "%s.%d", name, number);
}

void rotate(Log* log) {
  char from[64];
  char to[64];
  for (int number = log->files_max - 1; number > 0; --number) {
    predecessor(from, sizeof from, log->name, number - 1);
    predecessor(to, sizeof to, log->name, number);
    renameat(log->folder, from, log->folder, to);
  }
  if (log->files_max <= 1) unlinkat(log->folder, log->name, 0);
  const int old = log->file;
  if (open_log(log)) {
    close(old);
  } else {  // no new file to be had: start the old one again rather than grow without bound
    log->file = old;
    if (ftruncate(old, 0) == 0) log->size = 0;
  }
}

void append(Log* log, const char* bytes, ssize_t count) {
  if (log->size + count > log->bytes_max) rotate(log);
  while (count > 0 && log->size < log->bytes_max) {
    const ssize_t written = write(log->file, bytes, static_cast<size_t>(count));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // disk full: dropped
    bytes += written;
    count -= written;
    log->size += written;
  }
}

}  // namespace

bool open_log(Log* log) {
  int file = open_fresh(*log, 0);
  struct stat info{};
  if (file < 0 || fstat(file, &info) != 0 || !S_ISREG(info.st_mode) || info.st_nlink > 1) {
    if (file >= 0) close(file);
    unlinkat(log->folder, log->name, 0);
    file = open_fresh(*log, O_EXCL);
    if (file < 0 || fstat(file, &info) != 0) return false;
  }
  if (geteuid() == 0 && fchown(file, log->owner, log->group) != 0) {
    close(file);
    return false;
  }
  log->file = file;
  log->size = info.st_size;
  return true;
}

bool pump(Log* log) {
  char buffer[16384];
  const ssize_t count = read(log->pipe, buffer, sizeof buffer);
  if (count > 0) {
    append(log, buffer, count);
    return true;
  }
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  close(log->pipe);
  log->pipe = -1;
  return false;
}

}  // namespace banyan::shim
