// ACCEPT: offers become tasks, reservations and volumes. Operations run in order; later ones may use what earlier ones
// made. Conversions take effect here at once; the agent gets them before the tasks that need them, on the same link.
#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/core/master/core.h"
#include "runtime/core/master/validation.h"

namespace banyan::master {
namespace {

constexpr int operation_finished = 2;  // mesos.v1.OperationState
constexpr int operation_error = 4;

std::string_view verb(Conversion::Kind kind) {
  constexpr std::string_view names[] = {"RESERVE", "UNRESERVE", "CREATE", "DESTROY", "GROW_VOLUME", "SHRINK_VOLUME"};
  return names[static_cast<int>(kind)];
}

/// Every task of an operation, or none.
const std::vector<TaskDescription>* tasks_of(const calls::Operation& operation) {
  if (const auto* launch = std::get_if<calls::Launch>(&operation.what)) return &launch->tasks;
  if (const auto* group = std::get_if<calls::LaunchGroup>(&operation.what)) return &group->tasks;
  return nullptr;
}

}  // namespace

std::string Core::invalid_offers(const Framework& framework, const std::vector<OfferId>& ids) const {
  if (ids.empty()) return "No offers specified";
  const Offer* first = nullptr;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto it = state_.offers.find(ids[i]);
    if (it == state_.offers.end() || it->second.framework != framework.id)
      return "Offer " + ids[i].str() + " is no longer valid";
    if (std::count(ids.begin(), ids.end(), ids[i]) > 1) return "Duplicate offer " + ids[i].str() + " in offer list";
    if (!first) first = &it->second;
    if (it->second.agent != first->agent) return "Aggregated offers must belong to one single agent";
    if (it->second.role != first->role) return "Aggregated offers must be allocated to the same role";
  }
  return "";
}

void Core::refuse_operations(Framework& framework, const calls::Accept& accept, const std::string& why) {
  for (const auto& id : accept.offers) {
    const auto it = state_.offers.find(id);
    if (it != state_.offers.end() && it->second.framework == framework.id) take_back(id);
  }
  for (const auto& operation : accept.operations) {
    if (const auto* tasks = tasks_of(operation)) {
      for (const auto& task : *tasks)
        report(framework, {task.id,
                           TaskState::dropped,
                           Reason::invalid_offers,
                           "Task launched with invalid offers: " + why,
                           task.agent,
                           {},
                           {}});
    } else {
      fail_operation(framework, operation.id, AgentId(), "Operation attempted with invalid offers: " + why);
    }
  }
}

void Core::handle(Framework& framework, CallId call, const calls::Accept& accept) {
  answer(call);
  if (const auto why = invalid_offers(framework, accept.offers); !why.empty())
    return refuse_operations(framework, accept, why);

  Resources left;
  for (const auto& id : accept.offers) left += state_.offers.at(id).resources;
  const Offer first = state_.offers.at(accept.offers.front());
  for (const auto& id : accept.offers) take_back(id);

  Hand hand{framework, state_.agents.at(first.agent), first.role, std::move(left)};
  for (const auto& operation : accept.operations)
    std::visit([&](const auto& what) { run(hand, operation.id, what); }, operation.what);
  send_conversions(hand);
  // Without progress a filter of zero would turn a framework's mistake into a busy loop.
  const Duration shortest = hand.progress ? Duration::zero() : limits::refuse_min;
  refuse(framework, hand.role, hand.agent.id, hand.left, std::max(accept.refuse, shortest));
}

void Core::run(Hand& hand, const OperationId& id, const calls::Launch& launched) {
  for (const auto& task : launched.tasks) {
    if (!id.empty()) {
      report(hand.framework, {task.id,
                              TaskState::error,
                              Reason::task_invalid,
                              "'Operation.id' is not supported for LAUNCH",
                              hand.agent.id,
                              {},
                              {}});
      continue;
    }
    launch(hand, task);
  }
}

void Core::run(Hand& hand, const OperationId&, const calls::LaunchGroup& launched) {
  for (const auto& task : launched.tasks)
    report(hand.framework, {task.id,
                            TaskState::error,
                            Reason::task_group_invalid,
                            "LAUNCH_GROUP is not supported yet: launch each task by itself",
                            hand.agent.id,
                            {},
                            {}});
}

void Core::run(Hand& hand, const OperationId& id, const calls::Unusable& unusable) {
  fail_operation(hand.framework, id, hand.agent.id, unusable.reason);
}

void Core::run(Hand& hand, const OperationId& id, const Conversion& conversion) {
  const auto fail = [&](const std::string& why) {
    fail_operation(hand.framework, id, hand.agent.id, std::string(verb(conversion.kind)) + ": " + why);
  };
  const auto change = exchange(conversion, hand.role, hand.agent.total);
  if (!change) return fail(change.error().message);
  if (!hand.left.contains(change->consumed))
    return fail(hand.left.str() + " does not contain " + change->consumed.str());
  hand.left -= change->consumed;
  hand.left += change->converted;
  apply(hand.agent, *change);
  hand.progress = true;
  hand.unsent = true;
  if (!id.empty()) hand.converted.push_back(id);
}

