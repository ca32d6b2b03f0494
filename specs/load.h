// Text -> checked stack. No I/O: the caller hands in the text and a way to read the files it names.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "specs/diagnostic.h"
#include "specs/stack.h"

namespace banyan::specs {

struct Source {
  std::string file;  ///< for messages
  std::string text;
  std::string profile;                      ///< empty: none
  std::map<std::string, std::string> vars;  ///< from --var
  /// Content of a file named by the stack, path as written (relative to the stack file).
  std::function<Result<std::string>(const std::string& path)> read_file;
  /// sha256 of a local file named under `uris`, path as written, absolute or relative to the stack file. Absent: local
  /// files are not looked at.
  std::function<Result<std::string>(const std::string& path)> digest_file;
  /// Whether such a file may be executed here. Absent: none is.
  std::function<bool(const std::string& path)> is_program;
};

struct Loaded {
  std::optional<Stack> stack;                ///< absent if there is any error
  std::string name;                          ///< the stack's, also where mistakes stand elsewhere; empty: unknown
  std::vector<Diagnostic> diagnostics;       ///< errors, else warnings; sorted; at most 100, then one "and N more"
  std::map<std::string, std::string> texts;  ///< file -> text, of every file a diagnostic names
};

/// Reads, checks and resolves. Never throws, never hangs; limits: tree.h, load.cc, report.h; `banyan explain E001`.
[[nodiscard]] Loaded load(const Source& source);

/// One of its diagnostics as people read it, with the line of the file it is about.
[[nodiscard]] std::string render(const Diagnostic& diagnostic, const Loaded& loaded);
/// All of them, an empty line after each.
[[nodiscard]] std::string render(const Loaded& loaded);

}  // namespace banyan::specs
