#include "specs/report.h"

#include <algorithm>
#include <cstdio>
#include <tuple>

namespace banyan::specs {

namespace {

constexpr std::size_t kept_max = 20'000;                 ///< beyond it errors are only counted
constexpr std::size_t shown_bytes_max = 200;             ///< of one piece of the user's text
constexpr std::size_t suggestion_work_max = 20'000'000;  ///< bytes of candidates compared in one load

auto key(const Diagnostic& d) { return std::tie(d.file, d.at, d.code, d.message); }

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (out.size() >= shown_bytes_max) {
      while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0u) == 0x80u) out.pop_back();
      return out + "…";
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", byte);
      out += hex;
    }
  }
  return out;
}

std::string quoted(std::string_view text) { return '"' + printable(text) + '"'; }

std::string one_of(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

Diagnostic& Report::add(std::string code, const Where& where, std::string message, std::string hint) {
  if (all_.size() >= kept_max) {
    ++dropped_;
    all_.pop_back();
  }
  return all_.emplace_back(diagnostic(Severity::error, std::move(code), where, std::move(message), std::move(hint)));
}

Diagnostic& Report::warn(std::string code, const Where& where, std::string message, std::string hint) {
  if (warnings_.size() >= kept_max) warnings_.pop_back();
  return warnings_.emplace_back(
      diagnostic(Severity::warning, std::move(code), where, std::move(message), std::move(hint)));
}

Diagnostic Report::diagnostic(Severity severity, std::string code, const Where& where, std::string message,
                              std::string hint) const {
  Diagnostic d;
  d.severity = severity;
  d.code = std::move(code);
  d.file = where.file.empty() ? file_ : where.file;
  d.at = where.at;
  d.width = std::max<std::uint32_t>(where.width, 1);
  d.message = std::move(message);
  d.hint = std::move(hint);
  return d;
}

std::string Report::did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  for (const auto& c : candidates) suggestion_work_ += c.size();
  if (suggestion_work_ > suggestion_work_max) return {};
  const auto best = nearest(word, candidates);
  return best.empty() ? std::string() : "did you mean " + quoted(best) + "?";
}

std::vector<Diagnostic> Report::take() && {
  const bool warn_only = all_.empty();
  if (warn_only) all_ = std::move(warnings_);
  const auto stack_file = [this](const Diagnostic& d) { return d.file != file_; };  // the stack file comes first
  std::sort(all_.begin(), all_.end(), [&](const Diagnostic& a, const Diagnostic& b) {
    return std::tuple(stack_file(a), key(a)) < std::tuple(stack_file(b), key(b));
  });
  all_.erase(
      std::unique(all_.begin(), all_.end(), [](const Diagnostic& a, const Diagnostic& b) { return key(a) == key(b); }),
      all_.end());
  const auto total = all_.size() + dropped_;
  if (total > diagnostics_max) {
    all_.resize(diagnostics_max);
    const Where last{all_.back().at, all_.back().width, all_.back().file};
    const auto more = "and " + std::to_string(total - diagnostics_max) + " more ";
    all_.push_back(warn_only ? diagnostic(Severity::warning, "E000", last, more + "warnings", {})
                             : diagnostic(Severity::error, "E000", last, more + "errors", {}));
  }
  return std::move(all_);
}

void Report::merge(Report other, const std::string& note) {
  std::set<std::tuple<std::string, Position, std::string>> have;
  for (const auto& d : all_) have.emplace(d.file, d.at, d.code);
  for (auto& d : other.all_) {
    if (have.contains({d.file, d.at, d.code})) continue;
    d.message += note;
    all_.push_back(std::move(d));
  }
}

}  // namespace banyan::specs
