#include "runtime/bin/agent/agent_info.h"

#include <sys/stat.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>
#include <sstream>

#include "runtime/adapters/codec/resources.h"
#include "runtime/adapters/posix/fd.h"
#include "runtime/adapters/posix/files.h"
#include "runtime/adapters/posix/machine.h"
#include "runtime/adapters/posix/sandbox.h"
#include "runtime/adapters/posix/self.h"
#include "runtime/adapters/posix/socket_folder.h"

namespace banyan::agent {
namespace {

namespace v1 = mesos::v1;

/// "rack:abc;level:10;keys:[1000-1500]": scalars, ranges, else text.
Result<void> add_attributes(const std::string& text, v1::AgentInfo& info) {
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ';');) {
    const auto colon = part.find(':');
    if (colon == std::string::npos || colon == 0)
      return error("attribute '" + part + "' is not of the form name:value");
    auto* attribute = info.add_attributes();
    attribute->set_name(part.substr(0, colon));
    const std::string value = part.substr(colon + 1);
    double number = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (failure == std::errc() && end == value.data() + value.size()) {
      attribute->set_type(v1::Value::SCALAR);
      attribute->mutable_scalar()->set_value(number);
    } else if (const auto ranges =
                   value.starts_with('[') ? Resources::parse("r:" + value) : Result<Resources>(error("text"))) {
      attribute->set_type(v1::Value::RANGES);
      for (const auto& range : ranges->ranges("r")) {
        auto* out = attribute->mutable_ranges()->add_range();
        out->set_begin(range.begin);
        out->set_end(range.end);
      }
    } else {
      attribute->set_type(v1::Value::TEXT);
      attribute->mutable_text()->set_value(value);
    }
  }
  return {};
}

}  // namespace

std::string resources_text(const Settings& settings) {
  if (!settings.resources.empty()) return settings.resources;
  std::set<std::uint16_t> taken;
  for (const std::string* address : {&settings.listen, &settings.master})
    taken.insert(static_cast<std::uint16_t>(std::atoi(address->substr(address->rfind(':') + 1).c_str())));
  return posix::detect_resources(settings.work_dir, taken);
}

Result<v1::AgentInfo> describe_self(const Settings& settings, std::uint16_t port) {
  const auto resources = Resources::parse(resources_text(settings));
  if (!resources) return error("--resources: " + resources.error().message);
  v1::AgentInfo info;
  info.set_hostname(settings.hostname);
  info.set_port(port);
  codec::encode(*resources, codec::ResourceFormat::refined, info.mutable_resources());
  if (auto added = add_attributes(settings.attributes, info); !added) return tl::unexpected(added.error());
  auto* volumes = info.add_attributes();  // so that a scheduler can tell a program the whole path of its volume
  volumes->set_name("banyan_volumes");
  volumes->set_type(v1::Value::TEXT);
  volumes->mutable_text()->set_value(posix::Layout(settings.work_dir).volumes());
  return info;
}

Result<std::string> choose_socket(const Settings& settings) {
  std::string folder = settings.socket_dir;
  if (folder.empty()) {
    char name[40];
    std::snprintf(name, sizeof name, "banyan-%016zx", std::hash<std::string>{}(settings.work_dir));
    folder = posix::socket_parents().front() + '/' + name;
  }
  ::mkdir(folder.c_str(), 0700);
  struct stat info{};
  if (::lstat(folder.c_str(), &info) != 0) return posix::system_error("cannot make socket folder " + folder);
  if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid())
    return error("socket folder " + folder + " is not a folder of this user; name another with --socket-dir");
  if (::chmod(folder.c_str(), 0711) != 0) return posix::system_error("cannot set the mode of " + folder);
  return folder + "/agent.sock";
}

Result<std::string> find_shim(const std::string& given) {
  std::string path = given;
  if (path.empty()) path = posix::own_folder() + "/banyan-shim";
  if (::access(path.c_str(), X_OK) != 0) return posix::system_error("cannot use the shim " + path);
  return std::filesystem::absolute(path).string();
}

}  // namespace banyan::agent
