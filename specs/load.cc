#include "specs/load.h"

#include <algorithm>
#include <set>

#include "specs/drafts.h"
#include "specs/graph.h"
#include "specs/merge.h"
#include "specs/reader.h"
#include "specs/resolve.h"
#include "specs/tree.h"
#include "specs/warnings.h"
#include "specs/yaml_mistakes.h"

namespace banyan::specs {

namespace {

constexpr std::size_t file_bytes_max = 16u << 20;
constexpr std::size_t nodes_max = 100'000;
constexpr std::size_t bad_characters_shown = 20;
/// Other profiles are checked too, as long as that is cheap.
constexpr std::size_t other_profiles_max = 16;
constexpr std::size_t other_profiles_bytes_max = 1 << 20;

/// The top level of a stack file.
struct Top {
  std::string name;
  const Value* vars = nullptr;
  const Value* profiles = nullptr;
  Value* frameworks = nullptr;
};

constexpr std::array<Field<Top>, 12> top_fields = {{
    {"name",
     [](Reader& r, const Value& v, Top& top) {
       if (!v.is_scalar()) return r.wrong_type(v, "name", "a text");
       if (r.name(v, "a stack", is_label, label_rule)) top.name = v.text;
     }},
    {"version",
     [](Reader& r, const Value& v, Top&) {
       if (!v.is_scalar() || v.text != "1")
         r.report().add("E207", v.where(), "unknown version " + describe(v) + " of the stack language",
                        "the only one is \"1\"; it is not the version of your product");
     }},
    {"vars", [](Reader&, const Value& v, Top& top) { top.vars = &v; }},
    {"profiles",
     [](Reader& r, const Value& v, Top& top) {
       if (r.is_map(v, "profiles")) top.profiles = &v;
     }},
    {"frameworks", [](Reader&, const Value&, Top&) {}},
    {"include", nullptr},
    {"services", nullptr},
    {"secrets", nullptr},
    {"volumes", nullptr},
    {"networks", nullptr},
    {"budgets", nullptr},
    {"drills", nullptr},
}};

constexpr std::array<std::string_view, 4> reserved_stacks = {"banyan", "root", "master", "localhost"};
/// Heads of template expressions, now or later, and what the cluster itself is called.
constexpr std::array<std::string_view, 15> reserved_nodes = {"banyan", "root",  "master",  "agent",    "localhost",
                                                             "vars",   "ports", "volumes", "instance", "peers",
                                                             "join",   "env",   "secrets", "stack",    "node"};

template <std::size_t N>
bool reserved(const std::array<std::string_view, N>& words, const Value& key, std::string_view what, Report& report) {
  if (std::ranges::find(words, std::string_view(key.text)) == words.end()) return false;
  std::vector<std::string> all(words.begin(), words.end());
  report.add("E215", key.where(), quoted(key.text) + " is reserved and cannot be the name of " + std::string(what),
             "reserved are " + one_of(all));
  return true;
}

/// Text as the parser wants it: no byte order mark, lone carriage returns as line ends. Same lines and columns.
std::string normalised(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::string out(text);
  for (std::size_t i = 0; i < out.size(); ++i)
    if (out[i] == '\r' && (i + 1 == out.size() || out[i + 1] != '\n')) out[i] = '\n';
  return out;
}

/// Everything that must hold before a parser sees the text.
bool check_text(std::string_view raw, const SourceText& source, Report& report) {
  const Where start{{1, 1}, 1, {}};
  if (raw.starts_with("\xFF\xFE") || raw.starts_with("\xFE\xFF") ||
      raw.starts_with(std::string_view("\0\0\xFE\xFF", 4))) {
    report.add("E002", start, "the file is UTF-16 or UTF-32",
               "only UTF-8 is supported; convert it, for instance with iconv");
    return false;
  }
  for (const auto& bad : bad_characters(source.text(), bad_characters_shown)) {
    const Where where{source.position(bad.offset), 1, {}};
    if (bad.encoding)
      report.add("E002", where, "the byte " + bad.what + " is not UTF-8", "convert the file, for instance with iconv");
    else
      report.add("E003", where, "the character " + bad.what + " is not allowed",
                 "remove it, or write it as an escape: \"\\x…\"");
  }
  for (std::uint32_t n = 1; n <= source.line_count(); ++n) {
    const auto line = source.line(n);
    if (line.starts_with("%") && !line.starts_with("%YAML 1.2"))
      report.add("E007", {{n, 1}, static_cast<std::uint32_t>(line.size()), {}}, "YAML directives are not supported",
                 "remove the line; files are read as YAML 1.2");
    if (!line.empty() && line[0] != '#' && line[0] != '%') break;
  }
  return report.empty();
}

/// A profile: what it changes. The merge shares these values with the stack.
struct Profile {
  Value* vars = nullptr;
  Value* frameworks = nullptr;
};

// Readers see const values; those of a profile go back to being what parse_yaml() made, for the merge.
constexpr std::array<Field<Profile>, 2> profile_fields = {{
    {"vars", [](Reader&, const Value& v, Profile& p) { p.vars = const_cast<Value*>(&v); }},
    {"frameworks", [](Reader&, const Value& v, Profile& p) { p.frameworks = const_cast<Value*>(&v); }},
}};

class Loader {
 public:
  explicit Loader(const Source& source)
      : input_(source),
        text_(normalised(source.text)),
        source_(text_),
        files_(source.read_file),
        local_(source.digest_file, source.is_program),
        report_(source.file) {}

