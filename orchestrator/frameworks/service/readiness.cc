#include "orchestrator/frameworks/service/readiness.h"

#include <algorithm>
#include <set>

#include "runtime/base/backoff.h"

namespace banyan::service {

namespace {

bool judges_all(const specs::Probe& probe) {
  return std::holds_alternative<specs::ZookeeperProbe>(probe) || std::holds_alternative<specs::KafkaProbe>(probe) ||
         std::holds_alternative<specs::ElasticsearchProbe>(probe);
}

std::string address(const Instance& instance, const std::string& port) {
  const auto found = instance.ports().find(port);
  return found == instance.ports().end() ? "" : instance.record.place.host + ":" + std::to_string(found->second);
}

}  // namespace

const std::string* probed_port(const specs::Probe& probe) {
  return std::visit(
      [](const auto& p) -> const std::string* {
        if constexpr (requires { p.port; }) return &p.port;
        else return nullptr;
      },
      probe);
}

void Readiness::refresh(Instant now, Watch& watch, std::string subject) {
  if (watch.subject == subject) return;
  watch.subject = std::move(subject);
  watch.in_flight = 0;
  watch.passing = false;
  watch.passing_since.reset();
  watch.misses = 0;
  watch.retry = Duration::zero();
  watch.message.clear();
  watch.next.reset();
  if (!watch.subject.empty()) watch.next = now + watch.spec.start_period;
}

std::vector<StartProbe> Readiness::due(Instant now, const specs::Node& node, const std::vector<Instance>& all) {
  std::set<std::string> live;
  const auto look = [&](std::size_t server, std::size_t index, const std::string& instance, std::string subject,
                        std::vector<std::string> addresses) {
    const std::string key =
        node.servers[server].name + "/" + std::to_string(index) + (instance.empty() ? "" : "/" + instance);
    live.insert(key);
    auto& watch = watches_[key];
    watch.server = server;
    watch.instance = instance;
    watch.spec = node.servers[server].readiness[index];
    watch.addresses = std::move(addresses);
    refresh(now, watch, std::move(subject));
  };
  for (std::size_t s = 0; s < node.servers.size(); ++s)
    for (std::size_t r = 0; r < node.servers[s].readiness.size(); ++r) {
      const auto& probe = node.servers[s].readiness[r].probe;
      const auto* port = probed_port(probe);
      if (port == nullptr) continue;
      const bool together = judges_all(probe);
      std::string tasks;
      bool all_run = true;
      std::vector<std::string> addresses;
      for (const auto& i : all) {
        if (i.server != s) continue;
        const bool runs = i.phase == Phase::running;
        if (!together) {
          look(s, r, i.name, runs ? i.record.task : "", {address(i, *port)});
          continue;
        }
        all_run = all_run && runs;
        tasks += i.record.task + " ";
        addresses.push_back(address(i, *port));
      }
      if (together) look(s, r, "", all_run ? tasks : "", std::move(addresses));
    }
  std::erase_if(watches_, [&](const auto& entry) { return !live.contains(entry.first); });

  std::vector<StartProbe> probes;
  for (auto& [key, watch] : watches_) {
    if (!watch.next || *watch.next > now) continue;
    watch.next.reset();
    watch.in_flight = ++last_id_;
    probes.push_back({watch.in_flight, key, watch.spec.probe, watch.addresses, watch.spec.timeout, !watch.passing});
  }
  return probes;
}

void Readiness::on(Instant now, const ProbeResult& result) {
  const auto found = std::find_if(watches_.begin(), watches_.end(),
                                  [&](const auto& entry) { return entry.second.in_flight == result.id; });
  if (result.id == 0 || found == watches_.end()) return;
  auto& watch = found->second;
  watch.in_flight = 0;
  if (result.ready) {
    watch.misses = 0;
    watch.message.clear();
    if (!watch.passing_since) watch.passing_since = now;
    watch.passing = now - *watch.passing_since >= watch.spec.hold_for;
    if (!watch.passing) watch.message = "ready, held for " + std::to_string(milliseconds(watch.spec.hold_for)) + " ms";
    const Duration left = *watch.passing_since + watch.spec.hold_for - now;
    watch.next = now + (watch.passing ? watch.spec.interval : std::min(left, watch.spec.interval));
    watch.retry = Duration::zero();
    return;
  }
  watch.message = result.message;
  if (watch.passing && ++watch.misses < probe_misses_max) {
    watch.next = now + watch.spec.interval;
    return;
  }
  watch.passing = false;
  watch.passing_since.reset();
  watch.retry = Backoff{probe_retry_min, watch.spec.interval}.next(watch.retry);
  watch.next = now + watch.retry;
}

std::optional<Instant> Readiness::next_deadline() const {
  std::optional<Instant> earliest;
  for (const auto& [key, watch] : watches_)
    if (watch.next && (!earliest || *watch.next < *earliest)) earliest = watch.next;
  return earliest;
}

bool Readiness::instance_ready(const std::string& instance) const {
  return std::all_of(watches_.begin(), watches_.end(),
                     [&](const auto& e) { return e.second.instance != instance || e.second.passing; });
}

bool Readiness::server_ready(std::size_t server) const {
  return std::all_of(watches_.begin(), watches_.end(), [&](const auto& e) {
    return e.second.server != server || !e.second.instance.empty() || e.second.passing;
  });
}

std::string Readiness::complaint(const std::string& instance, std::size_t server) const {
  for (const auto& [key, watch] : watches_)
    if (watch.server == server && watch.instance == instance && !watch.passing && !watch.message.empty())
      return watch.message;
  return "";
}

}  // namespace banyan::service
