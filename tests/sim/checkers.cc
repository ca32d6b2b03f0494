#include "tests/sim/checkers.h"

#include "runtime/adapters/codec/resources.h"
#include "runtime/base/task_state.h"

namespace banyan::sim {

namespace {

/// Ports that two sets of resources share.
bool share_ports(const Resources& a, const Resources& b) {
  for (const auto& x : a.ranges("ports"))
    for (const auto& y : b.ranges("ports"))
      if (x.begin <= y.end && y.begin <= x.end) return true;
  return false;
}

/// STACK.NODE.….SERVER.ATTEMPT
std::string server_of_task(const std::string& task) { return task.substr(0, task.rfind('.')); }

/// How stale a root's word of a dependency may be: a scheduler and its back-off, a report, an offer.
constexpr Duration news_age_max = std::chrono::seconds(20);
/// How long after its return a machine's losses may be told wrongly.
constexpr Duration recovery_max = std::chrono::seconds(60);

}  // namespace

void Checkers::started(int machine, const Container& container) {
  Running running;
  running.machine = machine;
  running.framework = container.launch.framework.str();
  if (container.custom) running.scheduler_of = node_of_executor(container);
  running.task = container.task.task_id().value();
  for (const auto& resource : container.task.resources()) running.resources.add(*codec::decode(resource));
  kernel_.trace("start " + running.task + " on " + std::to_string(machine));

  if (!spawned_.emplace(running.framework, running.task).second) fail("I7", running.task + " started twice");
  if (terminal_.contains({running.framework, running.task})) fail("I9", running.task + " started after its end");
  if (!records_.run(machine, container.launch.container))
    fail("I12", running.task + " started without a durable record of its container");
  if (!records_.intent(running.framework, running.task))
    fail("I12", running.task + " started without a durable intent");

  const std::string node = container.custom ? running.scheduler_of : node_of_framework(running.framework);
  if (container.custom) {
    check_scheduler(node);
    for (const auto& other : coming_up_)
      if (!needs(node, other) && !needs(other, node) && other != node) overlapped_ = true;
    coming_up_.insert(node);
  } else if (running_servers(node) == 0) {
    check_first_server(node);
  }
  check_alone(running, !node.empty() && !container.custom && graph_.nodes[node].data);
  running_[container.launch.container] = std::move(running);
  check_capacity(machine);
  note_whole(node);
}

void Checkers::note_whole(const std::string& node) {
  const bool whole = running_servers(node) == graph_.nodes[node].servers;
  if (whole) {
    was_whole_.insert(node);
    coming_up_.erase(node);
    whole_.insert(node);
  } else if (whole_.erase(node) > 0) {
    last_whole_[node] = kernel_.now().mono;
  }
}

void Checkers::ended(int machine, const Container& container) {
  const auto it = running_.find(container.launch.container);
  if (it == running_.end()) return;
  kernel_.trace("end " + it->second.task + " on " + std::to_string(machine));
  const std::string node = node_of_framework(it->second.framework);
  const bool well = !container.shot && container.wait_status == 0;
  if (well && !node.empty() && graph_.nodes[node].job) done_[node].insert(server_of_task(it->second.task));
  if (!in_trouble(machine)) must_be_heard_.emplace(it->second.framework, it->second.task);
  running_.erase(it);
  if (node.empty()) return;
  note_whole(node);
  if (taking_down_ && !container.shot && !well) check_teardown(node);
}

bool Checkers::in_trouble(int machine) const {
  const auto it = troubled_.find(machine);
  return it != troubled_.end() && kernel_.now().mono < it->second + recovery_max;
}

bool Checkers::completed(const std::string& node) const {
  const auto it = done_.find(node);
  return it != done_.end() && it->second.size() >= graph_.nodes.at(node).servers;
}

std::set<int> Checkers::machines_of(const std::string& node) const {
  std::set<int> found;
  for (const auto& [id, running] : running_)
    if (node_of_framework(running.framework) == node) found.insert(running.machine);
  return found;
}

std::string Checkers::unheard() const {
  for (const auto& key : must_be_heard_)
    if (!terminal_.contains(key)) return key.first + " never heard how " + key.second + " ended";
  return {};
}

void Checkers::heard(const std::string& framework, const std::string& task, int state, const std::string& uuid) {
  if (uuid.empty()) return;  // the master's own word, not the attempt's history
  const auto word = static_cast<TaskState>(state);
  const auto it = terminal_.find({framework, task});
  if (it != terminal_.end() && it->second != state)
    fail("I9", task + " is " + std::to_string(state) + " after its terminal state " + std::to_string(it->second));
  if (is_terminal(word)) terminal_[{framework, task}] = state;
}

std::size_t Checkers::running_servers(const std::string& node) const {
  std::size_t count = 0;
  for (const auto& [id, running] : running_)
    if (node_of_framework(running.framework) == node) ++count;
  return count;
}

/// I8: nobody else runs under that name, but where nobody could reach it; one with data never.
void Checkers::check_alone(const Running& started, bool data) {
  for (const auto& [id, other] : running_)
    if (other.framework == started.framework && server_of_task(other.task) == server_of_task(started.task) &&
        (data || !in_trouble(other.machine)))
      fail("I8", started.task + " started while " + other.task + " ran");
}

/// I21: what a node needs has been whole, or has ended well, before the node's scheduler starts.
void Checkers::check_scheduler(const std::string& node) {
  for (const auto& need : graph_.nodes[node].needs)
    if (graph_.nodes[need].job ? !completed(need) : !was_whole_.contains(need))
      fail("I21", node + "'s scheduler started before " + need + " had ever served");
}

/// I21: whenever a node's first server starts while none of it runs, what it needs serves now, as far as news travel.
void Checkers::check_first_server(const std::string& node) {
  for (const auto& [id, running] : running_)
    if (running.scheduler_of == node && in_trouble(running.machine)) return;  // no news reach its scheduler
  for (const auto& need : graph_.nodes[node].needs) {
    if (graph_.nodes[need].job ? completed(need) : whole_.contains(need)) continue;
    const auto last = last_whole_.find(need);
    if (last != last_whole_.end() && kernel_.now().mono - last->second <= news_age_max) continue;
    fail("I21", node + " started its first server while " + need + " did not serve");
  }
}

/// I23: a node's servers end only when nobody who needs them runs.
void Checkers::check_teardown(const std::string& node) {
  for (const auto& [id, running] : running_) {
    const std::string name = node_of_framework(running.framework);
    if (!name.empty() && graph_.nodes[name].needs.contains(node) && !in_trouble(running.machine))
      fail("I23", node + " was stopped while " + running.task + " still ran");
  }
}

/// I27, I29: nobody runs on what another still uses; nothing is over-committed.
void Checkers::check_capacity(int machine) {
  Scalar cpus, mem;
  std::vector<const Running*> here;
  for (const auto& [id, running] : running_)
    if (running.machine == machine) here.push_back(&running);
  for (std::size_t i = 0; i < here.size(); ++i) {
    cpus.milli += here[i]->resources.scalar("cpus").milli;
    mem.milli += here[i]->resources.scalar("mem").milli;
    for (std::size_t k = 0; k < i; ++k)
      if (share_ports(here[i]->resources, here[k]->resources))
        fail("I29", here[i]->task + " and " + here[k]->task + " hold the same port");
  }
  if (cpus > machine_.scalar("cpus") || mem > machine_.scalar("mem"))
    fail("I27", "machine " + std::to_string(machine) + " is over-committed");
}

std::string Checkers::node_of_framework(const std::string& framework) const {
  // STACK.NODE.INCARNATION
  if (!framework.starts_with(stack_ + ".")) return {};
  const auto end = framework.rfind('.');
  return framework.substr(stack_.size() + 1, end - stack_.size() - 1);
}

std::string Checkers::node_of_executor(const Container& container) const {
  // The root names its task STACK.NODE.…
  const std::string& task = container.task.task_id().value();
  for (const auto& [name, node] : graph_.nodes)
    if (task.starts_with(stack_ + "." + name + ".")) return name;
  return {};
}

bool Checkers::needs(const std::string& node, const std::string& other) const {
  const auto& direct = graph_.nodes.at(node).needs;
  if (direct.contains(other)) return true;
  for (const auto& need : direct)
    if (needs(need, other)) return true;
  return false;
}

}  // namespace banyan::sim
