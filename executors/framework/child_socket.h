// The unix socket on which a child asks for its handover and says how it is.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "banyan/handover.pb.h"
#include "runtime/adapters/http/server.h"
#include "runtime/base/result.h"

namespace banyan::framework_executor {

/// A folder with mode 0700 and a short path for one socket, removed with everything in it at the end.
class SocketFolder {
 public:
  /// Below `preferred` if that works, else below /tmp: sandbox paths are too long for a socket (107 bytes).
  static Result<SocketFolder> make(const std::string& preferred);
  ~SocketFolder();
  SocketFolder(SocketFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  SocketFolder& operator=(SocketFolder&&) = delete;
  [[nodiscard]] std::string socket() const { return path_ + "/child.sock"; }

 private:
  explicit SocketFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// GET /v1/handover?after=N and POST /v1/report (see handover.proto). THREADS: the loop's.
class ChildSocket {
 public:
  struct Callbacks {
    std::function<void(std::uint64_t poll, std::uint64_t after)> asked;  ///< to be answered with answer(), in time
    std::function<void(const ChildStatus& status)> said;
  };
  static Result<std::unique_ptr<ChildSocket>> listen(Loop& loop, const std::string& path, Callbacks callbacks);

  /// Nothing: no news, 204.
  void answer(std::uint64_t poll, const Handover* handover);

 private:
  explicit ChildSocket(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}
  void handle(const http::Request& request, std::shared_ptr<http::Responder> responder);

  Callbacks callbacks_;
  std::uint64_t polls_ = 0;
  std::map<std::uint64_t, std::shared_ptr<http::Responder>> waiting_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace banyan::framework_executor
