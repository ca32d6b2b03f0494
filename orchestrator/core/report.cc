#include "orchestrator/core/report.h"

namespace banyan::root {

void forget_promises(ChildStatus& child) {
  child.set_serving(false);
  child.clear_completed();
  child.clear_drained();
  child.clear_quarantined();
  child.set_reason("its scheduler was started again and has not reported yet");
}

void silence(NodeRecord& record) {
  if (!record.has_report()) return;
  auto& report = *record.mutable_report();
  report.clear_pid();
  report.clear_restarts();
  report.clear_handover_version();
  if (report.has_child()) forget_promises(*report.mutable_child());
}

}  // namespace banyan::root
