// Finding the root: --address, $BANYAN_ADDRESS, cluster.json; and starting `banyan dev` when there is none.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "banyan/root.grpc.pb.h"
#include "orchestrator/api/cluster_file.h"
#include "orchestrator/cli/cli.h"
#include "runtime/base/result.h"

namespace banyan::cli {

/// The folder of the cluster this CLI speaks of: the state folder's `default`.
[[nodiscard]] std::string cluster_folder();

struct Connection {
  std::unique_ptr<root::Root::Stub> root;
  std::string address;
};

/// Held by an `up` from looking for the local cluster until the root has its stack, and by a `down` from finding no
/// stack left until the cluster has ended: neither takes the ground from under the other, and two `up`s start one
/// cluster. Blocks until the other has let go. A folder that cannot be locked is not (its cluster is somebody else's).
class ClusterLock {
 public:
  ClusterLock();
  ~ClusterLock();
  ClusterLock(const ClusterLock&) = delete;
  ClusterLock& operator=(const ClusterLock&) = delete;

 private:
  int fd_;
};

/// Connects within a few seconds (a root that is just coming back is waited for). The error says what to do.
[[nodiscard]] Result<Connection> connect(const Options& options);
/// As connect(); without any cluster, starts `banyan dev` in the background first. To be called under the ClusterLock.
[[nodiscard]] Result<Connection> connect_or_start(const Options& options);
/// Whether there is a cluster to speak to, be its root away for a moment or not.
[[nodiscard]] bool cluster_exists(const Options& options);
/// Ends the `dev` that an `up` started if no stack is left, and waits for its end. Takes the ClusterLock.
void end_idle_cluster(const Options& options);

}  // namespace banyan::cli