  Loaded run() {
    std::optional<Stack> stack = read();
    Loaded out;
    if (report_.empty()) out.stack = std::move(stack);
    out.name = top_.name;
    out.diagnostics = std::move(report_).take();
    for (const auto& d : out.diagnostics) {
      const auto file = files_.all().find(d.file);
      if (d.file != input_.file && file != files_.all().end()) out.texts[d.file] = file->second.text;
    }
    out.texts[input_.file] = std::move(text_);
    return out;
  }

 private:
  std::optional<Stack> read() {
    if (input_.text.size() > file_bytes_max) {
      report_.add("E001", {{1, 1}, 1, {}}, "the file has " + std::to_string(input_.text.size()) + " bytes",
                  "a stack file may have 16 MiB; large texts belong into files of their own");
      text_.clear();
      return std::nullopt;
    }
    if (!check_text(input_.text, source_, report_)) return std::nullopt;
    tree_ = parse_yaml(source_, report_);
    if (tree_.root == nullptr || tree_.root->is_null()) {
      if (report_.empty())
        report_.add("E009", {{1, 1}, 1, {}}, "the file is empty", "begin with name: and frameworks:");
      return std::nullopt;
    }
    if (!tree_.root->is_map()) {
      if (report_other_format(source_, report_)) return std::nullopt;
      report_.add("E203", tree_.root->where(), "a stack file is a mapping, not " + describe(*tree_.root),
                  "begin with name: and frameworks:");
      return std::nullopt;
    }
    if (report_compose_file(*tree_.root, report_)) return std::nullopt;
    read_top();
    check_profiles();
    auto stack = build(profile_named(input_.profile), report_);
    check_other_profiles();
    return stack;
  }

  void read_top() {
    const Variables none;
    Reader reader(source_, none, report_);
    reader.fields(*tree_.root, "the stack", Fields<Top>(top_fields), top_);
    top_.frameworks = tree_.root->find("frameworks");
    const auto* name = tree_.root->find("name");
    if (name == nullptr && !Reader::meant(*tree_.root, "name"))
      report_.add("E202", {{1, 1}, 1, {}}, "the stack lacks its name", "write name: NAME");
    else if (name != nullptr && name->is_scalar()) reserved(reserved_stacks, *name, "a stack", report_);
    if (top_.frameworks == nullptr && Reader::meant(*tree_.root, "frameworks")) return;
    if (top_.frameworks == nullptr)
      report_.add("E202", {{1, 1}, 1, {}}, "the stack lacks its frameworks", "write frameworks: { NAME: { … } }");
    else if (top_.frameworks->is_map() && top_.frameworks->keys.empty() && !top_.frameworks->faulty)
      report_.add("E202", top_.frameworks->where(), "frameworks is empty", "declare at least one");
    else if (top_.frameworks->is_map()) check_names();
    else reader.is_map(*top_.frameworks, "frameworks");
  }

  void check_names() {
    const Variables none;
    Reader reader(source_, none, report_);
    for (const auto* key : top_.frameworks->keys) {
      if (!reserved(reserved_nodes, *key, "a framework", report_))
        reader.name(*key, "a framework", is_label, label_rule);
      framework_names_.insert(key->text);  // a bad name is still known to those that refer to it
    }
    if (framework_names_.size() > nodes_max)
      report_.add("E107", top_.frameworks->where(), "more than " + std::to_string(nodes_max) + " frameworks");
  }

  /// Names in every profile, selected or not.
  void check_profiles() {
    const Variables none;
    Reader reader(source_, none, report_);
    std::vector<std::string> names;
    for (std::size_t i = 0; top_.profiles != nullptr && i < top_.profiles->keys.size(); ++i) {
      const Value& key = *top_.profiles->keys[i];
      if (!reader.name(key, "a profile", is_word, word_rule)) continue;
      names.push_back(key.text);
      Profile profile;
      if (!reader.fields(*top_.profiles->items[i], "profile " + quoted(key.text), Fields<Profile>(profile_fields),
                         profile))
        continue;
      if (profile.frameworks != nullptr && reader.is_map(*profile.frameworks, "frameworks of the profile"))
        check_profile_frameworks(*profile.frameworks);
      else profile.frameworks = nullptr;
      profiles_[key.text] = profile;
    }
    if (input_.profile.empty() || std::ranges::find(names, input_.profile) != names.end()) return;
    auto hint = report_.did_you_mean(input_.profile, names);
    if (hint.empty()) hint = names.empty() ? "the stack declares no profiles" : "declared are " + one_of(names);
    const auto where = top_.profiles != nullptr ? top_.profiles->where() : Where{{1, 1}, 1, {}};
    report_.add("E304", where, "unknown profile " + quoted(input_.profile), std::move(hint));
  }

