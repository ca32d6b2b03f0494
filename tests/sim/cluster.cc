#include "tests/sim/cluster.h"

#include <csignal>
#include <sstream>

#include "runtime/adapters/codec/resources.h"

namespace banyan::sim {

using namespace std::chrono_literals;

namespace {

constexpr const char* stack_name = "sim";

Resources machine_resources() { return *Resources::parse("cpus:16;mem:16384;disk:100000;ports:[31000-31100]"); }

mesos::v1::AgentInfo agent_info(int machine) {
  mesos::v1::AgentInfo info;
  info.set_hostname("127.0.0.1");
  info.set_port(5051 + machine);
  codec::encode(machine_resources(), codec::ResourceFormat::refined, info.mutable_resources());
  return info;
}

}  // namespace

Graph random_graph(Rng& rng, unsigned nodes) {
  Graph graph;
  std::vector<std::string> names;
  for (unsigned i = 0; i < nodes; ++i) {
    const std::string name = "n" + std::to_string(i);
    Graph::Node& node = graph.nodes[name];
    node.servers = 1 + static_cast<unsigned>(rng.below(3));
    for (const auto& before : names)
      if (rng.chance(1, 3)) node.needs.insert(before);
    names.push_back(name);
  }
  return graph;
}

Cluster::Cluster(std::uint64_t seed, const Graph& graph)
    : kernel_(seed),
      graph_(graph),
      checkers_(kernel_, stack_name, graph, machine_resources(),
                [this](const std::string& framework, const std::string& task) { return has_intent(framework, task); }),
      around_{kernel_, servers_, child_disks_, [this](const std::string& address) { return answers(address); },
              [this](const std::string& framework, const mesos::v1::TaskStatus& status) {
                checkers_.heard(framework, status.task_id().value(), status.state(), status.uuid());
              }} {
  for (int i = 0; i < machines; ++i)
    hosts_.push_back(std::make_unique<Machine>(kernel_, i, checkers_, [this](Machine& machine, Container& container) {
      return make_program(machine, container);
    }));
  start_master();
  for (int i = 0; i < machines; ++i) start_agent(i);
  start_root();
}

void Cluster::start_master() { master_ = std::make_unique<MasterProcess>(kernel_, master_disk_, door_, servers_); }

void Cluster::start_agent(int machine) {
  const auto i = static_cast<std::size_t>(machine);
  agents_[i] =
      std::make_unique<AgentProcess>(kernel_, *hosts_[i], agent_disks_[i], door_, servers_, agent_info(machine));
}

void Cluster::start_root() {
  root_ = std::make_unique<RootProcess>(around_, root_disk_, [this] { return master_.get(); });
}

std::string Cluster::stack_text() const {
  std::ostringstream text;
  text << "name: " << stack_name << "\nframeworks:\n";
  for (const auto& [name, node] : graph_.nodes) {
    text << "  " << name << ":\n    command: [serve, \"${ports.main}\"]\n    instances: " << node.servers
         << "\n    resources: { cpus: 0.1, mem: 32MiB }\n    ports: { main: auto }\n"
         << "    volumes: { data: { size: 10MiB, path: data } }\n"
         << "    readiness: { tcp: { port: main } }\n    endpoints: { main: { port: main } }\n";
    if (node.needs.empty()) continue;
    text << "    depends_on:\n";
    for (const auto& need : node.needs) text << "      " << need << ": { condition: serving, timeout: 1h }\n";
  }
  return text.str();
}

void Cluster::up() {
  root_->up(stack_text());
  kernel_.after(1s, [this] { BANYAN_CHECK(root_ == nullptr || root_->refusal().empty()); });
}

void Cluster::down() {
  checkers_.taking_down();
  root_->down(stack_name);
}

bool Cluster::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant until = kernel_.now().mono + limit;
  while (!done()) {
    if (!kernel_.step(until)) return false;
    if (!checkers_.broken().empty()) return false;
  }
  return true;
}

void Cluster::restart_soon(std::function<void()> start) { kernel_.after(kernel_.between(20ms, 3s), std::move(start)); }

