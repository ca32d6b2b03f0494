#include "specs/names.h"

namespace banyan::specs {

// Names of stacks, nodes, servers and endpoints hold no dot and never begin or end with a hyphen (scalars.h), so every
// dot below is a border and different parts give different names.

std::string service_name(const std::string& stack, const std::string& node, const std::string& endpoint) {
  return endpoint + "." + node + "." + stack + ".banyan";
}

std::string instance_name(const std::string& server, std::uint32_t index) {
  return server + "-" + std::to_string(index);
}

std::string role(const std::string& stack, const std::string& node) { return stack + "." + node; }

std::string framework_id(const std::string& stack, const std::string& node, std::uint64_t incarnation) {
  return stack + "." + node + "." + std::to_string(incarnation);
}

std::string endpoint_variable(const std::string& node, const std::string& endpoint) {
  std::string out = "BANYAN_ENDPOINT_" + node + "_" + endpoint;
  for (auto& c : out)
    if (c == '-') c = '_';
    else if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

}  // namespace banyan::specs
