// A stack file and every file it names, read from disk; checked on the way.
#pragma once

#include <string>

#include "banyan/root.pb.h"
#include "orchestrator/cli/cli.h"
#include "runtime/base/result.h"
#include "specs/load.h"

namespace banyan::cli {

struct Read {
  root::Bundle bundle;
  specs::Loaded loaded;
};

/// The file of `options`, else stack.yaml or banyan.yaml in this folder or the nearest parent that has one.
[[nodiscard]] Result<std::string> find_stack_file(const Options& options);
/// "-" reads stdin. Paths in the file are relative to it.
[[nodiscard]] Result<Read> read_bundle(const Options& options);

/// Which stack a verb speaks of.
struct Target {
  std::string stack;  ///< empty: none was named
  std::string by;     ///< what named it, for messages: "-p", "stack.yaml"
};
/// -p, else the file that `up` would take, read by the language's own reader. Never a guess: a file that is missing or
/// invalid, or that names another stack than -p does, is an error. Variables without a value do not hide the name.
[[nodiscard]] Result<Target> find_target(const Options& options);

}  // namespace banyan::cli
