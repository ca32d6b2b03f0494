// The words of a server: command, instances, resources, files, ports, volumes, …
#include <map>

#include "specs/drafts.h"
#include "specs/uri.h"

namespace banyan::specs {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t env_value_bytes_max = 128 << 10;  ///< the kernel's MAX_ARG_STRLEN
constexpr std::size_t env_bytes_max = 1 << 20;
constexpr std::int64_t instances_max = 1000;

/// Where the part of a map stands that has the key `name`; the map itself if it has none.
Where part(const Value& map, std::string_view name) {
  const auto* found = map.is_map() ? map.find(name) : nullptr;
  return found == nullptr ? map.where() : found->where();
}

constexpr std::array<Field<Resources>, 5> resource_fields = {{
    {"cpus",
     [](Reader& r, const Value& v, Resources& o) {
       const auto text = r.text(v, "cpus");
       if (!text) return;
       const auto cpus = parse_cpus(*text);
       if (!cpus || *cpus <= 0 || *cpus > 1'024'000)
         r.report().add("E205", v.where(), "cpus must be 0.001 to 1024, not " + quoted(*text),
                        cpus ? "" : cpus.error().message);
       else o.cpus_milli = *cpus;
     }},
    {"mem", [](Reader& r, const Value& v, Resources& o) { r.size(v, "mem", 1 << 20, o.mem_bytes); }},
    {"disk", [](Reader& r, const Value& v, Resources& o) { r.size(v, "disk", 0, o.disk_bytes); }},
    {"gpus", nullptr},
    {"constraints", nullptr},
}};

// --- uris

constexpr std::array<Field<Uri>, 6> uri_fields = {{
    {"uri",
     [](Reader& r, const Value& v, Uri& o) {
       if (auto text = r.text(v, "uri")) o.value = {std::move(*text), v.at};
     }},
    {"sha256",
     [](Reader& r, const Value& v, Uri& o) {
       const auto text = r.text(v, "sha256");
       if (!text) return;
       const bool hex = text->size() == 64 && std::ranges::all_of(*text, [](char c) {
                          return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                        });
       if (hex) o.sha256 = *text;
       else r.report().add("E213", v.where(), "sha256 must be 64 characters 0-9 and a-f", "as printed by sha256sum");
     }},
    {"extract", [](Reader& r, const Value& v, Uri& o) { r.boolean(v, "extract", o.extract); }},
    {"executable", [](Reader& r, const Value& v, Uri& o) { r.boolean(v, "executable", o.executable); }},
    {"cache", [](Reader& r, const Value& v, Uri& o) { r.boolean(v, "cache", o.cache); }},
    {"output",
     [](Reader& r, const Value& v, Uri& o) {
       const auto text = r.text(v, "output");
       if (!text) return;
       if (is_inside_path(*text)) o.output = *text;
       else
         r.report().add("E212", v.where(), "output must be a relative path inside the sandbox, not " + quoted(*text));
     }},
}};

void check_uri(Reader& r, const Value& at, const std::string& uri) {
  const auto refuse = [&](std::string why, std::string hint) {
    r.report().add("E213", at.where(), "the URI " + quoted(uri) + " " + why, std::move(hint));
  };
  const auto scheme = uri.find(':');
  const auto first_slash = uri.find('/');
  if (uri.ends_with('/') && local_path(uri))
    return refuse("names a folder", "name a file; an archive with extract: true makes a folder");
  if (uri.empty() || uri.size() > 8192) return refuse(uri.empty() ? "is empty" : "is too long", "");
  if (uri.find_first_of(std::string_view(" \t\r\n\0", 5)) != std::string::npos && scheme < first_slash)
    return refuse("holds a space or a line break", "write %20 for a space");
  if (scheme == std::string::npos || first_slash < scheme) return;
  const auto name = uri.substr(0, scheme);
  if (name != "http" && name != "https" && name != "file")
    return refuse("has a scheme that is not supported", "a path, file:, http: and https: are");
  if (name == "file" && !uri.starts_with("file:/"))
    return refuse("is not absolute", "write the path alone if it is relative to the stack file, else file:/PATH");
  if (uri.starts_with("file://") && !uri.starts_with("file:///"))
    return refuse("names a host", "a file is fetched on the agent's own host: write file:///PATH");
  const auto host = uri.substr(scheme + 1, uri.find('/', scheme + 3) - scheme - 1);
  if (name != "file" && (!host.starts_with("//") || host.size() == 2)) return refuse("names no host", "");
  if (host.find('@') != std::string::npos)
    refuse("holds a user or password", "passwords never belong into a stack file");
}

// --- files

constexpr std::array<Field<File>, 3> file_fields = {{
    {"source",
     [](Reader& r, const Value& v, File& o) {
       const auto text = r.text(v, "source");
       if (!text) return;
       if (text->empty() || text->find('\0') != std::string::npos)
         r.report().add("E212", v.where(), "source must be a path, relative to the stack file");
       else o.source = *text;
       o.at = v.at;
     }},
    {"content", [](Reader& r, const Value& v, File& o) { o.content = r.templated(v, "content"); }},
    {"mode",
     [](Reader& r, const Value& v, File& o) {
       const auto text = r.text(v, "mode");
       if (!text) return;
       if (const auto mode = parse_mode(*text)) o.mode = *mode;
       else r.report().add("E205", v.where(), "mode must be octal, not " + quoted(*text), mode.error().message);
     }},
}};

void read_files(Reader& r, const Value& v, ServerDraft& d) {
  if (!r.is_map(v, "files")) return;
  for (std::size_t i = 0; i < v.keys.size(); ++i) {
    const Value& key = *v.keys[i];
    const Value& value = *v.items[i];
    if (!is_inside_path(key.text)) {
      r.report().add("E212", key.where(), quoted(key.text) + " is no target for a file",
                     "write a relative path inside the sandbox, without \"..\"");
      continue;
    }
    File file;
    file.target = key.text;
    file.at = value.at;
    if (value.is_scalar()) {
      file_fields[0].read(r, value, file);
    } else if (r.fields(value, "file " + quoted(key.text), Fields<File>(file_fields), file)) {
      const bool source = value.find("source") != nullptr;
      if (source == (value.find("content") != nullptr))
        r.report().add(source ? "E206" : "E202", key.where(),
                       "file " + quoted(key.text) + (source ? " has both source and content" : " lacks its source"),
                       "write source: PATH, or content: |");
    }
    d.server.files.push_back(std::move(file));
  }
}

// --- ports and volumes

constexpr std::array<std::pair<std::string_view, Transport>, 2> transports = {
    {{"tcp", Transport::tcp}, {"udp", Transport::udp}}};

/// `auto`, or a number.
void read_port_number(Reader& r, const Value& v, const std::string& what, Port& port) {
  if (v.is_scalar() && v.text == "auto") return;
  std::uint16_t number = 0;
  const auto before = r.report().size();
  if (!v.is_scalar()) r.wrong_type(v, what, "auto or a number");
  else r.integer(v, what, 1, 65535, number);
  if (before == r.report().size()) port.fixed = number;
  else r.report().last().hint = "write auto, or a number from 1 to 65535, without quotes";
}

constexpr std::array<Field<Port>, 2> port_fields = {{
    {"port", [](Reader& r, const Value& v, Port& o) { read_port_number(r, v, "port", o); }},
    {"protocol", [](Reader& r, const Value& v, Port& o) { r.choice(v, "protocol", transports, o.protocol); }},
}};

void read_ports(Reader& r, const Value& v, ServerDraft& d) {
  const auto errors = r.report().size();
  std::map<std::pair<Transport, std::uint16_t>, std::string> fixed;
  for (std::size_t i = 0; r.is_map(v, "ports") && i < v.keys.size(); ++i) {
    const Value& key = *v.keys[i];
    const Value& value = *v.items[i];
    if (!r.name(key, "a port", is_word, word_rule)) continue;
    Port port{std::nullopt, key.at, key.text == "udp" ? Transport::udp : Transport::tcp};
    if (value.is_map()) r.fields(value, "port " + quoted(key.text), Fields<Port>(port_fields), port);
    else read_port_number(r, value, "port " + quoted(key.text), port);
    if (port.fixed)
      if (const auto [other, fresh] = fixed.emplace(std::pair(port.protocol, *port.fixed), key.text); !fresh)
        r.report().add("E209", value.where(),
                       "port " + std::to_string(*port.fixed) + " is also port " + quoted(other->second),
                       "one number can be a tcp port and a udp port: { port: " + std::to_string(*port.fixed) +
                           ", protocol: udp }");
    d.server.ports[key.text] = port;
  }
  d.ports_known = errors == r.report().size();
}

constexpr std::array<Field<VolumeSpec>, 5> volume_fields = {{
    {"size", [](Reader& r, const Value& v, VolumeSpec& o) { r.size(v, "size", 1 << 20, o.size_bytes); }},
    {"host_path",
     [](Reader& r, const Value& v, VolumeSpec& o) {
       const auto text = r.text(v, "host_path");
       if (!text) return;
       if (text->starts_with('/') && text->find("/../") == std::string::npos && !text->ends_with("/.."))
         o.host_path = Text{*text, v.at};
       else r.report().add("E212", v.where(), "host_path must be absolute and without \"..\", not " + quoted(*text));
     }},
    {"path",
     [](Reader& r, const Value& v, VolumeSpec& o) {
       const auto text = r.text(v, "path");
       if (!text) return;
       if (is_inside_path(*text)) o.path = *text;
       else
         r.report().add("E212", v.where(), "path must be relative and inside the sandbox, not " + quoted(*text),
                        "the sandbox shows the volume there, ${volumes.NAME} is its whole path");
     }},
    {"read_only", nullptr},
    {"shared", nullptr},
}};

void read_volumes(Reader& r, const Value& v, ServerDraft& d) {
  const auto errors = r.report().size();
  std::map<std::string, std::string> shown;
  for (std::size_t i = 0; r.is_map(v, "volumes") && i < v.keys.size(); ++i) {
    const Value& key = *v.keys[i];
    const Value& value = *v.items[i];
    if (!r.name(key, "a volume", is_word, word_rule)) continue;
    VolumeSpec volume;
    volume.path = key.text;
    volume.at = key.at;
    if (value.is_scalar()) {
      volume_fields[0].read(r, value, volume);
    } else if (r.fields(value, "volume " + quoted(key.text), Fields<VolumeSpec>(volume_fields), volume)) {
      const bool size = value.find("size") != nullptr;
      if (size == (value.find("host_path") != nullptr) && !Reader::meant(value, size ? "" : "size"))
        r.report().add(size ? "E206" : "E202", key.where(),
                       "volume " + quoted(key.text) + (size ? " has both size and host_path" : " lacks its size"),
                       "write size: 1GiB for a volume of its own, or host_path: /PATH for a folder of the host");
    }
    if (const auto [other, fresh] = shown.emplace(volume.path, key.text); !fresh)
      r.report().add("E209", key.where(),
                     "volumes " + quoted(other->second) + " and " + quoted(key.text) + " have the same path " +
                         quoted(volume.path));
    d.server.volumes[key.text] = std::move(volume);
  }
  d.volumes_known = errors == r.report().size();
}

// --- restart and stop

constexpr std::array<std::pair<std::string_view, RestartPolicy>, 3> policies = {
    {{"always", RestartPolicy::always}, {"on_failure", RestartPolicy::on_failure}, {"never", RestartPolicy::never}}};
constexpr std::array<std::pair<std::string_view, StopOrder>, 2> stop_orders = {
    {{"parallel", StopOrder::parallel}, {"serial", StopOrder::serial}}};

constexpr std::array<Field<Restart>, 3> backoff_fields = {{
    {"min", [](Reader& r, const Value& v, Restart& o) { r.duration(v, "min", 0s, o.backoff_min); }},
    {"max", [](Reader& r, const Value& v, Restart& o) { r.duration(v, "max", 0s, o.backoff_max); }},
    {"jitter", nullptr},
}};

constexpr std::array<Field<Restart>, 4> restart_fields = {{
    {"policy", [](Reader& r, const Value& v, Restart& o) { r.choice(v, "policy", policies, o.policy); }},
    {"max", [](Reader& r, const Value& v, Restart& o) { r.integer(v, "max", 0, 1'000'000, o.max); }},
    {"within", [](Reader& r, const Value& v, Restart& o) { r.duration(v, "within", 1s, o.within); }},
    {"backoff",
     [](Reader& r, const Value& v, Restart& o) {
       r.fields(v, "backoff", Fields<Restart>(backoff_fields), o);
       if (o.backoff_min > o.backoff_max)
         r.report().add("E206", part(v, "min"), "backoff's min is longer than its max", "the default max is 30s");
     }},
}};

void read_restart(Reader& r, const Value& v, ServerDraft& d) {
  if (v.is_scalar()) r.choice(v, "restart policy", policies, d.server.restart.policy);
  else r.fields(v, "restart", Fields<Restart>(restart_fields), d.server.restart);
}

constexpr std::array<Field<Stop>, 3> stop_fields = {{
    {"grace", [](Reader& r, const Value& v, Stop& o) { r.duration(v, "grace", 0s, o.grace); }},
    {"order", [](Reader& r, const Value& v, Stop& o) { r.choice(v, "order", stop_orders, o.order); }},
    {"signal", nullptr},
}};

constexpr std::array<Field<ServerDraft>, 23> table = {{
    {"command", [](Reader& r, const Value& v, ServerDraft& d) { r.command(v, "command", d.server.command); }},
    {"instances", [](Reader& r, const Value& v,
                     ServerDraft& d) { r.integer(v, "instances", 1, instances_max, d.server.instances); }},
    {"resources", [](Reader& r, const Value& v, ServerDraft& d) { read_resources(r, v, d.server.resources); }},
    {"uris", [](Reader& r, const Value& v, ServerDraft& d) { read_uris(r, v, d.server.uris); }},
    {"files", read_files},
    {"env", [](Reader& r, const Value& v, ServerDraft& d) { read_env(r, v, d.server.env); }},
    {"ports", read_ports},
    {"volumes", read_volumes},
    {"user", [](Reader& r, const Value& v, ServerDraft& d) { read_user(r, v, d.server.user); }},
    {"readiness", read_readiness},
    {"restart", read_restart},
    {"stop", [](Reader& r, const Value& v, ServerDraft& d) { read_stop(r, v, d.server.stop); }},
    {"image", nullptr},
    {"liveness", nullptr},
    {"disconnect", nullptr},
    {"update", nullptr},
    {"constraints", nullptr},
    {"secrets", nullptr},
    {"env_file", nullptr},
    {"healthcheck", nullptr},
    {"labels", nullptr},
    {"working_dir", nullptr},
    {"extends", nullptr},
}};

}  // namespace