  void check_profile_frameworks(const Value& frameworks) {
    const std::vector<std::string> known(framework_names_.begin(), framework_names_.end());
    for (const auto* key : frameworks.keys)
      if (!framework_names_.contains(key->text))
        report_.add("E101", key->where(), "unknown framework " + quoted(key->text) + " in a profile",
                    report_.did_you_mean(key->text, known));
  }

  const Profile* profile_named(const std::string& name) const {
    const auto found = profiles_.find(name);
    return found == profiles_.end() ? nullptr : &found->second;
  }

  std::optional<Stack> build(const Profile* profile, Report& report) {
    const auto vars =
        read_vars({top_.vars, profile != nullptr ? profile->vars : nullptr, &input_.vars}, source_, report);
    if (top_.frameworks == nullptr || !top_.frameworks->is_map() || framework_names_.size() > nodes_max)
      return std::nullopt;
    Value* frameworks = top_.frameworks;
    if (profile != nullptr && profile->frameworks != nullptr)
      frameworks = merged(tree_, *frameworks, *profile->frameworks);
    Reader reader(source_, vars, report);
    std::vector<NodeDraft> drafts;
    for (std::size_t i = 0; i < frameworks->keys.size(); ++i) {
      const Value& key = *frameworks->keys[i];
      if (!framework_names_.contains(key.text)) continue;
      drafts.push_back(read_node(reader, key, *frameworks->items[i]));
    }
    resolve(drafts, {source_, vars, files_, local_, report});
    warn(drafts, report);
    return finish(std::move(drafts), report);
  }

  Stack finish(std::vector<NodeDraft> drafts, Report& report) {
    Stack stack;
    stack.name = top_.name;
    stack.file = input_.file;
    std::vector<Node> nodes;
    std::set<std::string> sources;
    for (auto& draft : drafts) {
      for (auto& server : draft.servers) {
        for (const auto& file : server.server.files)
          if (file.source) sources.insert(*file.source);
        draft.node.servers.push_back(std::move(server.server));
      }
      nodes.push_back(std::move(draft.node));
    }
    const auto graph = graph_of(nodes);
    const auto order = topological_order(graph);
    if (order.size() < nodes.size())
      for (const auto& cycle : cycles(graph)) report_cycle(nodes, cycle, report);
    for (const auto number : order) stack.nodes.push_back(std::move(nodes[number]));
    stack.files.assign(sources.begin(), sources.end());
    return stack;
  }

  static void report_cycle(const std::vector<Node>& nodes, const std::vector<std::uint32_t>& cycle, Report& report) {
    constexpr std::size_t shown = 20;
    std::string path;
    std::vector<std::pair<const Node*, const Edge*>> edges;
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      const Node& from = nodes[cycle[i]];
      const Node& to = nodes[cycle[(i + 1) % cycle.size()]];
      edges.emplace_back(&from, &*std::ranges::find(from.edges, to.name, &Edge::on));
      path += from.name + " -> ";
    }
    path += nodes[cycle.front()].name;
    const auto place = [](const Edge& e) {
      const auto width = e.implied ? e.origin.size() : e.on.size();
      return Where{e.at, static_cast<std::uint32_t>(width), e.file};
    };
    const bool implied = std::ranges::any_of(edges, [](const auto& e) { return e.second->implied; });
    auto& d = report.add("E104", place(*edges.front().second), "dependency cycle",
                         implied ? "remove one edge; a reference ${…} is an edge too"
                                 : "remove one edge: no framework of the cycle could ever start");
    d.label = path;
    for (std::size_t i = 0; i < std::min(edges.size(), shown); ++i) {
      const auto& [from, edge] = edges[i];
      const auto arrow = "edge " + from->name + " -> " + edge->on;
      d.related.push_back(
          {edge->at, arrow + (edge->implied ? " implied by " + edge->origin : " declared"), edge->file});
    }
    if (edges.size() > shown)
      d.related.push_back(
          {edges.back().second->at, "and " + std::to_string(edges.size() - shown) + " more edges, the last", {}});
  }

  /// A mistake in a profile should not wait for the day the profile is needed.
  void check_other_profiles() {
    if (profiles_.size() > other_profiles_max || text_.size() > other_profiles_bytes_max) return;
    for (const auto& [name, profile] : profiles_) {
      if (name == input_.profile) continue;
      Report other(input_.file);
      build(&profile, other);
      report_.merge(std::move(other), " (with profile " + quoted(name) + ")");
    }
  }

  const Source& input_;
  std::string text_;
  SourceText source_;
  TemplateFiles files_;
  LocalFiles local_;
  Report report_;
  Tree tree_;
  Top top_;
  std::set<std::string> framework_names_;
  std::map<std::string, Profile> profiles_;
};

}  // namespace

Loaded load(const Source& source) { return Loader(source).run(); }

}  // namespace banyan::specs
