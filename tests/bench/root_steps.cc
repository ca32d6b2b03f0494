// bench_root_steps NODES wide|chain STEPS — prints the median microseconds of a root core's step that takes a child's
// report, in a stack of so many serving nodes. Nothing but the core runs: no store, network or clock.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "orchestrator/core/core.h"

namespace banyan::root {
namespace {

using namespace std::chrono_literals;

std::string stack_of(std::size_t nodes, bool chain) {
  std::string text = "name: s\nframeworks:\n";
  for (std::size_t i = 0; i < nodes; ++i) {
    text += "  n" + std::to_string(i) + ": { command: [x]";
    if (i > 0) text += ", depends_on: [n" + std::to_string(chain ? i - 1 : 0) + "]";
    text += " }\n";
  }
  return text;
}

struct Child {
  std::string task, node_hash;
  std::uint64_t version = 0;
};

/// A root whose every scheduler is launched, runs and serves as soon as it is asked for.
class Grown {
 public:
  Grown(std::size_t nodes, bool chain)
      : core_(now_, {{"127.0.0.1:5050"}, {"e", "http://h/e", "e5"}, {"s", "http://h/s", "5e"}, "/n", "", "http://h/"},
              {}) {
    step(Subscribed{});
    UpAsked asked;
    asked.request.mutable_bundle()->set_file("stack.yaml");
    asked.request.mutable_bundle()->set_text(stack_of(nodes, chain));
    step(asked);
    while (serving_ < children_.size() || serving_ == 0) {
      if (serving_ == children_.size()) offer();
      if (serving_ == children_.size()) break;
      for (const auto last = children_.size(); serving_ < last; ++serving_) report(serving_, true);
      offer();
    }
  }

  [[nodiscard]] std::size_t serving() const { return serving_; }

  /// Microseconds of the step alone.
  double report(std::size_t child, bool serves) {
    ChildReport report;
    report.set_pid(1000);
    report.set_managed(true);
    report.set_handover_version(children_[child].version);
    report.mutable_child()->set_serving(serves);
    report.mutable_child()->set_observed(children_[child].node_hash);
    mesos::v1::TaskStatus status;
    status.mutable_task_id()->set_value(children_[child].task);
    status.mutable_agent_id()->set_value("a1");
    status.set_state(mesos::v1::TASK_RUNNING);
    status.set_source(mesos::v1::TaskStatus::SOURCE_EXECUTOR);
    status.set_uuid("0123456789abcdef");
    status.set_data(report.SerializeAsString());
    return step(Updated{status});
  }

 private:
  void offer() {
    mesos::v1::Offer offer;
    offer.mutable_id()->set_value("o");
    offer.mutable_framework_id()->set_value(root_framework);
    offer.mutable_agent_id()->set_value("a1");
    for (const auto* name : {"cpus", "mem"}) {
      auto* resource = offer.add_resources();
      resource->set_name(name);
      resource->set_type(mesos::v1::Value::SCALAR);
      resource->mutable_scalar()->set_value(1e7);
    }
    step(Offered{{offer}});
  }

  double step(const Core::Input& input) {
    now_.mono += 1ms;
    const auto begin = std::chrono::steady_clock::now();
    const auto effects = core_.step(now_, input);
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    for (const auto& effect : effects) {
      const auto* sent = std::get_if<SendCall>(&effect);
      if (sent == nullptr || sent->call.type() != mesos::v1::scheduler::Call::ACCEPT) continue;
      for (const auto& task : sent->call.accept().operations(0).launch().task_infos()) {
        ToExecutor words;
        words.ParseFromString(task.data());
        children_.push_back({task.task_id().value(), words.handover().node_hash(), words.handover().version()});
      }
    }
    return took.count();
  }

  Now now_{Instant(1000s), WallTime(1'700'000'000s)};
  Core core_;
  std::vector<Child> children_;
  std::size_t serving_ = 0;
};

}  // namespace
}  // namespace banyan::root

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "bench_root_steps NODES wide|chain STEPS\n"), 64;
  const auto nodes = static_cast<std::size_t>(std::atoi(argv[1]));
  banyan::root::Grown cluster(nodes, std::string(argv[2]) == "chain");
  if (cluster.serving() != nodes) return std::fprintf(stderr, "only %zu of %zu serve\n", cluster.serving(), nodes), 1;
  std::vector<double> times;
  for (int i = 0; i < std::atoi(argv[3]); ++i) {
    const auto child = 1 + static_cast<std::size_t>(i) * 7919 % (nodes - 1);
    times.push_back(cluster.report(child, false));
    times.push_back(cluster.report(child, true));
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  std::printf("%.2f\n", times[times.size() / 2]);
}