Fields<ServerDraft> server_fields() { return table; }

void read_resources(Reader& r, const Value& v, Resources& out) {
  r.fields(v, "resources", Fields<Resources>(resource_fields), out);
}

void read_user(Reader& r, const Value& v, std::string& out) {
  auto text = r.text(v, "user");
  if (text && !is_user(*text))
    r.report().add("E204", v.where(), quoted(*text) + " cannot be the name of a user",
                   "write a user's name or number, and if need be its group: postgres, 1000 or \"1000:1000\"");
  else if (text) out = std::move(*text);
}

void read_stop(Reader& r, const Value& v, Stop& out) { r.fields(v, "stop", Fields<Stop>(stop_fields), out); }

void read_uris(Reader& r, const Value& v, std::vector<Uri>& out) {
  if (!r.is_list(v, "uris")) return;
  for (const auto* item : v.items) {
    Uri uri;
    uri.value.at = item->at;
    const auto errors = r.report().size();
    if (item->is_scalar()) uri_fields[0].read(r, *item, uri);
    else if (!r.fields(*item, "an entry of uris", Fields<Uri>(uri_fields), uri)) continue;
    const auto* value = item->is_map() ? item->find("uri") : item;
    if (value == nullptr && Reader::meant(*item, "uri")) continue;
    if (value == nullptr)
      r.report().add("E202", item->where(), "this entry of uris lacks its uri", "write uri: PATH or http://…");
    else if (errors == r.report().size()) check_uri(r, *value, uri.value.text);
    if (errors == r.report().size()) out.push_back(std::move(uri));
  }
}

