#include "orchestrator/api/cluster_file.h"

#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>

#include "runtime/adapters/posix/files.h"

namespace banyan::root {
namespace {

namespace json = boost::json;

json::object to_json(const Process& process) {
  return {{"id", process.id()}, {"pid", process.pid()}, {"address", process.address()}};
}

Process process_of(const json::value& value) {
  Process process;
  process.set_id(json::value_to<std::string>(value.at("id")));
  process.set_pid(json::value_to<std::uint32_t>(value.at("pid")));
  process.set_address(json::value_to<std::string>(value.at("address")));
  return process;
}

}  // namespace

std::string state_folder() {
  if (const char* set = std::getenv("BANYAN_STATE"); set != nullptr && *set != '\0') return set;
  if (::geteuid() == 0) return "/var/lib/banyan";
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "/tmp" : home) + "/.local/state/banyan";
}

Result<ClusterFile> read_cluster_file(const std::string& path) {
  auto text = posix::read_file(path);
  if (!text) return tl::unexpected(text.error());
  try {
    const json::value value = json::parse(*text);
    ClusterFile file;
    file.api = json::value_to<std::string>(value.at("api"));
    file.started_by_up = value.at("started_by_up").as_bool();
    *file.cluster.mutable_master() = process_of(value.at("master"));
    *file.cluster.mutable_root() = process_of(value.at("root"));
    *file.cluster.mutable_dev() = process_of(value.at("dev"));
    for (const auto& agent : value.at("agents").as_array()) *file.cluster.add_agents() = process_of(agent);
    return file;
  } catch (const std::exception& e) {
    return error(path + " is damaged: " + e.what());
  }
}

Result<void> write_cluster_file(const std::string& path, const ClusterFile& file) {
  json::array agents;
  for (const auto& agent : file.cluster.agents()) agents.push_back(to_json(agent));
  const json::object value{{"api", file.api},
                           {"started_by_up", file.started_by_up},
                           {"master", to_json(file.cluster.master())},
                           {"root", to_json(file.cluster.root())},
                           {"dev", to_json(file.cluster.dev())},
                           {"agents", agents}};
  return posix::write_file(path, json::serialize(value) + "\n", 0644);
}

}  // namespace banyan::root
