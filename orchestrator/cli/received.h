// A status as it came from the root, made what people and programs are shown. Pure.
#pragma once

#include "banyan/root.pb.h"

namespace banyan::cli {

/// Takes `news` into what is known: a delta holds only the nodes that changed, and the head of their stacks; anything
/// else is the whole. `elapsed_ms`: since the news before; the others have got older by it.
void receive(root::Status& known, const root::Status& news, std::uint64_t elapsed_ms);

/// What this root has not confirmed since it started is a memory of an earlier one: state "unknown" with its age, for
/// the node and its servers. The last known state stays in the reason.
void say_unknown(root::Status& status);

}  // namespace banyan::cli