void read_env(Reader& r, const Value& v, std::map<std::string, Text>& out) {
  if (v.is_list()) return r.wrong_type(v, "env", "a mapping", "write NAME: value");
  std::size_t total = 0;
  for (std::size_t i = 0; r.is_map(v, "env") && i < v.keys.size(); ++i) {
    const Value& key = *v.keys[i];
    const auto& name = key.text;
    if (!is_env_name(name)) {
      r.report().add("E214", key.where(), quoted(name) + " cannot be the name of an environment variable",
                     "letters, digits, \"_\", \".\" and \"-\", beginning with a letter or \"_\"");
      continue;
    }
    if (name.starts_with("BANYAN_") || name.starts_with("MESOS_") || name.starts_with("LIBPROCESS_")) {
      r.report().add("E214", key.where(), quoted(name) + " is set by Banyan itself",
                     "names that begin with BANYAN_, MESOS_ or LIBPROCESS_ are reserved");
      continue;
    }
    const auto text = r.templated(*v.items[i], "env " + name);
    if (!text) continue;
    total += name.size() + text->text.size() + 2;
    if (text->text.size() > env_value_bytes_max || total > env_bytes_max)
      r.report().add("E001", key.where(), "the environment is too large at " + quoted(name),
                     "a value may have 128 KiB and all of them 1 MiB; use a file");
    else out[name] = *text;
  }
}

void finish_server(Reader& r, ServerDraft& d) {
  Server& s = d.server;
  if (s.command.empty() && d.command_missing)
    r.report().add("E202", d.where, "server " + quoted(s.name) + " lacks its command",
                   "write command: [program, argument, …]");
  std::vector<std::string> ports;
  for (const auto& [name, port] : s.ports) ports.push_back(name);
  for (const auto& [name, where] : d.probed_ports) {
    if (!d.ports_known) continue;
    if (const auto port = s.ports.find(name); port != s.ports.end()) {
      if (port->second.protocol == Transport::udp)
        r.report().add("E216", where, "port " + quoted(name) + " is a udp port, which no probe can ask",
                       "probe a tcp port, or run a command: exec: [./check.sh]");
      continue;
    }
    auto hint = r.report().did_you_mean(name, ports);
    if (hint.empty())
      hint = ports.empty() ? "declare it: ports: { " + printable(name) + ": auto }" : "declared are " + one_of(ports);
    r.report().add("E216", where, "server " + quoted(s.name) + " has no port " + quoted(name), std::move(hint));
  }
}

}  // namespace banyan::specs
