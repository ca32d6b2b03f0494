// Serves files by their sha256 to agents' fetchers. Target banyan_sdk_artifacts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/base/result.h"

namespace banyan {
class Loop;
}

namespace banyan::sdk {

struct ServedArtifact {
  std::string url;  ///< http://host:port/artifacts/<sha256>/<name>, the name percent-encoded
  std::string sha256;
};

/// THREADS: the loop's. Content is kept in memory, files are read when asked for.
class ArtifactServer {
 public:
  /// `host` is the address agents can reach; port 0 picks one.
  static Result<std::unique_ptr<ArtifactServer>> listen(Loop& loop, const std::string& host, std::uint16_t port);
  virtual ~ArtifactServer() = default;
  virtual ServedArtifact add(const std::string& name, std::string content) = 0;
  virtual Result<ServedArtifact> add_file(const std::string& name, const std::string& path) = 0;
  /// Serves what lies in `path` too, each file named by its sha256. Files may come and go.
  virtual void add_folder(std::string path) = 0;
  /// "http://host:port/artifacts/": a sha256 behind it is the URL of a file of the folder.
  [[nodiscard]] virtual std::string base() const = 0;
  [[nodiscard]] virtual std::uint16_t port() const = 0;
};

}  // namespace banyan::sdk
