// The master's decisions: who is offered what, which task is where, who hears of it.
//
// A pure state machine (see runtime/driver/driver.h). Behaviour follows Mesos 1.11's master as its v1 API shows it.
// Differences, all on purpose: offers are made at once after whatever freed resources or woke a framework, not every
// second; unanswered offers go back after a timeout; tasks of frameworks without `checkpoint` survive their agent's
// restart too; the resources of a torn-down framework are free only when its agent reports that each task has ended.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/limits.h"
#include "runtime/base/rng.h"
#include "runtime/core/master/conversion.h"
#include "runtime/core/master/effects.h"
#include "runtime/core/master/inputs.h"
#include "runtime/core/master/state.h"
#include "runtime/core/registry/registry.h"

namespace banyan::master {

struct Options {
  Duration offer_timeout = limits::offer_timeout_default;
  Duration agent_silence = limits::agent_silence_max;
  Duration agent_reregister_timeout = limits::agent_reregister_timeout;  ///< of agents known from the registry only
  std::size_t unreachable_agents_max = limits::unreachable_agents_max;
};

/// No timer is armed for longer than this: a filter of a year, revived every second, must not leave a year of timers.
inline constexpr Duration timer_max = std::chrono::minutes(1);

/// THREADS: one. The first input is Start.
class Core {
 public:
  using Input = master::Input;
  using Effect = master::Effect;

  /// `seed` makes the master's id, stream ids and operation ids.
  Core(Options options, registry::Registry recovered, std::uint64_t seed);

  [[nodiscard]] std::vector<Effect> step(Now now, const Input& input);
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  [[nodiscard]] const State& state() const { return state_; }
  /// One line: "epoch 3  agents: a1=registered  frameworks: web=connected  offers: 1  tasks: t1=TASK_RUNNING".
  [[nodiscard]] std::string summary() const;
  /// Nothing over-committed, nothing offered twice, sums exact (I27, I28). Aborts when broken.
  void check_invariants() const;

 private:
  // --- timers.cc
  struct Watch {};  ///< pings agents, finds silent ones
  struct Beat {
    StreamId stream;
  };
  struct OfferTimeout {
    OfferId offer;
  };
  struct Removal {
    FrameworkId framework;
    Instant due;  ///< the one that counts is Framework::removal_timer
  };
  struct FilterEnds {
    AgentId agent;
    Instant due;  ///< the one that counts is in filter_timers_
  };
  using Timer = std::variant<Watch, Beat, OfferTimeout, Removal, FilterEnds>;
  void arm(Instant when, Timer timer) { timers_.emplace(when, std::move(timer)); }
  void on(const Start&);
  void on(const Tick&);
  void fire(const Watch&);
  void fire(const Beat& beat);
  void fire(const OfferTimeout& timeout);
  void fire(const Removal& removal);
  void fire(const FilterEnds& ends);
  /// Far deadlines are looked at again now and then: what has become stale does not stay in timers_ for a year.
  [[nodiscard]] Instant soon(Instant when) const { return std::min<Instant>(when, now_.mono + timer_max); }
  void watch_removal(Framework& framework);
  void watch_filters(const AgentId& agent);
  void forget_oldest_unreachable();

  // --- frameworks.cc
  void on(const Subscribe& subscribe);
  void on(const StreamClosed& closed);
  void on(const SchedulerCall& call);
  void on(const OperatorTeardown& call);
  StreamId open_stream(CallId call);
  void end_stream(Framework& framework, const std::string& error);
  void attach(Framework& framework, CallId call);
  void describe(Framework& framework, const FrameworkDescription& description);
  void tell_agents(const Framework& framework);
  void drop_offers(const Framework& framework);
  void remove_framework(Framework& framework, const std::string& why);
  void forget_oldest_completed();
  void handle(Framework& framework, CallId call, const calls::Teardown&);
  void handle(Framework& framework, CallId call, const calls::UpdateFramework& update);
  void handle(Framework& framework, CallId call, const calls::Ignored&);

  // --- offers.cc
  void make_offers();
  [[nodiscard]] std::vector<allocator::Claimant> claimants() const;
  void handle(Framework& framework, CallId call, const calls::Decline& decline);
  void handle(Framework& framework, CallId call, const calls::Revive& revive);
  void handle(Framework& framework, CallId call, const calls::Suppress& suppress);
  void handle(Framework& framework, CallId call, const calls::Request&);
  /// The offer's resources are free again.
  Offer take_back(const OfferId& id);
  void rescind(const OfferId& id);
  void rescind_all(const Agent& agent);
  void refuse(Framework& framework, const std::string& role, const AgentId& agent, const Resources& resources,
              Duration how_long);
  void look_at(const AgentId& agent) { stale_agents_.insert(agent); }  ///< offers may be possible there
  void look_everywhere() { all_stale_ = true; }

