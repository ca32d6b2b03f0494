// A bundle, as the CLI sent it, checked. Pure: every file it may read is in it.
#pragma once

#include "banyan/root.pb.h"
#include "specs/load.h"

namespace banyan::root {

[[nodiscard]] specs::Loaded load_bundle(const Bundle& bundle);

}  // namespace banyan::root
