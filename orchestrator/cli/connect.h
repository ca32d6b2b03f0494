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

/// Connects within a few seconds (a root that is just coming back is waited for). The error says what to do.
[[nodiscard]] Result<Connection> connect(const Options& options);
/// As connect(); without any cluster, starts `banyan dev` in the background first. `started`: that was done.
[[nodiscard]] Result<Connection> connect_or_start(const Options& options, bool& started);
/// Ends the `dev` that an `up` started, and waits for its end. Nothing to do otherwise.
void end_background_dev();

/// The stack a verb is about: -p, else the name in -f's file, else "" (the root takes the only one).
[[nodiscard]] std::string stack_name(const Options& options);

}  // namespace banyan::cli
