// What is left of a child's last word once its scheduler is silent. Pure.
#pragma once

#include "banyan/handover.pb.h"
#include "banyan/root_records.pb.h"

namespace banyan::root {

/// A child that has not spoken since it was started promises nothing; its servers are still the last known ones.
void forget_promises(ChildStatus& child);
/// The task of the last report is gone: pid, restarts and handover version were its.
void silence(NodeRecord& record);

}  // namespace banyan::root
