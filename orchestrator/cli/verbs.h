// One function per verb. Each returns an exit code (exit_codes.h).
#pragma once

#include <string>

#include "orchestrator/cli/cli.h"
#include "orchestrator/cli/paint.h"
#include "runtime/base/result.h"

namespace banyan::cli {

// spec_verbs.cc: need no cluster
int validate(const Options& options);
int plan(const Options& options, bool detailed_exitcode);
int graph(const Options& options);
int explain(const std::string& what);

// change_verbs.cc
int up(const Options& options, bool detach);
int down(const Options& options, bool volumes, bool now);
int restart(const Options& options, const std::string& node, bool scheduler);

// see_verbs.cc
int status(const Options& options, bool watch);
int why(const Options& options, const std::string& node);
int events(const Options& options, bool follow, std::uint64_t after);
int logs(const Options& options, const std::string& target, bool follow, bool scheduler, std::int64_t lines);
int endpoints(const Options& options, const std::string& node);

// Shared by them.
[[nodiscard]] Paint paint_for(const Options& options, int fd);
/// Prints "error: …" to stderr and gives `code` back.
int complain(const std::string& message, int code);
/// "error: …, did you mean …" for a node that is not there.
[[nodiscard]] std::string unknown_node(const std::string& node, const std::vector<std::string>& known);
/// Ctrl-C was pressed. Set up by catch_interrupt().
void catch_interrupt();
[[nodiscard]] bool interrupted();

}  // namespace banyan::cli
