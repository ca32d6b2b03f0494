// One function per verb. Each returns an exit code (exit_codes.h).
#pragma once

#include <string>
#include <utility>

#include "orchestrator/cli/bundle.h"
#include "orchestrator/cli/cli.h"
#include "orchestrator/cli/paint.h"
#include "runtime/base/result.h"

namespace banyan::cli {

class Watch;

// spec_verbs.cc: need no cluster
int validate(const Options& options);
int plan(const Options& options, bool detailed_exitcode);
int plan(const Options& options, const Read& read, bool detailed_exitcode);
/// Prints what is wrong with the file: exit_usage.
int tell_mistakes(const Options& options, const Read& read);
int graph(const Options& options);
int explain(const std::string& what);

// change_verbs.cc
int up(const Options& options, bool detach);
int down(const Options& options, bool volumes, bool now);
int restart(const Options& options, const std::string& node, bool scheduler);

// see_verbs.cc
int status(const Options& options, bool watch);
int why(const Options& options, const std::string& node);
/// `filter`: its fields after, follow, node, kind, since_ms; the stack is `options`'. Following goes on with the next
/// root where the last one ended.
int events(const Options& options, root::EventsRequest filter);
/// `named`: the stack; empty: the one that `options` name, else the only one running.
int history(const Options& options, const std::string& named);
/// `target`: NODE, NODE/TASK or NODE/scheduler; empty: all of the stack.
int logs(const Options& options, const std::string& target, root::LogsRequest request);
int endpoints(const Options& options, const std::string& node);

// Shared by them.
/// The status of what `options` name, or an exit code after the failure was told.
int get_status(const Options& options, root::Status& status);
/// "no stack "x" is running (stack.yaml names it); running: a, b".
[[nodiscard]] std::string not_running(const Target& target, const root::Status& status);
[[nodiscard]] std::string stack_names(const root::Status& status);
/// The stack and the node of that name. An error says that there is none, or in which stacks there are several.
[[nodiscard]] Result<std::pair<std::string, root::NodeStatus>> find_node(const root::Status& status,
                                                                         const std::string& name);
/// The cluster that `watch` watches has gone, or its root has been away for a minute.
[[nodiscard]] bool lost(const Options& options, Watch& watch);
[[nodiscard]] Paint paint_for(const Options& options, int fd);
/// Prints "error: …" to stderr and gives `code` back.
int complain(const std::string& message, int code);
/// "error: …, did you mean …" for a node that is not there.
[[nodiscard]] std::string unknown_node(const std::string& node, const std::vector<std::string>& known);
/// Ctrl-C was pressed. Set up by catch_interrupt().
void catch_interrupt();
[[nodiscard]] bool interrupted();

}  // namespace banyan::cli
