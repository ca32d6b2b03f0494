// The words of a framework: scheduler, servers (or one server's words directly), endpoints, goal, depends_on.
#include <iterator>

#include "specs/drafts.h"

namespace banyan::specs {

namespace {

using namespace std::chrono_literals;

// --- scheduler

constexpr std::array<std::pair<std::string_view, std::uint32_t>, 5> signals = {
    {{"SIGHUP", 1}, {"SIGUSR1", 10}, {"SIGUSR2", 12}, {"SIGCONT", 18}, {"SIGWINCH", 28}}};

constexpr std::array<Field<SchedulerReadiness>, 4> readiness_fields = {{
    {"exec",
     [](Reader& r, const Value& v, SchedulerReadiness& o) {
       o.kind = SchedulerReadiness::Kind::exec;
       r.command(v, "exec", o.command);
     }},
    {"interval", [](Reader& r, const Value& v, SchedulerReadiness& o) { r.duration(v, "interval", 10ms, o.interval); }},
    {"timeout", [](Reader& r, const Value& v, SchedulerReadiness& o) { r.duration(v, "timeout", 10ms, o.timeout); }},
    {"hold_for", [](Reader& r, const Value& v, SchedulerReadiness& o) { r.duration(v, "hold_for", 0s, o.hold_for); }},
}};
constexpr std::array<std::pair<std::string_view, SchedulerReadiness::Kind>, 1> readiness_words = {
    {{"registered", SchedulerReadiness::Kind::registered}}};

/// `readiness: registered`, or `readiness: { exec: […] }`.
void read_scheduler_readiness(Reader& r, const Value& v, SchedulerSpec& o) {
  if (v.is_scalar()) return r.choice(v, "readiness", readiness_words, o.readiness.kind);
  const auto errors = r.report().size();
  if (!r.fields(v, "readiness", Fields<SchedulerReadiness>(readiness_fields), o.readiness)) return;
  if (v.find("exec") == nullptr && r.report().size() == errors)
    r.report().add("E202", v.where(), "the readiness lacks its probe",
                   "write registered, or exec: [program, argument, …]");
}

constexpr std::array<Field<SchedulerSpec>, 11> scheduler_fields = {{
    {"name",
     [](Reader& r, const Value& v, SchedulerSpec& o) {
       const auto text = r.text(v, "name");
       if (!text) return;
       if (*text == "service") o.service = true;
       else
         r.report().add("E207", v.where(), "unknown scheduler " + quoted(*text),
                        "Banyan's own is \"service\"; for another program write command: […]");
     }},
    {"command", [](Reader& r, const Value& v, SchedulerSpec& o) { r.command(v, "command", o.command); }},
    {"uris", [](Reader& r, const Value& v, SchedulerSpec& o) { read_uris(r, v, o.uris); }},
    {"resources", [](Reader& r, const Value& v, SchedulerSpec& o) { read_resources(r, v, o.resources); }},
    {"env", [](Reader& r, const Value& v, SchedulerSpec& o) { read_env(r, v, o.env); }},
    {"signal", [](Reader& r, const Value& v, SchedulerSpec& o) { r.choice(v, "signal", signals, o.signal_on_change); }},
    {"readiness", read_scheduler_readiness},
    {"copies",
     [](Reader& r, const Value& v, SchedulerSpec&) {
       std::int64_t copies = 1;
       r.integer(v, "copies", 1, 9, copies);
       if (copies != 1)
         r.report().add("E208", v.where(), "more than one copy of a scheduler is not supported yet",
                        "leave copies out, or write 1");
     }},
    {"uri", nullptr},
    {"image", nullptr},
    {"user", nullptr},
}};

void read_scheduler(Reader& r, const Value& v, NodeDraft& d) {
  SchedulerSpec& scheduler = d.node.scheduler;
  if (!r.fields(v, "scheduler", Fields<SchedulerSpec>(scheduler_fields), scheduler)) return;
  const bool own = v.find("command") != nullptr;
  if (own && v.find("name") != nullptr)
    r.report().add("E206", v.find("name")->where(), "scheduler has both name and command",
                   "name is one of Banyan's own schedulers, command another program; keep one");
  constexpr std::pair<const char*, const char*> foreign_only[] = {
      {"signal", "Banyan's own learns of every change by itself; leave signal out"},
      {"readiness", "Banyan's own tells how its servers are; write readiness with them"},
  };
  for (const auto& [word, help] : foreign_only)
    if (!own && v.find(word) != nullptr)
      r.report().add("E206", v.find(word)->where(), std::string(word) + " is for a scheduler that is given by command",
                     help);
  scheduler.service = !own;
}

// --- endpoints

constexpr std::array<Field<EndpointDraft>, 3> endpoint_fields = {{
    {"port",
     [](Reader& r, const Value& v, EndpointDraft& o) {
       o.port_where = v.where();
       if (auto text = r.text(v, "port")) o.spec.port = std::move(*text);
     }},
    {"server",
     [](Reader& r, const Value& v, EndpointDraft& o) {
       o.server_where = v.where();
       if (auto text = r.text(v, "server")) o.spec.server = std::move(*text);
     }},
    {"protocol",
     [](Reader& r, const Value& v, EndpointDraft& o) {
       auto text = r.text(v, "protocol");
       if (!text) return;
       std::ranges::transform(*text, text->begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
       if (is_word(*text)) o.spec.protocol = *text;
       else
         r.report().add("E204", v.where(), quoted(*text) + " cannot be the name of a protocol", std::string(word_rule));
     }},
}};

void read_endpoints(Reader& r, const Value& v, NodeDraft& d) {
  const auto errors = r.report().size();
  for (std::size_t i = 0; r.is_map(v, "endpoints") && i < v.keys.size(); ++i) {
    const Value& key = *v.keys[i];
    if (!r.name(key, "an endpoint", is_label, label_rule)) continue;
    EndpointDraft endpoint;
    endpoint.name = key.text;
    endpoint.where = endpoint.port_where = endpoint.server_where = key.where();
    endpoint.spec.at = key.at;
    if (v.items[i]->is_scalar()) endpoint_fields[0].read(r, *v.items[i], endpoint);
    else if (!r.fields(*v.items[i], "endpoint " + quoted(key.text), Fields<EndpointDraft>(endpoint_fields), endpoint))
      continue;
    d.endpoints.push_back(std::move(endpoint));
  }
  d.endpoints_known = errors == r.report().size();
}

/// The servers an endpoint may mean: the one it names, else every one that has the port.
std::vector<const ServerDraft*> servers_of(const NodeDraft& d, const EndpointSpec& spec) {
  std::vector<const ServerDraft*> out;
  for (const auto& draft : d.servers)
    if (spec.server.empty() ? draft.server.ports.contains(spec.port) : draft.server.name == spec.server)
      out.push_back(&draft);
  return out;
}

void finish_endpoint(Reader& r, NodeDraft& d, EndpointDraft& endpoint) {
  EndpointSpec& spec = endpoint.spec;
  const auto name = quoted(endpoint.name);
  if (!d.node.scheduler.service) {  // published by the child itself
    if (!spec.port.empty() || !spec.server.empty())
      r.report().add("E206", endpoint.port_where,
                     "endpoint " + name + " is published by the framework's own scheduler, so it has no port here",
                     "write " + printable(endpoint.name) + ": {}");
    return;
  }
  if (d.servers.empty()) return;
  if (spec.port.empty()) {
    if (d.endpoints_known)
      r.report().add("E202", endpoint.where, "endpoint " + name + " lacks its port", "write port: NAME");
    return;
  }
  std::vector<std::string> ports, names;
  bool known = true;
  for (const auto& draft : d.servers) {
    names.push_back(draft.server.name);
    known = known && draft.ports_known;
    for (const auto& [port, details] : draft.server.ports) ports.push_back(port);
  }
  const auto servers = servers_of(d, spec);
  const auto help = [&](const std::string& word, const std::vector<std::string>& candidates) {
    auto hint = r.report().did_you_mean(word, candidates);
    if (hint.empty() && !candidates.empty()) hint = "declared are " + one_of(candidates);
    return hint.empty() ? "declare it: ports: { " + printable(endpoint.name) + ": auto }" : hint;
  };
  if (servers.empty() && !spec.server.empty()) {
    r.report().add("E217", endpoint.server_where,
                   "endpoint " + name + " names an unknown server " + quoted(spec.server), help(spec.server, names));
  } else if (servers.empty() || !servers.front()->server.ports.contains(spec.port)) {
    if (known)
      r.report().add("E216", endpoint.port_where, "endpoint " + name + " names an unknown port " + quoted(spec.port),
                     help(spec.port, ports));
  } else if (servers.size() > 1) {
    r.report().add("E206", endpoint.port_where,
                   "endpoint " + name + " is ambiguous: " + quoted(servers[0]->server.name) + " and " +
                       quoted(servers[1]->server.name) + " both have a port " + quoted(spec.port),
                   "add server: NAME");
  } else {
    spec.server = servers.front()->server.name;
  }
}

// --- depends_on

constexpr std::array<std::pair<std::string_view, Condition>, 3> conditions = {
    {{"started", Condition::started}, {"serving", Condition::serving}, {"completed", Condition::completed}}};

constexpr std::array<Field<Edge>, 8> edge_fields = {{
    {"condition",
     [](Reader& r, const Value& v, Edge& o) {
       for (const std::string_view later : {"healthy", "log", "expr"})
         if (v.is_scalar() && v.text == later) return r.unsupported(v, later, "write started, serving or completed");
       r.choice(v, "condition", conditions, o.condition);
     }},
    {"required", [](Reader& r, const Value& v, Edge& o) { r.boolean(v, "required", o.required); }},
    {"timeout", [](Reader& r, const Value& v, Edge& o) { r.duration(v, "timeout", 1ms, o.timeout); }},
    {"version", nullptr},
    {"on_restart", nullptr},
    {"on_failover", nullptr},
    {"on_endpoint_change", nullptr},
    {"order", nullptr},
}};

void read_depends_on(Reader& r, const Value& v, NodeDraft& d) {
  const auto errors = r.report().size();
  std::map<std::string, Position> seen;
  const auto add = [&](const Value& name, const Value* details) {
    if (!name.is_scalar()) return r.wrong_type(name, "an entry of depends_on", "the name of a framework");
    Edge edge;
    edge.on = name.text;
    edge.at = name.at;
    edge.origin = "depends_on";
    if (details != nullptr && details->is_scalar())
      r.wrong_type(*details, "depends_on " + quoted(name.text), "a mapping",
                   "write { condition: " + printable(details->text) + " }");
    else if (details != nullptr && !details->is_null())
      r.fields(*details, "depends_on " + quoted(name.text), Fields<Edge>(edge_fields), edge);
    if (const auto [first, fresh] = seen.emplace(edge.on, edge.at); !fresh)
      r.report()
          .add("E105", name.where(), "the dependency on " + quoted(edge.on) + " is there twice", "keep one of them")
          .related.push_back({first->second, "first written", {}});
    else d.node.edges.push_back(std::move(edge));
  };
  if (v.is_list())
    for (const auto* item : v.items) add(*item, nullptr);
  else if (v.is_map())
    for (std::size_t i = 0; i < v.keys.size(); ++i) add(*v.keys[i], v.items[i]);
  else
    r.wrong_type(v, "depends_on", "a list of frameworks, or a mapping from them to conditions",
                 v.is_scalar() ? "write [" + printable(v.text) + "]" : "");
  d.depends_known = errors == r.report().size();
}

// --- servers

void read_servers(Reader& r, const Value& v, NodeDraft& d) {
  if (!r.is_map(v, "servers")) return;
  if (v.keys.empty() && !v.faulty)
    r.report().add("E202", v.where(), "servers is empty", "declare one: servers: { NAME: { command: […] } }");
  for (std::size_t i = 0; i < v.keys.size(); ++i) {
    const Value& key = *v.keys[i];
    if (!r.name(key, "a server", is_label, label_rule)) continue;
    ServerDraft draft;
    draft.server.name = key.text;
    draft.server.at = key.at;
    draft.where = key.where();
    const Value& value = *v.items[i];
    draft.command_missing = value.is_map() && value.find("command") == nullptr && !Reader::meant(value, "command");
    r.fields(value, "server " + quoted(key.text), server_fields(), draft);
    d.servers.push_back(std::move(draft));
  }
}

constexpr std::array<std::pair<std::string_view, Goal>, 3> goals = {
    {{"serving", Goal::serving}, {"running", Goal::running}, {"completed", Goal::completed}}};

constexpr std::array<Field<NodeDraft>, 17> node_fields = {{
    {"scheduler", read_scheduler},
    {"servers", read_servers},
    {"endpoints", read_endpoints},
    {"goal", [](Reader& r, const Value& v, NodeDraft& d) { r.choice(v, "goal", goals, d.node.goal); }},
    {"depends_on", read_depends_on},
    {"user", [](Reader& r, const Value& v, NodeDraft& d) { read_user(r, v, d.node.user); }},
    {"stop", [](Reader& r, const Value& v, NodeDraft& d) { read_stop(r, v, d.node.stop); }},
    {"high_availability", nullptr},
    {"budgets", nullptr},
    {"secrets", nullptr},
    {"extends", nullptr},
    {"include", nullptr},
    {"constraints", nullptr},
    {"update", nullptr},
    {"profiles", nullptr},
    {"on_restart", nullptr},
    {"provides", nullptr},
}};

/// Where a word of a server belongs, or what to do without it, when the framework's scheduler is a program of its own.
std::string beside_own_program(std::string_view word) {
  for (const std::string_view known : {"resources", "uris", "env"})
    if (word == known) return "for the scheduler itself write it under scheduler";
  return "a scheduler given by command decides itself what it runs; leave " + std::string(word) +
         " out, or leave scheduler.command out";
}

/// Words of a server that stand directly on the node: short for one server named like the node.
void read_single_server(Reader& r, const Value& key, const Value& value, NodeDraft& d) {
  ServerDraft draft;
  draft.server.name = d.node.name;
  draft.server.at = key.at;
  draft.where = key.where();
  draft.command_missing = value.find("command") == nullptr && !Reader::meant(value, "command");
  draft.server.user = d.node.user;
  draft.server.stop = d.node.stop;
  const Fields<NodeDraft> own(node_fields);
  for (std::size_t i = 0; i < value.keys.size(); ++i) {
    const Value& word = *value.keys[i];
    const auto* field = field_named(server_fields(), word.text);
    if (field != nullptr && field_named(own, word.text) == nullptr) r.read_field(*field, word, *value.items[i], draft);
  }
  d.servers.push_back(std::move(draft));
}

}  // namespace

NodeDraft read_node(Reader& r, const Value& key, const Value& value) {
  NodeDraft d;
  d.node.name = key.text;
  d.node.at = key.at;
  d.where = key.where();
  const auto what = "framework " + quoted(key.text);
  if (!r.is_map(value, what)) {
    d.endpoints_known = false;
    return d;
  }
  const Fields<NodeDraft> own(node_fields);
  const bool several = value.find("servers") != nullptr;
  const auto* scheduler = value.find("scheduler");
  const bool own_program = scheduler != nullptr && scheduler->is_map() && scheduler->find("command") != nullptr;
  for (std::size_t i = 0; i < value.keys.size(); ++i) {
    const Value& word = *value.keys[i];
    const auto* server_field = field_named(server_fields(), word.text);
    const auto* field = field_named(own, word.text);
    if (own_program && (word.text == "servers" || (field == nullptr && server_field != nullptr))) {
      r.report().add("E206", word.where(), what + " has both scheduler.command and " + quoted(word.text),
                     beside_own_program(word.text));
    } else if (field != nullptr) {
      r.read_field(*field, word, *value.items[i], d);
    } else if (server_field != nullptr) {
      if (several && server_field->read != nullptr)
        r.report().add("E206", word.where(), what + " has both servers and " + quoted(word.text),
                       "move it into the server it is meant for");
      else if (several) r.unsupported(word, word.text);
    } else {
      auto known = Reader::names_of(own);
      std::ranges::copy(Reader::names_of(server_fields()), std::back_inserter(known));
      r.unknown_field(word, what, known);
    }
  }
  if (!several && !own_program) read_single_server(r, key, value, d);
  for (auto& draft : d.servers) {
    if (several && draft.server.user.empty()) draft.server.user = d.node.user;
    finish_server(r, draft);
  }
  for (auto& endpoint : d.endpoints) finish_endpoint(r, d, endpoint);
  for (auto& endpoint : d.endpoints) d.node.endpoints[endpoint.name] = endpoint.spec;
  return d;
}

}  // namespace banyan::specs
