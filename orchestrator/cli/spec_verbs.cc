// validate, plan, graph, explain: what a stack file means.
#include <algorithm>
#include <boost/json.hpp>
#include <iostream>
#include <optional>

#include "orchestrator/cli/bundle.h"
#include "orchestrator/cli/connect.h"
#include "orchestrator/cli/exit_codes.h"
#include "orchestrator/cli/json.h"
#include "orchestrator/cli/render.h"
#include "orchestrator/cli/verbs.h"
#include "orchestrator/core/states.h"
#include "specs/plan.h"

namespace banyan::cli {
namespace {

namespace json = boost::json;

/// The warnings, a line each: only `validate` shows them in their places.
std::string in_lines(const std::vector<specs::Diagnostic>& warnings) {
  std::string text;
  for (const auto& warning : warnings) text += specs::render_line(warning) + "\n";
  return text;
}

/// The bundle, or the exit code after its errors were printed.
Result<Read> read_or_complain(const Options& options, int& code, bool in_place = false) {
  auto read = read_bundle(options);
  code = exit_ok;
  if (!read) {
    code = complain(read.error().message, exit_usage);
  } else if (!read->loaded.stack) {
    code = tell_mistakes(options, *read);
  } else if (options.output != "json" && !options.quiet) {
    std::cerr << (in_place ? specs::render(read->loaded) : in_lines(read->loaded.diagnostics));  // warnings
  }
  return read;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

json::array planned_json(const root::UpReply& reply) {
  json::array planned;
  for (const auto& change : reply.planned())
    planned.push_back({{"node", change.node()},
                       {"server", change.server()},
                       {"effect", change.effect()},
                       {"why", change.why()},
                       {"remedy", change.remedy()}});
  return planned;
}

/// `reply`: the root's; absent: no cluster runs.
std::string plan_json(const specs::Stack& stack, const std::optional<root::UpReply>& reply) {
  json::array steps;
  for (const auto& step : specs::plan(stack)) {
    json::array after;
    for (const auto& word : step.after) after.emplace_back(json::string(word));
    steps.push_back({{"node", step.node},
                     {"level", step.level},
                     {"servers", step.servers},
                     {"after", after},
                     {"cause", step.cause}});
  }
  json::object out{{"name", stack.name}, {"steps", steps}, {"cluster", reply.has_value()}};
  out["conflict"] = reply ? reply->conflict() : "";
  out["planned"] = reply ? planned_json(*reply) : json::array();
  return json::serialize(out);
}

/// What `up` would do, by the judge of `up`; nothing if no cluster runs. An error: there is one, and it does not
/// answer.
Result<std::optional<root::UpReply>> dry_run(const Options& options, const root::Bundle& bundle) {
  if (!cluster_exists(options)) return std::optional<root::UpReply>();
  const auto connection = connect(options);
  if (!connection) return tl::unexpected(connection.error());
  root::UpRequest request;
  *request.mutable_bundle() = bundle;
  request.set_dry_run(true);
  grpc::ClientContext context;
  root::UpReply reply;
  if (const auto done = connection->root->Up(&context, request, &reply); !done.ok())
    return error("the root: " + done.error_message());
  return std::optional(std::move(reply));
}

bool changes_anything(const root::UpReply& reply) {
  return !reply.changes().empty() ||
         std::ranges::any_of(reply.planned(), [](const root::Change& change) { return change.effect() != "keep"; });
}

/// Below the order: what differs from what runs. `said`: warnings that were printed already.
void tell_plan(const std::optional<root::UpReply>& reply, const std::string& said) {
  if (!reply) {
    std::cout << "\nno cluster is running: `up` will start all of it\n";
    return;
  }
  for (const auto& error : reply->errors()) std::cerr << error << "\n";
  for (const auto& warning : reply->warnings())
    if (said.find(warning) == std::string::npos) std::cerr << warning << "\n";
  if (!reply->conflict().empty()) {
    complain(conflict_text(*reply), exit_conflict);
    return;
  }
  if (!reply->errors().empty()) return;
  std::cout << (changes_anything(*reply) ? "\n`up` will:\n" : "\nnothing to change\n");
  if (reply->planned().empty())
    for (const auto& change : reply->changes()) std::cout << "  " << change << "\n";
  else std::cout << render_planned(*reply);
}

/// Without a cluster everything is a change.
int plan_code(const std::optional<root::UpReply>& reply, bool detailed) {
  if (reply && !reply->errors().empty()) return exit_usage;
  if (reply && !reply->conflict().empty()) return exit_conflict;
  return detailed && (!reply || changes_anything(*reply)) ? exit_changes : exit_ok;
}

/// Words that are neither a node's state nor a code.
struct Word {
  std::string_view word, meaning;
};
constexpr Word other_words[] = {
    {"unknown", "Its root has started anew and has not heard of it yet: what is shown is a memory. It holds no edge."},
    {"unreadable", "Its record was written by a later version of Banyan. It is left alone; that version reads it."},
    {"unreachable", "Its agent is silent. It may run on; another is launched when the agent stays away."},
    {"open", "An `up` is under way, and is the stack's lock. It ends as done, failed, timed_out or superseded."},
};

std::string_view meaning_of(std::string_view word) {
  for (const auto& row : other_words)
    if (row.word == word) return row.meaning;
  const auto end = std::ranges::find(revision_ends, word, &RevisionEnd::state);
  return end == revision_ends.end() ? "" : end->meaning;
}

}  // namespace

int validate(const Options& options) {
  int code = exit_ok;
  const auto read = read_or_complain(options, code, true);
  if (code != exit_ok) return code;
  const auto& stack = *read->loaded.stack;
  std::size_t servers = 0;
  for (const auto& node : stack.nodes)
    for (const auto& server : node.servers) servers += server.instances;
  if (options.output == "json") std::cout << specs::render_json(read->loaded.diagnostics) << "\n";
  else if (!options.quiet)
    std::cout << read->bundle.file() << " is valid: stack " << stack.name << ", " << stack.nodes.size()
              << (stack.nodes.size() == 1 ? " framework, " : " frameworks, ") << servers
              << (servers == 1 ? " server\n" : " servers\n");
  return exit_ok;
}

int tell_mistakes(const Options& options, const Read& read) {
  if (options.output == "json") std::cout << specs::render_json(read.loaded.diagnostics) << "\n";
  else std::cerr << specs::render(read.loaded);
  return exit_usage;
}

int plan(const Options& options, bool detailed_exitcode) {
  int code = exit_ok;
  const auto read = read_or_complain(options, code);
  return code == exit_ok ? plan(options, *read, detailed_exitcode) : code;
}

int plan(const Options& options, const Read& read, bool detailed_exitcode) {
  const auto& stack = *read.loaded.stack;
  const auto reply = dry_run(options, read.bundle);
  if (options.output == "json" && reply) {
    std::cout << plan_json(stack, *reply) << "\n";
    return plan_code(*reply, detailed_exitcode);
  }
  const Paint paint = paint_for(options, 1);
  std::vector<std::vector<std::string>> rows{{paint(Tone::faint, "#"), paint(Tone::faint, "FRAMEWORK"),
                                              paint(Tone::faint, "SERVERS"), paint(Tone::faint, "STARTS AFTER"),
                                              paint(Tone::faint, "BECAUSE OF")}};
  std::size_t number = 0;
  for (const auto& step : specs::plan(stack))
    rows.push_back({std::to_string(++number), step.node, std::to_string(step.servers),
                    step.after.empty() ? "at once" : joined(step.after), step.cause});
  std::cout << "stack " << stack.name << "\n" << table(rows, {0, 2});
  if (!reply) return complain(reply.error().message, exit_unreachable);
  tell_plan(*reply, in_lines(read.loaded.diagnostics));
  return plan_code(*reply, detailed_exitcode);
}

int graph(const Options& options) {
  if (options.file.empty() && (!options.stack.empty() || !find_stack_file(options))) {  // the graph that runs
    root::Status status;
    if (const int code = get_status(options, status); code != exit_ok) return code;
    if (options.output == "dot" || options.output == "mermaid")
      return complain("of a running stack `graph` has tree and json; name its file for -o " + options.output,
                      exit_usage);
    if (options.output == "json") std::cout << status_json(status);
    else
      for (const auto& stack : status.stacks()) std::cout << render_graph(stack, paint_for(options, 1));
    return status.stacks().empty() ? complain("no stack is running, and there is no stack file here", exit_usage)
                                   : exit_ok;
  }
  int code = exit_ok;
  const auto read = read_or_complain(options, code);
  if (code != exit_ok) return code;
  const auto form = options.output == "dot"       ? specs::GraphForm::dot
                    : options.output == "mermaid" ? specs::GraphForm::mermaid
                    : options.output == "json"    ? specs::GraphForm::json
                                                  : specs::GraphForm::text;
  const std::string drawn = specs::draw(*read->loaded.stack, form);
  std::cout << drawn << (drawn.ends_with('\n') ? "" : "\n");
  return exit_ok;
}

int explain(const std::string& what) {
  if (const auto state = root::state_named(what)) {
    std::cout << what << ": " << root::row(*state).meaning << "\n  it may become:";
    for (const auto& next : root::states)
      if (root::may_move(*state, next.state)) std::cout << " " << next.name;
    std::cout << "\n";
    return exit_ok;
  }
  if (const auto meaning = meaning_of(what); !meaning.empty()) {
    std::cout << what << ": " << meaning << "\n";
    return exit_ok;
  }
  if (const auto* found = specs::explain(what)) {
    std::cout << found->code << ": " << found->title << "\n\n" << found->text << "\n";
    return exit_ok;
  }
  std::vector<std::string> known;
  for (const auto& row : root::states) known.emplace_back(row.name);
  for (const auto& row : other_words) known.emplace_back(row.word);
  for (const auto& explanation : specs::all_explanations()) known.emplace_back(explanation.code);
  const auto near = specs::nearest(what, known);
  return complain("there is no code or state \"" + what + "\"" +
                      (near.empty() ? "; codes look like E104, states like waiting" : "; did you mean " + near + "?"),
                  exit_usage);
}

}  // namespace banyan::cli
