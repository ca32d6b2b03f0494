// The one judge of what another version of a stack, a node or a server does to what runs. `plan`, `up` and the node's
// own scheduler ask it, so that what is announced is what happens. Pure.
//
// A server's task is restarted by what the task is made of; how it is probed, restarted, stopped and named to others is
// applied without touching it. What cannot be done to a running server is refused with the remedy, never dropped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "specs/stack.h"

namespace banyan::specs {

/// By rising weight: of several changes the heaviest names the whole.
enum class Effect {
  nothing,  ///< no server is touched; what changed is applied all the same
  keep,     ///< goes on with addresses that are others now, until it is restarted
  reload,   ///< the server reads it while it runs
  remove,   ///< the server is stopped for good
  scale,    ///< some of its instances are started or stopped, the others left alone
  add,      ///< one more is started
  retry,    ///< what had given up is started again; the root's word, two versions cannot tell it
  restart,  ///< ended and launched anew, one at a time
  move,     ///< as restart, on another agent
  refused,  ///< cannot be done while it runs
};
[[nodiscard]] std::string_view name(Effect effect);

struct ServerChange {
  std::string server;
  Effect effect = Effect::nothing;
  std::string why;     ///< "env KAFKA_OPTS changed, instances 2 -> 3"; empty: nothing changed
  std::string remedy;  ///< valid when refused
};

struct NodeChange {
  std::string node;
  bool whole = false;                  ///< the node itself is new (add) or gone (remove)
  Effect effect = Effect::nothing;     ///< the heaviest of its servers'
  Effect scheduler = Effect::nothing;  ///< nothing, restart or refused
  std::string why;                     ///< "server kafka: env KAFKA_OPTS changed; goal changed"; empty: no change
  std::string remedy;                  ///< valid when refused
  std::vector<ServerChange> servers;   ///< those that differ, added and removed ones too
};

/// `node` is the one that `wanted` belongs to. Scaling adds or removes servers and leaves the others alone, unless
/// their texts name the node's own addresses (`${peers.p}`): those restart.
[[nodiscard]] ServerChange judge(const Server& running, const Server& wanted, const Node& node);
[[nodiscard]] NodeChange judge(const Node& running, const Node& wanted);
/// One per node of either, wanted ones first.
[[nodiscard]] std::vector<NodeChange> judge(const Stack& running, const Stack& wanted);

/// The endpoints of a node whose addresses `wanted` makes others, whatever is offered: a fixed port that changes, one
/// server more. An `auto` port stays.
[[nodiscard]] std::vector<std::string> readdressed(const Node& running, const Node& wanted);
/// Whether a task of the server is made of the addresses of another node's endpoint.
[[nodiscard]] bool names_endpoint(const Node& node, const Server& server, const std::string& of,
                                  const std::string& endpoint);

/// One line for people, "" when nothing changed: "restart kafka: server kafka: env KAFKA_OPTS changed".
[[nodiscard]] std::string describe(const NodeChange& change);

/// Equal iff judge() finds no difference. Positions do not count: a comment above changes nothing. 16 hex digits.
[[nodiscard]] std::string hash(const Node& node);
/// Of what the server's tasks are made of: two versions with equal hashes restart none of them.
[[nodiscard]] std::string hash(const Node& node, const Server& server);

}  // namespace banyan::specs
