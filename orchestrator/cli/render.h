// What the seeing verbs print: pure functions of what the root answered. Golden files in tests/unit/root hold them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "banyan/root.pb.h"
#include "orchestrator/cli/paint.h"

namespace banyan::cli {

/// Nodes with their servers, aligned, and the newest revision where it is open or has failed; `wide` adds goals,
/// whether they are met, what was observed of what is wanted (hashes), frameworks, agents, handover versions.
[[nodiscard]] std::string render_status(const root::Status& status, const Paint& paint, bool wide);
/// Why `up` was refused: what stands in its way, whose that is, and what to do.
[[nodiscard]] std::string conflict_text(const root::UpReply& reply);
/// A line per server or node that the file would touch.
[[nodiscard]] std::string render_planned(const root::UpReply& reply);
/// What stands between the node and its goal: whom it waits for or failed for, and so on to the one whose cause is its
/// own. The node itself is not in it. LIFETIME: the stack's.
[[nodiscard]] std::vector<const root::NodeStatus*> causes(const root::StackStatus& stack, const root::NodeStatus& node);
/// What the exec probes of servers printed last, by task id.
using CheckOutputs = std::map<std::string, std::string>;
/// The node, then a line per link of its causes, the last one in full.
[[nodiscard]] std::string render_why(const root::StackStatus& stack, const root::NodeStatus& node,
                                     const CheckOutputs& checks, const Paint& paint);
[[nodiscard]] std::string render_endpoints(const root::Status& status, const std::string& node, const Paint& paint);
/// The running graph as a tree, dependencies first; a node met again is only named, with an arrow up.
[[nodiscard]] std::string render_graph(const root::StackStatus& stack, const Paint& paint);

}  // namespace banyan::cli
