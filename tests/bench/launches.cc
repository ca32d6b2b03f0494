// Launches through master and agent, and beside them a raw loop that spawns the same shim with the same isolation.
//
//   bench_launches MASTER WORK_DIR SHIM PAIRS TASKS
//
// The two alternate, A B B A …; prints one JSON object with the seconds of every round.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/posix/cgroups.h"
#include "runtime/adapters/posix/files.h"
#include "runtime/adapters/posix/sandbox.h"
#include "runtime/adapters/posix/spawn.h"
#include "runtime/adapters/posix/workers.h"
#include "runtime/base/check.h"
#include "runtime/sdk/scheduler_client.h"

namespace {

using namespace banyan;
using namespace std::chrono_literals;
using mesos::v1::scheduler::Call;
using mesos::v1::scheduler::Event;

constexpr const char* program = "/bin/true";
constexpr double task_cpus = 0.01;
constexpr double task_mem = 8;

/// The framework whose tasks are measured.
class Framework {
 public:
  Framework(Loop& loop, const std::string& master) : loop_(loop) {
    client_ =
        sdk::SchedulerClient::create(loop, {{master}, describe()},
                                     {[this](const Event& event) { on_event(event); }, [](const std::string&, bool) {},
                                      [](const std::string& call, const std::string& reason) {
                                        std::fprintf(stderr, "%s refused: %s\n", call.c_str(), reason.c_str());
                                      }});
  }

  /// Seconds from the ACCEPT of `count` tasks, one call, to the end of the last.
  double round(int count) {
    wanted_ = count;
    run_until([&] { return offered_cpus() >= count * task_cpus; });
    const auto from = mono_now();
    accept(count);
    run_until([&] { return ended_ == wanted_; });
    return seconds(mono_now() - from);
  }

  int failed = 0;

 private:
  static mesos::v1::FrameworkInfo describe() {
    mesos::v1::FrameworkInfo info;
    info.set_name("bench");
    info.set_user(::getuid() == 0 ? "nobody" : "");
    info.add_roles("bench");
    info.set_checkpoint(true);
    using Capability = mesos::v1::FrameworkInfo::Capability;
    for (const auto type : {Capability::MULTI_ROLE, Capability::RESERVATION_REFINEMENT, Capability::PARTITION_AWARE})
      info.add_capabilities()->set_type(type);
    return info;
  }

  void on_event(const Event& event) {
    if (event.type() == Event::OFFERS)
      for (const auto& offer : event.offers().offers()) offers_[offer.id().value()] = offer;
    if (event.type() == Event::RESCIND) offers_.erase(event.rescind().offer_id().value());
    if (event.type() == Event::UPDATE) on_update(event.update().status());
    if (until_ && until_()) loop_.stop();
  }

  void on_update(const mesos::v1::TaskStatus& status) {
    if (status.has_uuid()) {
      Call call;
      call.set_type(Call::ACKNOWLEDGE);
      *call.mutable_acknowledge()->mutable_agent_id() = status.agent_id();
      *call.mutable_acknowledge()->mutable_task_id() = status.task_id();
      call.mutable_acknowledge()->set_uuid(status.uuid());
      client_->send(std::move(call));
    }
    using namespace mesos::v1;
    if (status.state() == TASK_STAGING || status.state() == TASK_STARTING || status.state() == TASK_RUNNING) return;
    ++ended_;
    if (status.state() == TASK_FINISHED) return;
    if (++failed == 1) std::fprintf(stderr, "a task failed: %s\n", status.message().c_str());
  }

  double offered_cpus() const {
    double cpus = 0;
    for (const auto& [id, offer] : offers_)
      for (const auto& resource : offer.resources())
        if (resource.name() == "cpus") cpus += resource.scalar().value();
    return cpus;
  }

  void accept(int count) {
    ended_ = 0;
    Call call;
    call.set_type(Call::ACCEPT);
    auto* accept = call.mutable_accept();
    accept->mutable_filters()->set_refuse_seconds(0);
    const auto& first = offers_.begin()->second;
    auto* launch = accept->add_operations();
    launch->set_type(mesos::v1::Offer::Operation::LAUNCH);
    for (int i = 0; i < count; ++i) *launch->mutable_launch()->add_task_infos() = task(first);
    for (const auto& [id, offer] : offers_) accept->add_offer_ids()->set_value(id);
    offers_.clear();
    BANYAN_CHECK(client_->send(std::move(call)));
  }

  mesos::v1::TaskInfo task(const mesos::v1::Offer& offer) {
    mesos::v1::TaskInfo task;
    const std::string name = "t" + std::to_string(++last_task_);
    task.set_name(name);
    task.mutable_task_id()->set_value(name);
    *task.mutable_agent_id() = offer.agent_id();
    task.mutable_command()->set_shell(false);
    task.mutable_command()->set_value(program);
    task.mutable_command()->add_arguments(program);
    for (const auto& [resource, amount] : {std::pair{"cpus", task_cpus}, std::pair{"mem", task_mem}}) {
      auto* added = task.add_resources();
      added->set_name(resource);
      added->set_type(mesos::v1::Value::SCALAR);
      added->mutable_scalar()->set_value(amount);
      added->mutable_allocation_info()->set_role("bench");
    }
    return task;
  }

