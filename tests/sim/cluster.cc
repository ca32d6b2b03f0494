#include "tests/sim/cluster.h"

#include <sstream>

#include "runtime/adapters/codec/resources.h"

namespace banyan::sim {

using namespace std::chrono_literals;

namespace {

constexpr const char* stack_name = "sim";

Resources machine_resources() { return *Resources::parse("cpus:16;mem:16384;disk:100000;ports:[31000-31100]"); }

std::string host_of(int machine) { return "10.0.0." + std::to_string(machine + 1); }

mesos::v1::AgentInfo agent_info(int machine) {
  mesos::v1::AgentInfo info;
  info.set_hostname(host_of(machine));
  info.set_port(master_port + 1 + machine);
  codec::encode(machine_resources(), codec::ResourceFormat::refined, info.mutable_resources());
  return info;
}

}  // namespace

Graph random_graph(Rng& rng, unsigned nodes, bool plain) {
  Graph graph;
  std::vector<std::string> names;
  for (unsigned i = 0; i < nodes; ++i) {
    const std::string name = "n" + std::to_string(i);
    Graph::Node& node = graph.nodes[name];
    node.servers = 1 + static_cast<unsigned>(rng.below(3));
    node.patience = 1h;
    if (!plain) {
      node.job = rng.chance(1, 6);
      node.data = !node.job && rng.chance(2, 3);
      if (!node.job && node.servers == 1 && rng.chance(1, 3)) node.port = 31'090 + i;
      if (rng.chance(1, 4)) node.patience = 30s;
    }
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
                {[this](const std::string& framework, const std::string& task) { return has_intent(framework, task); },
                 [this](int machine, const ContainerId& id) {
                   return agent_disks_[static_cast<std::size_t>(machine)].durable.contains("run/" + id.str());
                 }}),
      around_{kernel_, servers_, child_disks_,
              [this](Place from, const std::string& address) { return answers(from, address); },
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

void Cluster::start_master() {
  if (!master_)
    master_ = std::make_unique<MasterProcess>(kernel_, master_disk_, door_, servers_, [this] { kill_master(); });
}

void Cluster::start_agent(int machine) {
  const auto i = static_cast<std::size_t>(machine);
  if (agents_[i] || kernel_.now().mono < off_until_[i]) return;
  agents_[i] = std::make_unique<AgentProcess>(kernel_, *hosts_[i], agent_disks_[i], door_, servers_,
                                              agent_info(machine), [this, i] { kill_agent(i); });
}

void Cluster::start_root() {
  if (root_) return;
  root_ = std::make_unique<RootProcess>(around_, root_disk_, [this] { return master_.get(); }, [this] { kill_root(); });
  kernel_.after(200ms, [this] { insist(); });
}

/// Whoever asked the root hears of its death and asks again.
void Cluster::insist() {
  if (!root_ || wish_ == Wish::nothing) return;
  const auto status = root_->core().status(kernel_.now(), stack_name);
  if (wish_ == Wish::up && status.stacks_size() == 0) root_->up(stack_text());
  if (wish_ == Wish::down && status.stacks_size() == 1 && status.stacks(0).state() != "stopping")
    root_->down(stack_name);
}

std::string Cluster::stack_text() const {
  std::ostringstream text;
  text << "name: " << stack_name << "\nframeworks:\n";
  for (const auto& [name, node] : graph_.nodes) {
    text << "  " << name << ":\n    command: [serve, \"${ports.main}\"]\n    instances: " << node.servers
         << "\n    resources: { cpus: 0.1, mem: 32MiB }\n    ports: { main: "
         << (node.port == 0 ? "auto" : std::to_string(node.port)) << " }\n";
    if (node.data) text << "    volumes: { data: { size: 10MiB, path: data } }\n";
    if (node.job) text << "    goal: completed\n    restart: on_failure\n";
    else text << "    readiness: { tcp: { port: main } }\n    endpoints: { main: { port: main } }\n";
    if (node.needs.empty()) continue;
    text << "    depends_on:\n";
    for (const auto& need : node.needs)
      text << "      " << need << ": { condition: " << (graph_.nodes.at(need).job ? "completed" : "serving")
           << ", timeout: " << std::chrono::duration_cast<std::chrono::seconds>(node.patience).count() << "s }\n";
  }
  return text.str();
}

void Cluster::up() {
  wish_ = Wish::up;
  if (!root_) return;
  root_->up(stack_text());
  if (!root_->refusal().empty()) std::fprintf(stderr, "%s\n", root_->refusal().c_str());
  BANYAN_CHECK(root_->refusal().empty());
}

void Cluster::down() {
  wish_ = Wish::down;
  checkers_.taking_down();
  if (root_) root_->down(stack_name);
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
bool Cluster::answers(Place from, const std::string& address) const {
  const auto colon = address.rfind(':');
  const auto port = static_cast<std::uint64_t>(std::stoul(address.substr(colon + 1)));
  for (const auto& host : hosts_) {
    if (host_of(host->number()) != address.substr(0, colon)) continue;
    if (!kernel_.network().reaches({from, place_of(host->number())}, kernel_.now().mono)) return false;
    for (const auto& [id, container] : host->containers()) {
      if (!container.running || kernel_.now().mono - container.started_at < 100ms) continue;
      for (const auto& resource : container.task.resources())
        if (resource.name() == "ports" && resource.ranges().range(0).begin() == port) return true;
    }
  }
  return false;
}

std::unique_ptr<Program> Cluster::make_program(Machine& machine, Container& container) {
  if (!container.custom) {
    const auto node = graph_.nodes.find(checkers_.node_of_framework(container.launch.framework.str()));
    const bool job = node != graph_.nodes.end() && node->second.job;
    return std::make_unique<ServerProgram>(kernel_, machine, container.launch.container,
                                           job ? std::optional(kernel_.between(100ms, 3s)) : std::nullopt);
  }
  return std::make_unique<ExecutorProgram>(around_, machine, container);
}

bool Cluster::all_serving() const {
  if (!root_) return false;
  const auto status = root_->core().status(kernel_.now(), stack_name);
  if (status.stacks_size() != 1) return false;
  for (const auto& node : status.stacks(0).nodes()) {
    const Graph::Node& wanted = graph_.nodes.at(node.name());
    const bool there = wanted.job
                           ? node.state() == "completed" && checkers_.completed(node.name())
                           : node.state() == "serving" && checkers_.running_servers(node.name()) == wanted.servers;
    if (!there) return false;
  }
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
  return checkers_.unheard();
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
