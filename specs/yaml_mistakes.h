// What a YAML parser's complaint most likely means to the person who wrote the file. Internal to specs/.
#pragma once

#include <string>

#include "specs/report.h"
#include "specs/source_text.h"
#include "specs/tree.h"

namespace banyan::specs {

/// Reports one syntax error, in the words of the mistake behind it where that can be seen.
void explain_syntax_error(const SourceText& source, Position at, const std::string& complaint, Report& report);

/// `{{ x }}` where a value belongs: YAML reads it as a mapping with a mapping for a key.
void report_unrendered_template(Position at, Report& report);

/// Reports a file that is no stack file at all, though it may be YAML; false if nothing speaks for that.
bool report_other_format(const SourceText& source, Report& report);

/// Reports a Compose file, once and in one piece: its words mean other things here. False if `root` is none.
bool report_compose_file(const Value& root, Report& report);

}  // namespace banyan::specs
