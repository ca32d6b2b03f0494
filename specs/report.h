// Collects what is wrong, from every stage of load(). Internal to specs/.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "specs/diagnostic.h"

namespace banyan::specs {

/// A range of a file that an error can point at.
struct Where {
  Position at;
  std::uint32_t width = 1;
  std::string file;  ///< empty: the stack file
};

/// `"text"`, escaped and cut, fit for one line of a terminal.
[[nodiscard]] std::string quoted(std::string_view text);
/// As quoted(), without the quotes.
[[nodiscard]] std::string printable(std::string_view text);
/// `"a", "b" or "c"`
[[nodiscard]] std::string one_of(const std::vector<std::string>& words);

class Report {
 public:
  explicit Report(std::string file) : file_(std::move(file)) {}

  /// The reference is good until the next add().
  Diagnostic& add(std::string code, const Where& where, std::string message, std::string hint = {});
  /// As add(), for what refuses nothing. Told only if there is no error: half-read files warn of what is not there.
  Diagnostic& warn(std::string code, const Where& where, std::string message, std::string hint = {});
  // All below but take() know errors only.
  /// REQUIRES: !empty().
  [[nodiscard]] Diagnostic& last() { return all_.back(); }
  [[nodiscard]] bool empty() const { return all_.empty(); }
  [[nodiscard]] std::size_t size() const { return all_.size(); }

  /// `did you mean "…"?`, or empty. Bounded: a file of a hundred thousand typos gets fewer suggestions, not a hang.
  [[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

  /// The errors, or the warnings if there are none. Sorted by file and position, each once; at most diagnostics_max,
  /// then one "and N more".
  [[nodiscard]] std::vector<Diagnostic> take() &&;
  /// Adds what `other` has and this has not, each with a note.
  void merge(Report other, const std::string& note);

 private:
  [[nodiscard]] Diagnostic diagnostic(Severity severity, std::string code, const Where& where, std::string message,
                                      std::string hint) const;

  std::string file_;
  std::vector<Diagnostic> all_;
  std::vector<Diagnostic> warnings_;
  std::size_t dropped_ = 0;
  std::size_t suggestion_work_ = 0;
};

inline constexpr std::size_t diagnostics_max = 100;

}  // namespace banyan::specs
