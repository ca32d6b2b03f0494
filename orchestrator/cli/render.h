// What the seeing verbs print: pure functions of what the root answered. Golden files in tests/unit/root hold them.
#pragma once

#include <string>
#include <vector>

#include "banyan/root.pb.h"
#include "orchestrator/cli/paint.h"

namespace banyan::cli {

/// Nodes with their servers, aligned; `wide` adds frameworks, agents, handover versions.
[[nodiscard]] std::string render_status(const root::Status& status, const Paint& paint, bool wide);
/// `status -o json`: of one stack: name, state, nodes[] (every field present), cluster, connected; `stacks` names all.
[[nodiscard]] std::string status_json(const root::Status& status);
/// "4 of anna@host pid 4711, open for 12.3s, waits for kafka".
[[nodiscard]] std::string revision_text(const root::Revision& revision);
/// Why `up` was refused: what stands in its way, whose that is, and what to do.
[[nodiscard]] std::string conflict_text(const root::UpReply& reply);
/// A line per server or node that the file would touch.
[[nodiscard]] std::string render_planned(const root::UpReply& reply);
[[nodiscard]] std::string render_why(const root::NodeStatus& node, const Paint& paint);
[[nodiscard]] std::string render_endpoints(const root::Status& status, const std::string& node, const Paint& paint);
[[nodiscard]] std::string endpoints_json(const root::Status& status, const std::string& node);
/// One line of the event log, without the newline. `zero_ms`: the mono_ms that "+0.0s" stands for.
[[nodiscard]] std::string render_event(const root::Event& event, std::uint64_t zero_ms, const Paint& paint);
[[nodiscard]] std::string event_json(const root::Event& event);
/// The running graph as a tree, dependencies first; a node met again is only named, with an arrow up.
[[nodiscard]] std::string render_graph(const root::StackStatus& stack, const Paint& paint);

}  // namespace banyan::cli