  void run_until(std::function<bool()> holds) {
    if (holds()) return;
    until_ = std::move(holds);
    loop_.run();
    until_ = {};
  }

  Loop& loop_;
  std::unique_ptr<sdk::SchedulerClient> client_;
  std::map<std::string, mesos::v1::Offer> offers_;
  std::function<bool()> until_;
  int wanted_ = 0, ended_ = 0, last_task_ = 0;
};

/// What the agent does for a task, without an agent: sandbox, cgroup, shim; no messages, no checkpoint.
class RawLoop {
 public:
  RawLoop(Loop& loop, const std::string& work_dir, std::string shim)
      : loop_(loop), shim_(std::move(shim)), layout_(work_dir), cgroups_(detect(work_dir)) {
    user_ = *posix::choose_user({}, "", ::getuid() == 0 ? "nobody" : "");
  }

  double round(int count) {
    const auto from = mono_now();
    left_ = count;
    for (int i = 0; i < count; ++i) {
      auto container = std::make_shared<Container>(ContainerId("raw" + std::to_string(++last_)));
      workers_.run([this, container] { prepare(*container); }, [this, container] { start(container); });
    }
    loop_.run();
    const double took = seconds(mono_now() - from);
    for (const auto& leaf : std::exchange(leaves_, {}))
      while (!posix::remove_leaf(leaf)) ::usleep(1000);
    return took;
  }

  [[nodiscard]] const std::string& isolation() const { return cgroups_.description(); }

 private:
  static posix::Cgroups detect(const std::string& work_dir) {
    auto found = posix::Cgroups::detect(posix::Isolation::automatic, work_dir);
    BANYAN_CHECK(found.has_value());
    return *found;
  }

  struct Container {
    explicit Container(ContainerId name) : id(std::move(name)) {}
    ContainerId id;
    std::string sandbox, leaf;
    posix::Shim shim;
  };

  /// On a worker, as in the agent.
  void prepare(Container& container) const {
    const auto& id = container.id;
    container.sandbox = layout_.sandbox(AgentId("raw"), FrameworkId("bench"), ExecutorId(id.str()), id);
    BANYAN_CHECK(posix::make_sandbox(container.sandbox).has_value());
    BANYAN_CHECK(posix::open_sandbox(container.sandbox, user_).has_value());
    BANYAN_CHECK(posix::make_folders(layout_.runtime(id), 0700).has_value());
    if (cgroups_.enabled()) container.leaf = *cgroups_.make_leaf(id.str());
  }

  void start(const std::shared_ptr<Container>& container) {
    if (!container->leaf.empty()) leaves_.push_back(container->leaf);
    auto shim = posix::spawn_shim({.shim = shim_,
                                   .runtime_dir = layout_.runtime(container->id),
                                   .sandbox = container->sandbox,
                                   .leaf = container->leaf,
                                   .user = user_,
                                   .command = {program, {program}, {{"PATH", "/usr/bin:/bin"}}}});
    BANYAN_CHECK(shim.has_value());
    container->shim = std::move(*shim);
    loop_.when_readable(container->shim.process.get(), [this, container] {
      siginfo_t info{};
      ::waitid(P_PIDFD, static_cast<id_t>(container->shim.process.get()), &info, WEXITED | WNOHANG);
      loop_.forget(container->shim.process.get());
      if (--left_ == 0) loop_.stop();
    });
  }

  Loop& loop_;
  const std::string shim_;
  const posix::Layout layout_;
  const posix::Cgroups cgroups_;
  posix::User user_;
  posix::Workers workers_{loop_, 4};  // as many as the agent's
  std::vector<std::string> leaves_;
  int last_ = 0, left_ = 0;
};

void print(const char* name, const std::vector<double>& values, const char* end) {
  std::printf("\"%s\": [", name);
  for (std::size_t i = 0; i < values.size(); ++i) std::printf("%s%.6f", i == 0 ? "" : ", ", values[i]);
  std::printf("]%s", end);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return std::fprintf(stderr, "bench_launches MASTER WORK_DIR SHIM PAIRS TASKS\n"), 64;
  const int pairs = std::atoi(argv[4]), tasks = std::atoi(argv[5]);
  Loop loop;
  Framework framework(loop, argv[1]);
  RawLoop raw(loop, argv[2], argv[3]);
  framework.round(10);  // warm, both
  raw.round(10);
  std::vector<double> ours, limit, ours_alone, limit_alone;
  for (int pair = 0; pair < pairs; ++pair) {
    const bool ours_first = pair % 2 == 0;
    if (ours_first) ours.push_back(framework.round(tasks));
    limit.push_back(raw.round(tasks));
    if (!ours_first) ours.push_back(framework.round(tasks));
  }
  for (int i = 0; i < 50; ++i) {
    ours_alone.push_back(framework.round(1));
    limit_alone.push_back(raw.round(1));
  }
  std::printf("{\"tasks\": %d, \"failed\": %d, \"isolation\": \"%s\", ", tasks, framework.failed,
              raw.isolation().c_str());
  print("ours", ours, ", ");
  print("raw", limit, ", ");
  print("ours_alone", ours_alone, ", ");
  print("raw_alone", limit_alone, "}\n");
}
