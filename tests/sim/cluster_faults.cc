// What is done to a cluster: each kind of fault.
#include "tests/sim/cluster.h"

namespace banyan::sim {

using namespace std::chrono_literals;

namespace {

constexpr int places = static_cast<int>(Place::first_machine) + Cluster::machines;

/// The n-th of all links between two places, one direction.
Route route_of(std::uint64_t pick) {
  const int from = static_cast<int>(pick % places);
  const int to = (from + 1 + static_cast<int>(pick / places % (places - 1))) % places;
  return {static_cast<Place>(from), static_cast<Place>(to)};
}

}  // namespace

void Cluster::strike(const Fault& fault) {
  using Kind = Fault::Kind;
  kernel_.trace("fault: " + text(fault));
  const std::size_t machine = fault.pick % machines;
  switch (fault.kind) {
    case Kind::kill_master: return kill_master();
    case Kind::kill_agent: return kill_agent(machine);
    case Kind::kill_root: return kill_root();
    case Kind::kill_child: return kill_child(fault.pick);
    case Kind::kill_executor: return kill_container(fault.pick, true);
    case Kind::kill_server: return kill_container(fault.pick, false);
    case Kind::power_cut: return cut_power();
    case Kind::reboot: return reboot(machine, fault.lasts);
    case Kind::isolate: return isolate(machine, fault.lasts);
    case Kind::cut: return cut(fault.pick, fault.lasts, true);
    case Kind::deaf: return cut(fault.pick, fault.lasts, false);
    case Kind::slow_disk: return trouble_disk(fault.pick, fault.lasts, false);
    case Kind::full_disk: return trouble_disk(fault.pick, fault.lasts, true);
    case Kind::clock_jump: return kernel_.jump(fault.pick % 2 == 0 ? fault.lasts : -fault.lasts);
    case Kind::double_words: return kernel_.network().double_until(kernel_.now().mono + fault.lasts);
  }
}

void Cluster::kill_master() {
  if (!master_) return;
  master_.reset();
  restart_soon([this] { start_master(); });
}

void Cluster::kill_agent(std::size_t machine) {
  if (!agents_[machine]) return;
  agents_[machine].reset();
  restart_soon([this, machine] { start_agent(static_cast<int>(machine)); });
}

void Cluster::kill_root() {
  if (!root_) return;
  root_.reset();
  restart_soon([this] { start_root(); });
}

void Cluster::kill_child(std::uint64_t pick) {
  std::vector<ExecutorProgram*> executors;
  for (const auto& host : hosts_)
    for (const auto& [id, container] : host->containers())
      if (auto* executor = dynamic_cast<ExecutorProgram*>(container.program.get())) executors.push_back(executor);
  if (!executors.empty()) executors[pick % executors.size()]->kill_child();
}

void Cluster::kill_container(std::uint64_t pick, bool custom) {
  std::vector<std::pair<Machine*, ContainerId>> running;
  for (const auto& host : hosts_)
    for (const auto& [id, container] : host->containers())
      if (container.running && container.custom == custom) running.emplace_back(host.get(), id);
  if (running.empty()) return;
  const auto& [machine, id] = running[pick % running.size()];
  machine->shoot(id);
}

void Cluster::cut_power() {
  for (std::size_t i = 0; i < machines; ++i) kill_agent(i);
  kill_root();
  kill_master();
  for (const auto& host : hosts_) host->lose_power();
  checkers_.forget_who_served();
}

/// Its links go first: who loses power sends no farewell.
void Cluster::reboot(std::size_t machine, Duration lasts) {
  isolate(machine, lasts);
  off_until_[machine] = kernel_.now().mono + lasts;
  agents_[machine].reset();
  hosts_[machine]->lose_power();
  kernel_.after(lasts + 1s, [this, machine] { start_agent(static_cast<int>(machine)); });
}

void Cluster::lose(int machine) { reboot(static_cast<std::size_t>(machine), 1000h); }

void Cluster::isolate(std::size_t machine, Duration lasts) {
  const Instant until = kernel_.now().mono + lasts;
  kernel_.network().isolate(place_of(static_cast<int>(machine)), places, until);
  checkers_.troubled(static_cast<int>(machine), until);
}

void Cluster::cut(std::uint64_t pick, Duration lasts, bool both_ways) {
  const Route route = route_of(pick);
  const Instant until = kernel_.now().mono + lasts;
  kernel_.network().cut(route, until);
  if (both_ways) kernel_.network().cut(back(route), until);
  for (int i = 0; i < machines; ++i)
    if (route.first == place_of(i) || route.second == place_of(i)) checkers_.troubled(i, until);
}

void Cluster::trouble_disk(std::uint64_t pick, Duration lasts, bool full) {
  std::vector<Disk*> disks{&master_disk_, &root_disk_};
  for (auto& disk : agent_disks_) disks.push_back(&disk);
  for (auto& [folder, disk] : child_disks_) disks.push_back(&disk);
  const std::size_t which = pick % disks.size();
  Disk* disk = disks[which];
  const Instant until = kernel_.now().mono + lasts;
  if (which >= 2 && which < 2 + machines) checkers_.troubled(static_cast<int>(which) - 2, until);
  if (!full) {
    disk->slow_until = until;
    return;
  }
  disk->broken = Error{"no space left on device"};
  kernel_.after(lasts, [disk] { disk->broken.reset(); });
}

}  // namespace banyan::sim
