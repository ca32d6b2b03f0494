#include "runtime/adapters/posix/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <memory>
#include <mutex>

#include "runtime/adapters/posix/fd.h"

namespace banyan::posix {
namespace {

struct Sink {
  int fd;
  std::uint64_t left;
  bool too_large = false;
  const std::atomic<bool>* cancelled;
};

std::size_t on_data(char* bytes, std::size_t one, std::size_t count, void* data) {
  auto* sink = static_cast<Sink*>(data);
  const std::size_t size = one * count;
  if (size > sink->left) {
    sink->too_large = true;
    return 0;
  }
  for (std::size_t done = 0; done < size;) {
    const ssize_t written = ::write(sink->fd, bytes + done, size - done);
    if (written <= 0) return 0;
    done += static_cast<std::size_t>(written);
  }
  sink->left -= size;
  return size;
}

int on_progress(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Sink*>(data)->cancelled->load() ? 1 : 0;
}

Result<void> by_curl(const std::string& uri, Sink& sink) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  char reason[CURL_ERROR_SIZE] = {};
  CURL* c = curl.get();
  curl_easy_setopt(c, CURLOPT_URL, uri.c_str());
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(c, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, 10'000L);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 60L);
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &sink);
  curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(c, CURLOPT_XFERINFODATA, &sink);
  const CURLcode code = curl_easy_perform(c);
  if (code == CURLE_OK) return {};
  if (sink.too_large) return error("it is larger than allowed");
  return error(reason[0] != '\0' ? reason : curl_easy_strerror(code));
}

Result<void> by_copy(const std::string& path, Sink& sink) {
  const Fd from(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info{};
  if (!from.open() || ::fstat(from.get(), &info) != 0) return error(std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return error("it is no regular file");
  if (static_cast<std::uint64_t>(info.st_size) > sink.left) return error("it is larger than allowed");
  for (;;) {
    if (sink.cancelled->load()) return error("cancelled");
    const ssize_t copied = ::sendfile(sink.fd, from.get(), nullptr, 16 << 20);
    if (copied == 0) return {};
    if (copied < 0) return error(std::strerror(errno));
  }
}

}  // namespace

Result<void> download(const std::string& uri, const std::string& to, std::uint64_t bytes_max,
                      const std::atomic<bool>& cancelled) {
  const Fd file(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file.open()) return system_error("cannot write " + to);
  Sink sink{file.get(), bytes_max, false, &cancelled};
  Result<void> done;
  if (uri.starts_with("http://") || uri.starts_with("https://")) done = by_curl(uri, sink);
  else if (uri.starts_with("file:///")) done = by_copy(uri.substr(7), sink);
  else if (uri.starts_with("/")) done = by_copy(uri, sink);
  else done = error("only absolute paths, file://, http:// and https:// can be fetched");
  if (done) return {};
  ::unlink(to.c_str());
  return error("cannot fetch " + uri + ": " + done.error().message);
}

}  // namespace banyan::posix
