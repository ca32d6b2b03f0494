#include "specs/resolve.h"

#include <algorithm>
#include <set>

#include "specs/expression.h"
#include "specs/names.h"
#include "specs/uri.h"

namespace banyan::specs {

namespace {

/// A node travels whole in a handover, which must fit into one message to its scheduler.
constexpr std::size_t node_files_bytes_max = 1 << 20;
constexpr std::size_t edges_max = 1'000'000;

/// Whose text it is: what its references may name.
struct Scope {
  NodeDraft& node;
  const ServerDraft* server = nullptr;  ///< nullptr: the child scheduler's own, which has no instance
};

/// Where a text begins: in the stack file, or in a template file.
struct Origin {
  const SourceText& source;
  std::string file;
  Position at;
};

class Resolver {
 public:
  Resolver(std::vector<NodeDraft>& drafts, const ResolveContext& context) : drafts_(drafts), context_(context) {
    for (std::uint32_t i = 0; i < drafts.size(); ++i) {
      nodes_.emplace(drafts[i].node.name, i);
      names_.push_back(drafts[i].node.name);
    }
  }

  void run() {
    for (auto& draft : drafts_) {
      declared_edges(draft);
      Scope scheduler{draft, nullptr};
      command(draft.node.scheduler.command, scheduler);
      command(draft.node.scheduler.readiness.command, scheduler);
      for (auto& [name, value] : draft.node.scheduler.env) text(value, stack_file(value), scheduler);
      for (auto& uri : draft.node.scheduler.uris) local_file(uri);
      for (auto& server : draft.servers) server_texts(draft, server);
      variables_of_endpoints(draft);
    }
  }

 private:
  Report& report() { return context_.report; }
  Origin stack_file(const Text& value) { return {context_.source, {}, value.at}; }

  void server_texts(NodeDraft& draft, ServerDraft& server) {
    Scope scope{draft, &server};
    command(server.server.command, scope);
    for (auto& [name, value] : server.server.env) text(value, stack_file(value), scope);
    for (auto& file : server.server.files) file_text(file, scope);
    for (auto& uri : server.server.uris) local_file(uri);
    for (auto& readiness : server.server.readiness)
      if (auto* probe = std::get_if<ExecProbe>(&readiness.probe)) command(probe->command, scope);
  }

  void command(Command& command, Scope& scope) {
    for (auto& argument : command.argv) text(argument, stack_file(argument), scope);
    if (command.shell) text(*command.shell, stack_file(*command.shell), scope);
  }

  void file_text(File& file, Scope& scope) {
    if (!file.source) {
      if (file.content) text(*file.content, stack_file(*file.content), scope);
      return;
    }
    const auto* read = context_.files.get(*file.source);
    if (read == nullptr) return;
    const Where where{file.at, static_cast<std::uint32_t>(file.source->size()), {}};
    if (!read->error.empty()) {
      report().add("E401", where, "cannot read " + quoted(*file.source) + ": " + read->error,
                   "the path is relative to the stack file");
      return;
    }
    if (read->text.size() > node_files_bytes_max || bad_encoding(*read)) {
      report().add("E402", where, quoted(*file.source) + " is no text of at most 1 MiB",
                   "files hold configuration; name programs, archives and data under uris");
      return;
    }
    file.content = Text{read->text, file.at};
    text(*file.content, {*read->source, *file.source, {1, 1}}, scope);
  }

  /// A relative path must be readable here; an absolute one is the agent's, and perhaps not on this host.
  void local_file(Uri& uri) {
    const auto path = local_path(uri.value.text);
    uri.executable |= path && !uri.extract && context_.local.is_program(*path);
    const auto* digest = path ? context_.local.get(*path) : nullptr;
    if (digest == nullptr) return;
    const Where where{uri.value.at, static_cast<std::uint32_t>(uri.value.text.size()), {}};
    if (*digest) uri.local_sha256 = **digest;
    else if (is_relative(uri.value.text))
      report().add("E401", where, "cannot read " + quoted(*path) + ": " + printable(digest->error().message),
                   "the path is relative to the stack file");
    if (*digest && uri.sha256 && *uri.sha256 != **digest)
      report().add("E403", where, quoted(*path) + " has another sha256 than is written", "it has " + **digest);
  }

