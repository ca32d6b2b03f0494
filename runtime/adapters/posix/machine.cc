#include "runtime/adapters/posix/machine.h"

#include <sched.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>

#include <cstdint>
#include <cstdio>

#include "runtime/adapters/posix/files.h"

namespace banyan::posix {
namespace {

std::uint64_t less(std::uint64_t total_mb, std::uint64_t kept_mb) {
  return total_mb < 2 * kept_mb ? total_mb / 2 : total_mb - kept_mb;
}

struct PortRange {
  int begin = 0;
  int end = 0;
};

/// Of outgoing connections: a server's port among them may be in use before the server starts.
PortRange ephemeral_ports() {
  PortRange range{32768, 60999};
  const auto text = read_file("/proc/sys/net/ipv4/ip_local_port_range");
  if (text) std::sscanf(text->c_str(), "%d %d", &range.begin, &range.end);
  return range;
}

std::string ports_text(const std::set<std::uint16_t>& taken) {
  constexpr int first = 1024;
  constexpr int last = 65535;
  const PortRange ephemeral = ephemeral_ports();
  const auto offered = [&](int port) {
    return port <= last && !taken.contains(static_cast<std::uint16_t>(port)) &&
           (port < ephemeral.begin || port > ephemeral.end);
  };
  std::string text;
  for (int begin = first; begin <= last;) {
    int end = begin;
    while (offered(end)) ++end;
    if (end > begin) text += (text.empty() ? "" : ", ") + std::to_string(begin) + '-' + std::to_string(end - 1);
    begin = end + 1;
  }
  return '[' + text + ']';
}

}  // namespace

std::string detect_resources(const std::string& work_dir, const std::set<std::uint16_t>& taken) {
  cpu_set_t mask;
  const int cpus = ::sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : 1;
  struct sysinfo memory{};
  ::sysinfo(&memory);
  struct statvfs disk{};
  ::statvfs(work_dir.c_str(), &disk);
  const std::uint64_t memory_mb = (memory.totalram >> 10) * memory.mem_unit >> 10;
  const std::uint64_t disk_mb = (disk.f_bavail >> 10) * disk.f_frsize >> 10;
  return "cpus:" + std::to_string(cpus) + ";mem:" + std::to_string(less(memory_mb, 1024)) +
         ";disk:" + std::to_string(less(disk_mb, 5 * 1024)) + ";ports:" + ports_text(taken);
}

}  // namespace banyan::posix
