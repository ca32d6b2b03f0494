#include "runtime/adapters/posix/machine.h"

#include <sched.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>

#include <cstdint>

namespace banyan::posix {
namespace {

std::uint64_t less(std::uint64_t total_mb, std::uint64_t kept_mb) {
  return total_mb < 2 * kept_mb ? total_mb / 2 : total_mb - kept_mb;
}

}  // namespace

std::string detect_resources(const std::string& work_dir) {
  cpu_set_t mask;
  const int cpus = ::sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : 1;
  struct sysinfo memory{};
  ::sysinfo(&memory);
  struct statvfs disk{};
  ::statvfs(work_dir.c_str(), &disk);
  const std::uint64_t memory_mb = (memory.totalram >> 10) * memory.mem_unit >> 10;
  const std::uint64_t disk_mb = (disk.f_bavail >> 10) * disk.f_frsize >> 10;
  return "cpus:" + std::to_string(cpus) + ";mem:" + std::to_string(less(memory_mb, 1024)) +
         ";disk:" + std::to_string(less(disk_mb, 5 * 1024)) + ";ports:[31000-32000]";
}

}  // namespace banyan::posix
