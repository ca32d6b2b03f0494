// cluster.json: where a cluster's processes listen and which they are. Written by `banyan dev`, read by everyone else.
#pragma once

#include <string>

#include "banyan/root.pb.h"
#include "runtime/base/result.h"

namespace banyan::root {

struct ClusterFile {
  std::string api;             ///< the root's address, "unix:/run/…"
  Cluster cluster;             ///< pids and addresses
  bool started_by_up = false;  ///< `down` of the last stack ends it
};

/// The folder of all clusters: $BANYAN_STATE, else /var/lib/banyan (root) or ~/.local/state/banyan.
[[nodiscard]] std::string state_folder();

/// An absent file is an error that says so.
[[nodiscard]] Result<ClusterFile> read_cluster_file(const std::string& path);
/// Atomic: written beside, then renamed.
[[nodiscard]] Result<void> write_cluster_file(const std::string& path, const ClusterFile& file);

}  // namespace banyan::root
