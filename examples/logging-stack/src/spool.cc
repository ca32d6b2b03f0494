#include "examples/logging-stack/src/spool.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/core.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <utility>

namespace example {

namespace json = boost::json;
using banyan::Result;

namespace {

std::chrono::milliseconds since_epoch() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
}

std::string timestamp() {
  const auto now = since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(seconds.count())),
                     (now - seconds).count());
}

std::string id_in(const std::string& line) {
  boost::system::error_code failed;
  const json::value value = json::parse(line, failed);
  const json::object* object = failed ? nullptr : value.if_object();
  const json::value* id = object ? object->if_contains("id") : nullptr;
  return id && id->is_string() ? std::string(id->as_string()) : std::string();
}

auto failure(const std::string& what) { return banyan::error(what + ": " + std::strerror(errno)); }

/// Where the last whole line ends, and that line.
struct Tail {
  off_t end = 0;
  std::string line;
};

Tail tail_of(const std::string& path) {
  std::ifstream in(path);
  Tail tail;
  for (std::string line; std::getline(in, line) && !in.eof(); tail.line = line)
    tail.end += static_cast<off_t>(line.size()) + 1;
  return tail;
}

}  // namespace

Result<Spool> Spool::open(const std::string& folder) {
  const std::string path = folder + "/lines.log";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) return failure("cannot open " + path);
  const Tail tail = tail_of(path);
  if (::ftruncate(fd, tail.end) != 0) {
    ::close(fd);
    return failure("cannot cut the unfinished line off " + path);
  }
  const std::string id = id_in(tail.line);
  const auto dash = id.find('-');
  if (dash == std::string::npos) return Spool(fd, path, fmt::format("{:x}", since_epoch().count()), 0);
  return Spool(fd, path, id.substr(0, dash), std::stoull(id.substr(dash + 1)));
}

Spool::Spool(int fd, std::string path, std::string name, std::uint64_t last)
    : fd_(fd), path_(std::move(path)), name_(std::move(name)), last_(last) {}

Spool::Spool(Spool&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      name_(std::move(other.name_)),
      last_(other.last_) {}

Spool::~Spool() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Written> Spool::append(std::uint64_t count, const std::string& message) {
  std::string lines;
  const std::string ts = timestamp();
  for (std::uint64_t number = last_ + 1; number <= last_ + count; ++number) {
    const json::object line{
        {"id", id_of(number)}, {"n", number}, {"ts", ts}, {"message", fmt::format("{} {}", message, number)}};
    lines += json::serialize(line) + "\n";
  }
  const off_t start = ::lseek(fd_, 0, SEEK_END);
  for (std::size_t done = 0; done < lines.size();) {
    const ssize_t wrote = ::write(fd_, lines.data() + done, lines.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      auto error = failure("cannot write " + path_);
      // Half an append would be read as lines that nobody was promised.
      if (::ftruncate(fd_, start) != 0) error.value().message += "; and cannot take its beginning back";
      return error;
    }
    done += static_cast<std::size_t>(wrote);
  }
  if (::fdatasync(fd_) != 0) return failure("cannot make " + path_ + " durable");
  const Written written{last_ + 1, last_ + count};
  last_ = written.last;
  return written;
}

Result<std::vector<std::string>> Spool::ids() const {
  std::ifstream in(path_);
  if (!in) return failure("cannot read " + path_);
  std::vector<std::string> ids;
  for (std::string line; std::getline(in, line);)
    if (std::string id = id_in(line); !id.empty()) ids.push_back(std::move(id));
  return ids;
}

}  // namespace example