void Cluster::kill_somebody() {
  switch (kernel_.rng().below(6)) {
    case 0:
      if (!master_) return;
      kernel_.trace("kill master");
      master_.reset();
      return restart_soon([this] { start_master(); });
    case 1: {
      const auto i = static_cast<std::size_t>(kernel_.rng().below(machines));
      if (!agents_[i]) return;
      kernel_.trace("kill agent " + std::to_string(i));
      agents_[i].reset();
      return restart_soon([this, i] { start_agent(static_cast<int>(i)); });
    }
    case 2:
      if (!root_) return;
      kernel_.trace("kill root");
      root_.reset();
      return restart_soon([this] { start_root(); });
    case 3: kill_child(); return;
    case 4: kill_container(true); return;
    default: kill_container(false); return;
  }
}

bool Cluster::kill_child() {
  std::vector<ExecutorProgram*> executors;
  for (const auto& host : hosts_)
    for (const auto& [id, container] : host->containers())
      if (auto* executor = dynamic_cast<ExecutorProgram*>(container.program.get())) executors.push_back(executor);
  if (executors.empty()) return false;
  kernel_.trace("kill child");
  return executors[kernel_.rng().below(executors.size())]->kill_child();
}

bool Cluster::kill_container(bool custom) {
  std::vector<std::pair<Machine*, ContainerId>> running;
  for (const auto& host : hosts_)
    for (const auto& [id, container] : host->containers())
      if (container.running && container.custom == custom) running.emplace_back(host.get(), id);
  if (running.empty()) return false;
  const auto& [machine, id] = running[kernel_.rng().below(running.size())];
  kernel_.trace("kill container " + id.str());
  machine->exit(id, SIGKILL);
  return true;
}

/// I12: what runs was written down, by its scheduler, before it was launched.
bool Cluster::has_intent(const std::string& framework, const std::string& task) const {
  const auto names = [&task](const FakeDisk& disk) {
    for (const auto& [key, value] : disk.durable)
      if (value.find(task) != std::string::npos) return true;
    return false;
  };
  if (framework == root::root_framework) return names(root_disk_);
  for (const auto& [folder, disk] : child_disks_)
    if (names(disk)) return true;
  return false;
}

/// A server answers some time after it started.
bool Cluster::answers(const std::string& address) const {
  const auto port = static_cast<std::uint64_t>(std::stoul(address.substr(address.rfind(':') + 1)));
  for (const auto& host : hosts_)
    for (const auto& [id, container] : host->containers()) {
      if (!container.running || kernel_.now().mono - container.started_at < 100ms) continue;
      for (const auto& resource : container.task.resources())
        if (resource.name() == "ports" && resource.ranges().range(0).begin() == port) return true;
    }
  return false;
}

std::unique_ptr<Program> Cluster::make_program(Machine& machine, Container& container) {
  if (!container.custom) return std::make_unique<ServerProgram>(kernel_, machine, container.launch.container);
  return std::make_unique<ExecutorProgram>(around_, machine, container);
}

bool Cluster::all_serving() const {
  if (!root_) return false;
  const auto status = root_->core().status(kernel_.now(), stack_name);
  if (status.stacks_size() != 1) return false;
  for (const auto& node : status.stacks(0).nodes())
    if (node.state() != "serving" || checkers_.running_servers(node.name()) != graph_.nodes.at(node.name()).servers)
      return false;
  return true;
}

bool Cluster::all_down() const {
  return root_ && root_->core().status(kernel_.now()).stacks_size() == 0 && checkers_.running() == 0;
}

std::string Cluster::unsettled() const {
  for (const auto& agent : agents_) {
    if (!agent) return "an agent is down";
    for (const auto& [key, task] : agent->core().state().tasks)
      if (!task.unacknowledged.empty()) return "an update of " + key.task.str() + " is unacknowledged";
  }
  if (!master_) return "the master is down";
  for (const auto& [id, framework] : master_->core().state().frameworks)
    for (const auto& [task_id, task] : framework.tasks)
      if (is_terminal(task.state)) return task_id.str() + " has ended and is not forgotten";
  return {};
}

std::string Cluster::summary() const {
  std::string text;
  if (master_) text += "master  " + master_->core().summary() + "\n";
  for (const auto& agent : agents_)
    if (agent) text += "agent   " + agent->core().summary() + "\n";
  if (root_) text += "root    " + root_->core().summary() + "\n";
  for (const auto& host : hosts_)
    for (const auto& [id, container] : host->containers())
      if (const auto* executor = dynamic_cast<ExecutorProgram*>(container.program.get()); executor && executor->child())
        text += "child   " + container.task.task_id().value() + ": " + executor->child()->summary() + "\n";
  return text;
}

}  // namespace banyan::sim
