// A bundle, as the CLI sent it, checked. Pure: every file it may read is in it.
#pragma once

#include <set>
#include <string>

#include "banyan/root.pb.h"
#include "specs/load.h"

namespace banyan::root {

/// `programs`: those of its local files that may be executed.
[[nodiscard]] specs::Loaded load_bundle(const Bundle& bundle, const std::set<std::string>& programs = {});

}  // namespace banyan::root