void Core::launch(Hand& hand, const TaskDescription& task) {
  Framework& framework = hand.framework;
  const auto refuse_task = [&](const std::string& why) {
    report(framework, {task.id, TaskState::error, Reason::task_invalid, why, hand.agent.id, {}, {}});
  };
  if (const auto why = task_error(task, hand.role); !why.empty()) return refuse_task(why);
  if (find_task(framework, task.id)) return refuse_task("Task has duplicate ID: " + task.id.str());
  if (hand.agent.remains.count({framework.id, task.id}))
    return refuse_task("A task with the ID " + task.id.str() + " is still ending on the agent");
  if (task.agent != hand.agent.id)
    return refuse_task("Task uses invalid agent " + task.agent.str() + " while agent " + hand.agent.id.str() +
                       " is expected");

  Resources needed = task.resources.without_allocation();
  Executor* executor = nullptr;
  if (task.executor) {
    const auto it = hand.agent.executors.find({framework.id, task.executor->id});
    if (it != hand.agent.executors.end()) {
      executor = &it->second;
      if (executor->info != task.executor->info)
        return refuse_task("ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID");
    } else {
      needed += task.executor->resources.without_allocation();
    }
  }
  if (!hand.left.contains(needed))
    return refuse_task("Total resources " + needed.with_allocation(hand.role).str() +
                       " required by task and its executor is more than available " +
                       hand.left.with_allocation(hand.role).str());

  send_conversions(hand);
  hand.left -= needed;
  hand.progress = true;
  if (task.executor && !executor) {
    Executor& made = hand.agent.executors[{framework.id, task.executor->id}];
    made = {task.executor->resources.without_allocation(), hand.role, false, task.executor->info};
    use(hand.agent, &framework, hand.role, made.resources);
  }
  Task& launched = framework.tasks[task.id];
  launched.id = task.id;
  launched.agent = hand.agent.id;
  if (task.executor) launched.executor = task.executor->id;
  launched.role = hand.role;
  launched.resources = task.resources.without_allocation();
  launched.info = task.info;
  hand.agent.tasks.insert({framework.id, task.id});
  use(hand.agent, &framework, hand.role, launched.resources);
  order(hand.agent, orders::RunTask{framework.id, framework.info, hand.role, task.info});
}

void Core::apply(Agent& agent, const Exchange& change) {
  agent.total -= change.consumed;
  agent.total += change.converted;
}

void Core::send_conversions(Hand& hand) {
  if (!std::exchange(hand.unsent, false)) return;
  send_checkpointed(hand.agent, {hand.framework.id, std::exchange(hand.converted, {}), {}});
}

void Core::send_checkpointed(Agent& agent, Agent::Applying what) {
  const auto bytes = rng_.uuid_bytes();
  const std::string uuid(bytes.begin(), bytes.end());
  agent.applying[uuid] = std::move(what);
  order(agent, orders::Apply{uuid, agent.checkpointed()});
}

void Core::fail_operation(Framework& framework, const OperationId& id, const AgentId& agent, const std::string& why) {
  note("an operation of framework " + framework.id.str() + " is refused: " + why);
  if (!id.empty()) tell(framework, events::OperationReport{id, operation_error, why, agent});
}

void Core::on(const AgentApplied& applied) {
  Agent* agent = agent_of(applied.link);
  if (!agent) return;
  const auto it = agent->applying.find(applied.operation_uuid);
  if (it == agent->applying.end()) return;
  const Agent::Applying what = std::move(it->second);
  agent->applying.erase(it);
  Framework* framework = find_framework(what.framework);
  if (!applied.error) {
    if (what.call) answer(*what.call);
    for (const auto& id : what.operations)
      if (framework) tell(*framework, events::OperationReport{id, operation_finished, "", agent->id});
    return;
  }
  note("agent " + agent->id.str() + " refuses a change of its reservations: " + *applied.error);
  if (what.call) answer(*what.call, 409, *applied.error);
  for (const auto& id : what.operations)
    if (framework) tell(*framework, events::OperationReport{id, operation_error, *applied.error, agent->id});
  // What the agent has on disk is the truth: it tells when it registers anew.
  disconnect(*agent);
}

void Core::on(const OperatorConvert& call) {
  Agent* agent = find_agent(call.agent);
  if (!agent || agent->phase != Agent::Phase::registered)
    return answer(call.call, 400, "No agent found with specified ID");
  const auto change = exchange(call.conversion, "", agent->total);
  if (!change) return answer(call.call, 400, std::string(verb(call.conversion.kind)) + ": " + change.error().message);
  const Resources unused = agent->total - agent->used;
  if (!unused.contains(change->consumed))
    return answer(call.call, 409,
                  "Not free on agent " + agent->id.str() + ": " + change->consumed.str() + "; free is " + unused.str());
  if (!agent->free().contains(change->consumed)) rescind_all(*agent);
  apply(*agent, *change);
  send_checkpointed(*agent, {{}, {}, call.call});
  look_at(agent->id);
}

}  // namespace banyan::master
