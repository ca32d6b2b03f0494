// ${…} in files, commands and environment: parsed once for checking, rendered at each launch. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "specs/stack.h"

namespace banyan::specs {

/// One server instance, as templates see it.
struct InstanceView {
  std::uint32_t index = 0;  ///< from 0; ${instance.number} is index + 1
  std::string name;         ///< kafka-0
  std::string host;         ///< 127.0.0.1
  std::map<std::string, std::uint16_t> ports;
  std::map<std::string, std::string> volumes;  ///< name -> path
};

/// Everything a template may name. ${vars.x} is gone by now: load() substitutes it.
struct View {
  InstanceView instance;
  std::vector<InstanceView> peers;  ///< all instances of the same server, itself included, by index
  /// "kafka.endpoints.broker" -> host:port addresses; of other nodes, and of this node's own endpoints.
  std::map<std::string, std::vector<std::string>> endpoints;
};

/// `${ports.p}` `${volumes.v}` `${instance.index|number|name|host}` `${peers.p}` (comma list of host:port)
/// `${NODE.endpoints.e}` (comma list) `${NODE.endpoints.e.first|host|port|url}`
/// `${join peers SEP TEXT}` with {number} {index} {name} {host} {ports.p} inside TEXT, `$$` = a dollar.
[[nodiscard]] Result<std::string> render_template(std::string_view text, const View& view);

/// One ${…} of a text, for checking: its words and where it stands (offset in bytes).
struct Reference {
  std::string expression;  ///< between the braces
  std::size_t offset = 0;
  std::size_t length = 0;  ///< braces and dollar included
};
struct References {
  std::vector<Reference> found;
  std::vector<std::pair<std::size_t, std::string>> errors;  ///< offset, what is wrong ("${ is never closed")
};
[[nodiscard]] References references(std::string_view text);

}  // namespace banyan::specs
