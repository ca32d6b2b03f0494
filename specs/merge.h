// Deep merge of values: how a profile changes a stack. Internal to specs/.
#pragma once

#include "specs/tree.h"

namespace banyan::specs {

/// Mappings are merged key by key, everything else is replaced. Neither argument changes; new values join `tree`.
[[nodiscard]] Value* merged(Tree& tree, Value& base, Value& over);

}  // namespace banyan::specs
