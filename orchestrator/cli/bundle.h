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
/// Copies the files that the bundle names by relative paths under `uris` to where the cluster's artifact server finds
/// them: `folder`/SHA256. What is there already stays.
[[nodiscard]] Result<void> place_local_files(const Options& options, const root::Bundle& bundle,
                                             const std::string& folder);
/// The top-level `name:` of a stack file, without loading it (no variables needed); empty if there is none.
[[nodiscard]] std::string stack_name_in(const std::string& text);

}  // namespace banyan::cli
