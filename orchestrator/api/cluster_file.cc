#include "orchestrator/api/cluster_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

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

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return error("cannot read " + path + ": " + std::strerror(errno));
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

Result<void> write_file_atomic(const std::string& path, const std::string& content) {
  const std::string beside = path + ".new";
  {
    std::ofstream out(beside, std::ios::binary | std::ios::trunc);
    out << content;
    if (!out.flush()) return error("cannot write " + beside + ": " + std::strerror(errno));
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0)
    return error("cannot rename " + beside + ": " + std::strerror(errno));
  return {};
}

Result<ClusterFile> read_cluster_file(const std::string& path) {
  auto text = read_file(path);
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
  return write_file_atomic(path, json::serialize(value) + "\n");
}

}  // namespace banyan::root
