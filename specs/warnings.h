// What is allowed and probably not meant. Internal to specs/.
#pragma once

#include <vector>

#include "specs/drafts.h"
#include "specs/report.h"

namespace banyan::specs {

/// REQUIRES: resolve() has seen the drafts.
void warn(const std::vector<NodeDraft>& drafts, Report& report);

}  // namespace banyan::specs
