// What a YAML parser's complaint most likely means to the person who wrote the file. Internal to specs/.
#pragma once

#include <string>

#include "specs/report.h"
#include "specs/source_text.h"

namespace banyan::specs {

/// Reports one syntax error, in the words of the mistake behind it where that can be seen.
void explain_syntax_error(const SourceText& source, Position at, const std::string& complaint, Report& report);

}  // namespace banyan::specs