  static bool bad_encoding(const TemplateFiles::Entry& file) {
    const auto bad = bad_characters(file.text, 1'000);
    return std::ranges::any_of(bad, &BadCharacter::encoding) || file.text.find('\0') != std::string::npos;
  }

  /// Rewrites `value`: variables by their values, everything else as it stands. Reports what is not known.
  void text(Text& value, const Origin& origin, Scope& scope) {
    if (value.text.find("BANYAN_ENDPOINT_") != std::string::npos) scope.node.uses_variables = true;
    if (value.text.find('$') == std::string::npos) return;
    const auto segments = cut(value.text);
    std::size_t copied = 0, dollars = 0, counted = 0;
    std::string out;
    const auto place = [&](std::size_t offset, std::size_t width) {
      dollars += static_cast<std::size_t>(std::count(value.text.begin() + static_cast<std::ptrdiff_t>(counted),
                                                     value.text.begin() + static_cast<std::ptrdiff_t>(offset), '$'));
      counted = offset;
      auto where = locate_dollar(origin.source, origin.at, dollars, width);
      where.file = origin.file;
      return where;
    };
    for (const auto& segment : segments.all) {
      if (segment.length == 0) continue;
      out.append(value.text, copied, segment.offset - copied);
      copied = segment.offset + segment.length;
      const auto where = place(segment.offset, segment.length);
      out += expression(segment.expression, where, scope);
    }
    if (segments.unclosed != std::string_view::npos)
      report().add("E306", place(segments.unclosed, 2), "this ${ is never closed", "write $$ for a dollar");
    out.append(value.text, copied);
    value.text = std::move(out);
  }

  /// What stands in the text afterwards.
  std::string expression(const std::string& written, const Where& where, Scope& scope) {
    const auto parsed = parse_expression(written);
    if (!parsed) {
      const bool shell = written.find('.') == std::string::npos && is_shell_name(written);
      report().add(
          "E306", where, "${" + printable(written) + "} means nothing here",
          shell ? "write $${" + written + "} to leave it to the program that reads the text" : parsed.error().message);
      return {};
    }
    if (const auto* var = std::get_if<VarName>(&*parsed)) return variable(*var, where);
    const auto verbatim = "${" + written + "}";
    if (const auto* endpoint = std::get_if<EndpointName>(&*parsed)) return reference(*endpoint, verbatim, where, scope);
    if (scope.server == nullptr) {
      report().add("E308", where, verbatim + " is known to servers only",
                   "a scheduler may use vars and endpoints of others");
      return {};
    }
    const auto& server = *scope.server;
    if (const auto* port = std::get_if<PortName>(&*parsed)) need_port(server, port->name, where);
    if (const auto* peers = std::get_if<PeersWord>(&*parsed)) need_port(server, peers->port, where);
    if (const auto* join = std::get_if<Join>(&*parsed))
      for (const auto& piece : join->pieces)
        if (const auto* port = std::get_if<PortName>(&piece.word)) need_port(server, port->name, where);
    if (const auto* volume = std::get_if<VolumeName>(&*parsed); volume != nullptr && server.volumes_known)
      need("E307", "volume", server.server.volumes, volume->name, server, where);
    return verbatim;
  }

  void need_port(const ServerDraft& server, const std::string& port, const Where& where) {
    if (server.ports_known) need("E307", "port", server.server.ports, port, server, where);
  }

  template <class Map>
  void need(const char* code, const std::string& kind, const Map& known, const std::string& name,
            const ServerDraft& server, const Where& where) {
    if (known.contains(name)) return;
    std::vector<std::string> names;
    for (const auto& [key, value] : known) names.push_back(key);
    auto hint = report().did_you_mean(name, names);
    if (hint.empty()) hint = names.empty() ? "it declares none" : "declared are " + one_of(names);
    report().add(code, where, "server " + quoted(server.server.name) + " has no " + kind + " " + quoted(name),
                 std::move(hint));
  }

  std::string variable(const VarName& var, const Where& where) {
    const auto found = context_.vars.all.find(var.name);
    if (found == context_.vars.all.end()) {
      if (context_.vars.readable)
        report().add("E301", where, "unknown variable " + quoted(var.name),
                     report().did_you_mean(var.name, context_.vars.names()));
      return {};
    }
    std::string out;
    for (const char c : found->second.value.value_or("")) out += c == '$' ? "$$" : std::string(1, c);
    return out;
  }

  std::string reference(const EndpointName& endpoint, const std::string& verbatim, const Where& where, Scope& scope) {
    const auto found = nodes_.find(endpoint.node);
    if (found == nodes_.end()) {
      report().add("E101", where, "unknown framework " + quoted(endpoint.node) + " in " + printable(verbatim),
                   report().did_you_mean(endpoint.node, names_));
      return {};
    }
    const NodeDraft& target = drafts_[found->second];
    const auto known = std::ranges::find(target.endpoints, endpoint.name, &EndpointDraft::name);
    if (known == target.endpoints.end()) {
      if (target.endpoints_known) unknown_endpoint(endpoint, target, where);
      return {};
    }
    scope.node.uses.insert(endpoint.node);
    if (&target != &scope.node) imply(scope.node, target, verbatim, where);
    else if (scope.server == nullptr)
      report().add("E308", where, "a scheduler cannot be given endpoints of its own servers",
                   "they run only when it does; it learns them itself");
    if (endpoint.pick != Pick::url) return verbatim;
    const auto protocol = known->spec.protocol.empty() ? "http" : known->spec.protocol;
    return protocol + "://${" + endpoint.node + ".endpoints." + endpoint.name + ".first}";
  }

  void unknown_endpoint(const EndpointName& endpoint, const NodeDraft& target, const Where& where) {
    std::vector<std::string> names;
    for (const auto& e : target.endpoints) names.push_back(e.name);
    auto hint = report().did_you_mean(endpoint.name, names);
    if (hint.empty()) hint = names.empty() ? "it declares none" : "declared are " + one_of(names);
    report().add("E102", where, "framework " + quoted(endpoint.node) + " has no endpoint " + quoted(endpoint.name),
                 std::move(hint));
  }

  void imply(NodeDraft& from, const NodeDraft& to, const std::string& verbatim, const Where& where) {
    auto& edges = from.node.edges;
    if (std::ranges::find(edges, to.node.name, &Edge::on) != edges.end()) return;
    Edge edge;
    edge.on = to.node.name;
    edge.implied = true;
    edge.origin = verbatim;
    edge.file = where.file;
    edge.at = where.at;
    if (condition_fits(edge, to, where)) edges.push_back(std::move(edge));
  }

  void declared_edges(NodeDraft& draft) {
    std::erase_if(draft.node.edges, [&](const Edge& edge) {
      const Where where{edge.at, static_cast<std::uint32_t>(edge.on.size()), {}};
      const auto found = nodes_.find(edge.on);
      if (found == nodes_.end()) {
        report().add("E101", where, "unknown framework " + quoted(edge.on) + " in depends_on",
                     report().did_you_mean(edge.on, names_));
        return true;
      }
      if (edge.on == draft.node.name) {
        report().add("E103", where, "framework " + quoted(edge.on) + " depends on itself", "remove it");
        return true;
      }
      if (++edges_ == edges_max + 1)
        report().add("E107", where, "more than " + std::to_string(edges_max) + " dependencies");
      return !condition_fits(edge, drafts_[found->second], where);
    });
  }

  /// Refuses to wait for what never comes.
  bool condition_fits(const Edge& edge, const NodeDraft& target, const Where& where) {
    const bool ends = target.node.goal == Goal::completed;
    if (edge.condition == Condition::serving && ends) {
      report().add("E106", where, "framework " + quoted(edge.on) + " never serves: its goal is completed",
                   "write depends_on: { " + edge.on + ": { condition: completed } }");
      return false;
    }
    if (edge.condition == Condition::completed && !ends) {
      report().add("E106", where, "framework " + quoted(edge.on) + " never completes: its goal is not completed",
                   "write goal: completed there, or condition: serving here");
      return false;
    }
    return true;
  }

  /// BANYAN_ENDPOINT_A_B_C must not mean two things.
  void variables_of_endpoints(const NodeDraft& draft) {
    std::map<std::string, std::string> taken;
    for (const auto& edge : draft.node.edges) {
      const NodeDraft& target = drafts_[nodes_.at(edge.on)];
      for (const auto& endpoint : target.endpoints) {
        const auto variable = endpoint_variable(edge.on, endpoint.name);
        const auto name = edge.on + ".endpoints." + endpoint.name;
        const auto [other, fresh] = taken.emplace(variable, name);
        if (fresh) continue;
        report().add(
            "E209", draft.where,
            other->second + " and " + name + " would both be " + variable + " for framework " + quoted(draft.node.name),
            "rename one of them");
      }
    }
  }

  std::vector<NodeDraft>& drafts_;
  const ResolveContext& context_;
  std::map<std::string, std::uint32_t, std::less<>> nodes_;
  std::vector<std::string> names_;
  std::size_t edges_ = 0;
};

}  // namespace

const TemplateFiles::Entry* TemplateFiles::get(const std::string& path) {
  if (!read_) return nullptr;
  const auto [found, fresh] = entries_.try_emplace(path);
  Entry& entry = found->second;
  if (fresh) {
    auto text = read_(path);
    if (text) entry.text = std::move(*text);
    else entry.error = text.error().message.empty() ? "unknown error" : printable(text.error().message);
    entry.source = std::make_unique<SourceText>(entry.text);
  }
  return &entry;
}

const Result<std::string>* LocalFiles::get(const std::string& path) {
  if (!digest_) return nullptr;
  const auto found = entries_.find(path);
  return found != entries_.end() ? &found->second : &entries_.emplace(path, digest_(path)).first->second;
}

void resolve(std::vector<NodeDraft>& drafts, const ResolveContext& context) { Resolver(drafts, context).run(); }

}  // namespace banyan::specs
