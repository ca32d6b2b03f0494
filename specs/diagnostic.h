// What is wrong with a stack file, where, and what would be right.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "specs/stack.h"

namespace banyan::specs {

struct Related {
  Position at;
  std::string message;
  std::string file;  ///< empty: the diagnostic's own
};

enum class Severity { error, warning };  ///< a warning refuses nothing

struct Diagnostic {
  std::string code;  ///< "E104", of a warning "W502"; stable, explained by `banyan explain`
  Severity severity = Severity::error;
  std::string file;
  Position at;
  std::uint32_t width = 1;  ///< bytes underlined
  std::string message;      ///< one line
  std::string label;        ///< beside the caret; may be empty
  std::string hint;         ///< "did you mean "zookeeper"?"; may be empty
  std::vector<Related> related;
};

/// The rustc-like form; a warning begins with warning[W…]:
///
///     error[E101]: unknown framework "zookeper" in depends_on
///       --> logging.yaml:41:7
///        |
///     41 |     depends_on: [zookeper]
///        |                  ^^^^^^^^
///        = help: did you mean "zookeeper"?
[[nodiscard]] std::string render(const Diagnostic& diagnostic, std::string_view text);

/// In one line: `warning[W501]: framework "a" waits … at stack.yaml:12:5`.
[[nodiscard]] std::string render_line(const Diagnostic& diagnostic);

/// Machine form: {code,severity,file,line,col,end_col,message,hint,related[]}.
[[nodiscard]] std::string render_json(const std::vector<Diagnostic>& diagnostics);

struct Explanation {
  std::string_view code;
  std::string_view title;
  std::string_view text;  ///< what it means, an example, the remedy
};
/// nullptr for an unknown code.
[[nodiscard]] const Explanation* explain(std::string_view code);
[[nodiscard]] std::vector<Explanation> all_explanations();

/// The candidate nearest to `word` within a third of its length; empty if none.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace banyan::specs
