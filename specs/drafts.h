// Servers and nodes as read, before their names are resolved. Internal to specs/.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "specs/reader.h"
#include "specs/stack.h"

namespace banyan::specs {

struct ServerDraft {
  Server server;
  Where where;              ///< its key
  bool ports_known = true;  ///< false: `ports` has errors, so unknown ports are not reported
  bool volumes_known = true;
  bool command_missing = true;                              ///< no such word, as opposed to a faulty one
  std::vector<std::pair<std::string, Where>> probed_ports;  ///< named by readiness, checked when all ports are read
};

struct EndpointDraft {
  std::string name;
  EndpointSpec spec;
  Where where, port_where, server_where;
};

struct NodeDraft {
  Node node;
  Where where;  ///< its key
  std::vector<ServerDraft> servers;
  std::vector<EndpointDraft> endpoints;
  bool endpoints_known = true;
  bool depends_known = true;
  std::set<std::string> uses;   ///< nodes whose endpoints its texts name
  bool uses_variables = false;  ///< a text names a BANYAN_ENDPOINT_… variable: it may use any of them
};

/// The words of a server, in the order of LANGUAGE.md.
[[nodiscard]] Fields<ServerDraft> server_fields();
/// After the last field: what is missing, what does not fit.
void finish_server(Reader& reader, ServerDraft& draft);

void read_uris(Reader& reader, const Value& value, std::vector<Uri>& out);
void read_resources(Reader& reader, const Value& value, Resources& out);
void read_env(Reader& reader, const Value& value, std::map<std::string, Text>& out);
void read_user(Reader& reader, const Value& value, std::string& out);
void read_stop(Reader& reader, const Value& value, Stop& out);
void read_readiness(Reader& reader, const Value& value, ServerDraft& out);

/// One entry of `frameworks`.
[[nodiscard]] NodeDraft read_node(Reader& reader, const Value& key, const Value& value);

}  // namespace banyan::specs
