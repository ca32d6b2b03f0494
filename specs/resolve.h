// Names in texts: ${…} checked, variables substituted, references turned into edges. Internal to specs/.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "specs/drafts.h"
#include "specs/source_text.h"
#include "specs/vars.h"

namespace banyan::specs {

/// Files named by `source`, each read once. Their texts live as long as this.
class TemplateFiles {
 public:
  using ReadFile = std::function<Result<std::string>(const std::string&)>;
  explicit TemplateFiles(ReadFile read) : read_(std::move(read)) {}

  struct Entry {
    std::string text;
    std::unique_ptr<SourceText> source;
    std::string error;  ///< why it could not be read; empty: it was
  };
  /// nullptr: there is no way to read files.
  const Entry* get(const std::string& path);
  [[nodiscard]] const std::map<std::string, Entry>& all() const { return entries_; }

 private:
  ReadFile read_;
  std::map<std::string, Entry> entries_;
};

/// Files named by `uris`: their sha256, each read once, and whether they may be executed.
class LocalFiles {
 public:
  using IsProgram = std::function<bool(const std::string&)>;
  LocalFiles(TemplateFiles::ReadFile digest, IsProgram is_program)
      : digest_(std::move(digest)), is_program_(std::move(is_program)) {}
  /// nullptr: there is no way to read files.
  const Result<std::string>* get(const std::string& path);
  [[nodiscard]] bool is_program(const std::string& path) const { return is_program_ && is_program_(path); }

 private:
  TemplateFiles::ReadFile digest_;
  IsProgram is_program_;
  std::map<std::string, Result<std::string>> entries_;
};

struct ResolveContext {
  const SourceText& source;
  const Variables& vars;
  TemplateFiles& files;
  LocalFiles& local;
  Report& report;
};

/// Checks every name in the drafts, fills File::content, substitutes variables and adds implied edges.
void resolve(std::vector<NodeDraft>& drafts, const ResolveContext& context);

}  // namespace banyan::specs
