#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>

#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/sqlite/sqlite_store.h"

namespace banyan {
namespace {

/// The lock file's descriptor; the lock goes with it.
class LockFile {
 public:
  explicit LockFile(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {}
  ~LockFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

  [[nodiscard]] bool open() const { return fd_ >= 0; }
  /// 0, or errno. `command`: F_OFD_SETLK asks, F_OFD_SETLKW waits.
  [[nodiscard]] int lock(int command) const {
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    while (::fcntl(fd_, command, &whole) != 0)
      if (errno != EINTR) return errno;
    return 0;
  }

 private:
  const int fd_;
};

/// One candidacy. The waiting thread may outlive the candidate: it then lets go of the lock as soon as it gets it.
struct Candidacy {
  std::shared_ptr<const LockFile> file;
  std::mutex mutex;
  Loop* loop = nullptr;              // guarded by mutex; none: given up
  std::function<void(int)> decided;  // loop's thread only; 0 or errno
};

void report(const std::shared_ptr<Candidacy>& candidacy, int code) {
  const std::lock_guard lock(candidacy->mutex);
  if (!candidacy->loop) return;
  candidacy->loop->post([candidacy, code] {
    if (const auto decided = std::exchange(candidacy->decided, {})) decided(code);
  });
}

class FileElection final : public Election {
 public:
  FileElection(Loop& loop, std::string path) : loop_(loop), path_(std::move(path)) {}
  ~FileElection() override { resign(); }

  void campaign(std::function<void()> elected, std::function<void(std::string)> lost) override {
    resign();
    candidacy_ = std::make_shared<Candidacy>();
    candidacy_->loop = &loop_;
    candidacy_->decided = [this, elected = std::move(elected), lost = std::move(lost)](int code) {
      if (code == 0) elected();
      else lost(path_ + " cannot be locked: " + std::strerror(code));
    };
    std::error_code ignored;  // opening tells what is wrong
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
    candidacy_->file = std::make_shared<const LockFile>(path_);
    const int code = candidacy_->file->open() ? candidacy_->file->lock(F_OFD_SETLK) : errno;
    if (code != EAGAIN && code != EACCES) return report(candidacy_, code);
    std::thread([candidacy = candidacy_, file = candidacy_->file] {
      report(candidacy, file->lock(F_OFD_SETLKW));
    }).detach();
  }

  void resign() override {
    const auto given_up = std::exchange(candidacy_, {});
    if (!given_up) return;
    const std::lock_guard lock(given_up->mutex);
    given_up->loop = nullptr;
    given_up->decided = {};
    given_up->file.reset();  // a waiting thread has its own reference until it is done
  }

 private:
  Loop& loop_;
  const std::string path_;
  std::shared_ptr<Candidacy> candidacy_;
};

}  // namespace

std::unique_ptr<Election> make_file_election(Loop& loop, const std::string& folder, const std::string& name) {
  return std::make_unique<FileElection>(loop, folder + "/" + name + ".lock");
}

}  // namespace banyan