  // --- accept.cc
  /// What one ACCEPT works with.
  struct Hand {
    Framework& framework;
    Agent& agent;
    std::string role;
    Resources left;
    bool progress = false;                    ///< some operation took effect
    std::vector<OperationId> converted = {};  ///< conversions not yet sent to the agent, by their ids
    bool unsent = false;
  };
  void handle(Framework& framework, CallId call, const calls::Accept& accept);
  [[nodiscard]] std::string invalid_offers(const Framework& framework, const std::vector<OfferId>& ids) const;
  void refuse_operations(Framework& framework, const calls::Accept& accept, const std::string& why);
  void run(Hand& hand, const OperationId& id, const calls::Launch& launch);
  void run(Hand& hand, const OperationId& id, const calls::LaunchGroup& launch);
  void run(Hand& hand, const OperationId& id, const Conversion& conversion);
  void run(Hand& hand, const OperationId& id, const calls::Unusable& unusable);
  void launch(Hand& hand, const TaskDescription& task);
  void send_conversions(Hand& hand);
  void fail_operation(Framework& framework, const OperationId& id, const AgentId& agent, const std::string& why);
  void on(const OperatorConvert& call);
  void apply(Agent& agent, const Exchange& exchange);
  void send_checkpointed(Agent& agent, Agent::Applying what);

  // --- agents.cc
  void on(const AgentRegister& agent);
  void on(const AgentClosed& closed);
  void on(const AgentPonged& pong);
  void on(const AgentExecutorMessage& message);
  void on(const AgentExecutorExited& exited);
  void on(const AgentApplied& applied);
  [[nodiscard]] std::string admission_error(const AgentRegister& agent) const;
  Agent& admit(const AgentRegister& agent);
  void adopt_frameworks(const AgentRegister& agent);
  void adopt_tasks(Agent& agent, const AgentRegister& known, bool was_unreachable);
  void adopt_executors(Agent& agent, const AgentRegister& known);
  void settle_missing_tasks(Agent& agent, const std::set<TaskKey>& known);
  void release_everything(Agent& agent);
  void set_total(Agent& agent, const Resources& total);
  void mark_unreachable(Agent& agent);
  void disconnect(Agent& agent);
  void fail_applying(Agent& agent, const std::string& why);

  // --- tasks.cc
  void on(const AgentUpdate& update);
  void handle(Framework& framework, CallId call, const calls::Kill& kill);
  void handle(Framework& framework, CallId call, const calls::Shutdown& shutdown);
  void handle(Framework& framework, CallId call, const calls::Acknowledge& acknowledge);
  void handle(Framework& framework, CallId call, const calls::Reconcile& reconcile);
  void handle(Framework& framework, CallId call, const calls::ReconcileOperations& reconcile);
  void handle(Framework& framework, CallId call, const calls::Message& message);
  void reconcile(Framework& framework, const calls::Reconcile::Task& task);
  void report(Framework& framework, events::Report report);
  void set_state(Framework& framework, Task& task, TaskState state);
  void forget_task(Framework& framework, const TaskId& id);
  void use(Agent& agent, Framework* framework, const std::string& role, const Resources& resources);
  void release(Agent& agent, Framework* framework, const std::string& role, const Resources& resources);

  // --- small words
  /// Written before anything that this step says.
  void save(Change change) { changes_.push_back(std::move(change)); }
  template <class E>
  void emit(E effect) {
    effects_.emplace_back(std::in_place_type<E>, std::move(effect));
  }
  void answer(CallId call, unsigned status = 202, std::string text = "") {
    emit(Answer{call, status, std::move(text)});
  }
  void note(std::string text) { emit(Note{std::move(text)}); }
  void tell(const Framework& framework, events::Any event);  ///< dropped while it is not connected
  void order(const Agent& agent, orders::Any what);          ///< dropped while it is not connected
  Agent* agent_of(LinkId link);
  Agent* find_agent(const AgentId& id);
  Framework* find_framework(const FrameworkId& id);
  static Task* find_task(Framework& framework, const TaskId& id);

  Options options_;
  registry::Registry recovered_;
  Rng rng_;
  Now now_{};
  State state_;
  std::map<LinkId, AgentId> links_;
  std::map<StreamId, FrameworkId> streams_;
  std::multimap<Instant, Timer> timers_;
  std::map<AgentId, Instant> filter_timers_;
  std::set<AgentId> stale_agents_;
  bool all_stale_ = false;
  Instant watch_due_{};
  std::uint64_t next_framework_ = 0;
  std::uint64_t next_agent_ = 0;
  std::map<AgentId, std::string> refused_;  ///< why, of agents that were turned away last; told once each
  std::uint64_t next_offer_ = 0;
  std::uint64_t next_completed_ = 0;
  // of the present step
  Changes changes_;
  std::vector<Effect> effects_;
};

}  // namespace banyan::master
