// A node's scheduler core against a small model of a cluster, in virtual time: no thread, socket, file or sleep.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/frameworks/service/core.h"
#include "runtime/base/resources.h"

namespace banyan::service {

using namespace std::chrono_literals;

struct FakeAgent {
  std::string host;
  Resources free;                ///< not offered now, not in use
  std::set<std::string> offers;  ///< outstanding
  std::string volumes = {};      ///< its attribute banyan_volumes; empty: it has none
};

struct FakeTask {
  v1::TaskInfo info;
  std::string agent;
  Resources used;
  v1::TaskState state = v1::TASK_STAGING;
};

/// The cluster and everything around the core. What the core asks for happens when a test says so: offers arrive by
/// offer(), tasks start by run(), probes answer by themselves as `ready` says.
class Harness {
 public:
  explicit Harness(specs::Node node, std::string agents = "a1");

  // ---- the world acts
  void handover(specs::Node node);      ///< a new version with this configuration
  void handover() { handover(node_); }  ///< a new version; change `message` first
  void subscribe();                     ///< SUBSCRIBED
  void disconnect();
  void offer();                           ///< offers everything that is free, unless suppressed
  void run(const std::string& instance);  ///< its task starts: TASK_RUNNING
  void run_all();
  void end(const std::string& instance, v1::TaskState state = v1::TASK_FAILED,
           const std::string& message = "Command exited with status 1");
  void update(const std::string& task, v1::TaskState state, const std::string& message = "");
  void ports(const std::string& instance, const std::string& listens, const std::string& strangers = "");  ///< RUNNING
  void checked(const std::string& instance, int exit_code);  ///< its exec check has ended so
  void lose(const std::string& agent);                       ///< the FAILURE event of an agent
  void advance(Duration duration);  ///< time passes; the core is woken at its deadlines and at no other time
  void restart();                   ///< a new scheduler process with the same store
  void add_agent(const std::string& name);
  void up();  ///< subscribe, offer, run everything, probes pass

  // ---- what a test looks at
  [[nodiscard]] std::string states() const;  ///< "kafka-0=serving kafka-1=launching"
  [[nodiscard]] const ChildStatus& status() const { return status_; }
  [[nodiscard]] const ServerStatus& server(const std::string& instance) const;
  [[nodiscard]] std::string task_of(const std::string& instance) const;  ///< id of its live task, or ""
  [[nodiscard]] const v1::TaskInfo& info(const std::string& instance) const;
  [[nodiscard]] std::vector<std::string> live() const;            ///< instances with a task, sorted
  std::vector<std::string> take_kills();                          ///< instances KILLed since the last call
  [[nodiscard]] int count(v1::scheduler::Call::Type type) const;  ///< calls of that type so far
  [[nodiscard]] std::string file(const std::string& instance, const std::string& target) const;
  [[nodiscard]] std::string env(const std::string& instance, const std::string& name) const;

  Handover message;
  std::map<std::string, FakeAgent> agents;
  std::map<std::string, FakeTask> tasks;      ///< by task id
  std::map<std::string, std::string> labels;  ///< of the next updates
  std::map<std::string, bool> ready;          ///< probe key prefix or address -> answer; default true
  bool auto_probe = true;                     ///< false: probes collect in `probes`
  std::vector<StartProbe> probes;
  std::map<std::string, std::string> stored;
  std::optional<Exit> exit;
  std::vector<v1::scheduler::Call> calls;
  std::vector<std::string> persisted_before_launch;  ///< instance records durable at the time of each LAUNCH
  bool suppressed = false;
  bool refuse_growth = false;                      ///< GROW_VOLUME and what follows it in its ACCEPT do not happen
  std::function<void(const Core::Effect&)> heard;  ///< told every effect before it happens
  Core core;

  void deliver(const Core::Input& input);
  void answer(const StartProbe& probe, bool passes, const std::string& message = "not yet");

 private:
  void perform(Core::Effect& effect);
  void on_call(const v1::scheduler::Call& call);
  void accept(const v1::scheduler::Call& call);
  void give_back(const std::string& offer);
  void finish(FakeTask& task, v1::TaskState state, const std::string& message);
  void flush_probes();
  void event(const v1::scheduler::Event& event) { deliver(SchedulerEvent{event}); }

  specs::Node node_;
  ChildStatus status_;
  std::map<std::string, std::pair<std::string, Resources>> offers_;  ///< offer id -> agent, resources
  std::map<std::string, std::vector<RenderedFile>> files_;
  std::vector<std::string> kills_;
  std::vector<std::string> reconciled_;
  Now now_{Instant(1000s), WallTime(1000s)};
  int offers_made_ = 0;
};

/// "name" with so many instances of `sleep`, one port "client", probed by tcp.
specs::Node tcp_node(const std::string& name, std::uint32_t instances);

}  // namespace banyan::service
