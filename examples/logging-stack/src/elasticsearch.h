// Elasticsearch over HTTP, as far as the indexer needs it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "examples/logging-stack/src/http_peers.h"
#include "runtime/base/result.h"

namespace example {

/// What is to be found under `id` in `index` from now on.
struct Document {
  std::string index;
  std::string id;
  std::string source;  ///< JSON on one line
};

/// A server said no to the document itself: sending it again is of no use.
struct Rejected {
  std::size_t position = 0;  ///< in the documents sent
  std::string reason;
};

/// A cluster of which several addresses are known. THREADS: one. Every write names its document, so that doing it twice
/// does no harm.
class Elasticsearch {
 public:
  /// `addresses`: host:port.
  explicit Elasticsearch(std::vector<std::string> addresses);

  /// All or nothing for what can be tried again; what can not comes back.
  banyan::Result<std::vector<Rejected>> index(const std::vector<Document>& documents);

  /// The mapping that every index `lines-…` is made with.
  banyan::Result<void> install_template(int replicas);

  /// Whether a search finds the line, after a refresh.
  banyan::Result<bool> finds(const std::string& id);

 private:
  HttpPeers servers_;
};

}  // namespace example
