#include "orchestrator/cli/cli.h"

#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <regex>
#include <string_view>

#include "orchestrator/cli/exit_codes.h"
#include "orchestrator/cli/verbs.h"
#include "runtime/base/quantity.h"
#include "specs/diagnostic.h"

namespace banyan::cli {
namespace {

std::atomic<bool> interrupt_seen{false};

constexpr const char* shared_flags = "Flags of every verb";

void print_exit_codes() {
  for (const auto& row : exit_rows)
    std::cout << (row.code < 10 ? "  " : row.code < 100 ? " " : "") << row.code << "  " << row.meaning << "\n";
  std::cout << "\n`up` ends as its revision (`banyan history`):";
  for (const auto& end : revision_ends) std::cout << " " << end.state << " " << end.code;
  std::cout << "\n";
}

/// Which -o a verb knows. The first is what it prints without.
struct Forms {
  std::string_view verb;
  std::vector<std::string> known;
};

const std::vector<Forms>& all_forms() {
  static const std::vector<Forms> forms{
      {"validate", {"text", "json"}},
      {"plan", {"table", "json"}},
      {"up", {"text", "json"}},
      {"status", {"table", "wide", "json", "jsonl", "name", "tree"}},
      {"why", {"text", "json"}},
      {"events", {"text", "json", "jsonl"}},
      {"history", {"table", "json", "jsonl"}},
      {"logs", {"text", "jsonl"}},
      {"endpoints", {"table", "json"}},
      {"graph", {"tree", "json", "dot", "mermaid"}},
      {"version", {"text", "json"}},
  };
  return forms;
}

std::vector<std::string> forms_of(std::string_view verb) {
  const auto found = std::ranges::find(all_forms(), verb, &Forms::verb);
  return found == all_forms().end() ? std::vector<std::string>{"text"} : found->known;
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// A form that the verb does not have is refused by name, never ignored.
int settle_form(Options& options, std::string_view verb) {
  const auto known = forms_of(verb);
  if (options.output.empty() || options.output == "table" || options.output == "text") options.output = known.front();
  if (std::ranges::find(known, options.output) != known.end()) return exit_ok;
  return complain("`" + std::string(verb) + "` has no -o " + options.output + "; it has " + listed(known), exit_usage);
}

void add_options(CLI::App& app, Options& options, std::vector<std::string>& vars, std::string& timeout) {
  app.option_defaults()->group(shared_flags);
  app.add_option("-f,--file", options.file, "stack file; - is stdin (default: stack.yaml here or above)");
  app.add_option("-p,--stack", options.stack, "stack name (default: the file's, or the only one running)");
  app.add_option("--profile", options.profile, "profile of the stack file");
  app.add_option("--var", vars, "k=v: set a variable of the stack file; a comma belongs to v: repeat --var for more")
      ->allow_extra_args(false);
  app.add_option("-o,--output", options.output, "how to print; each verb's help names what it has");
  app.add_option("--progress", options.progress, "how up and down show progress")
      ->check(CLI::IsMember({"auto", "tty", "plain", "json", "quiet"}));
  app.add_option("--color", options.color, "auto, always or never; NO_COLOR is honoured")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  app.add_flag_callback("--no-color", [&options] { options.color = "never"; }, "same as --color never");
  app.add_option("--address", options.address, "the root's address (default: $BANYAN_ADDRESS, else this machine's)");
  app.add_option("--timeout", timeout, "give up watching after this: 90s, 5m, 1m30s");
  app.add_flag("-y,--yes", options.yes, "do not ask");
  app.add_flag("-q,--quiet", options.quiet, "say only what was asked for");
  app.add_flag("--dry-run", options.dry_run, "say what would be done, do nothing");
  app.option_defaults()->group("Options");
}

/// What stands below every verb's own help: -o as it knows it, and the flags that all share.
std::string footer_of(CLI::App& app, const std::string& verb) {
  const auto shared = app.get_options([](const CLI::Option* option) { return option->get_group() == shared_flags; });
  const auto formatter = std::dynamic_pointer_cast<CLI::Formatter>(app.get_formatter());
  std::string text = "Output: -o " + listed(forms_of(verb));
  if (formatter) text += "\n" + formatter->make_group(shared_flags, false, {shared.begin(), shared.end()});
  return text;
}

/// "a=1,b=2" sets a alone, which somebody who comes from another tool may not mean.
void note_comma(const std::string& pair) {
  static const std::regex second(",[A-Za-z][A-Za-z0-9_-]*=");
  if (std::regex_search(pair, second))
    std::cerr << "note: --var " << pair
              << " sets one variable, the comma is a part of its value; for two say --var twice\n";
}

bool settle(Options& options, const std::vector<std::string>& vars, const std::string& timeout) {
  for (const auto& pair : vars) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      complain("--var wants k=v, not \"" + pair + "\"", exit_usage);
      return false;
    }
    options.vars[pair.substr(0, equals)] = pair.substr(equals + 1);
    if (!options.quiet) note_comma(pair);
  }
  if (!timeout.empty() && !parse_duration(timeout, options.timeout)) {
    complain("--timeout wants a duration such as 90s or 5m, not \"" + timeout + "\"", exit_usage);
    return false;
  }
  return true;
}

/// What a verb's own flags and words fill in.
struct Words {
  std::string node, what;
  bool detach = false, volumes = false, now = false, scheduler = false, watch = false;
  bool detailed = false;
  root::EventsRequest events;
  root::LogsRequest logs;
  std::string since;
};

using Verb = std::function<int()>;

/// --since as the Unix time where it begins; 0: not given. Nothing: the user has been told what is wrong with it.
std::optional<std::int64_t> begin_of(const std::string& since) {
  Duration before{};
  if (since.empty()) return 0;
  if (!parse_duration(since, before)) {
    complain("--since wants a duration such as 90s or 5m, not \"" + since + "\"", exit_usage);
    return std::nullopt;
  }
  const auto from = std::chrono::system_clock::now().time_since_epoch() - before;
  return std::chrono::duration_cast<std::chrono::milliseconds>(from).count();
}

/// The verb `events` with its flags.
int events(const Options& options, Words& words) {
  const auto begin = begin_of(words.since);
  if (!begin) return exit_usage;
  words.events.set_since_ms(*begin);
  return cli::events(options, words.events);
}

/// The verb `logs` with its flags.
int logs(const Options& options, Words& words) {
  const auto begin = begin_of(words.since);
  if (!begin) return exit_usage;
  words.logs.set_since_ms(*begin);
  return cli::logs(options, words.node, words.logs);
}

void add_log_flags(CLI::App& verb, Words& words) {
  auto& logs = words.logs;
  logs.set_tail_lines(100);
  const auto flag = [&verb](const char* names, void (root::LogsRequest::*set)(bool), root::LogsRequest& request,
                            const char* help) {
    verb.add_flag_callback(names, [set, &request] { (request.*set)(true); }, help);
  };
  verb.add_option("NODE[/TASK]", words.node, "NODE/scheduler: of its scheduler; without one: of every server");
  flag("-f,--follow", &root::LogsRequest::set_follow, logs, "go on as it is written");
  verb.add_option_function<std::int64_t>(
      "-n,--tail", [&logs](std::int64_t lines) { logs.set_tail_lines(lines); },
      "lines from the end of each log, also out of rotated files; -1: all");
  flag("--scheduler", &root::LogsRequest::set_scheduler, logs, "of its scheduler instead");
  flag("--previous", &root::LogsRequest::set_previous, logs, "of the attempt before the present one");
  flag("--checks", &root::LogsRequest::set_checks, logs, "what its exec probe printed last");
  verb.add_option("--since", words.since, "only of the last so long, earlier attempts too: 90s, 5m, 2h");
}

CLI::App* find_verb(CLI::App& app, const std::string& name) {
  const auto found = app.get_subcommands([&name](const CLI::App* sub) { return sub->check_name(name); });
  return found.empty() ? nullptr : found.front();
}

/// The tree of verbs. LIFETIME: as long as `app`, whose callbacks point here.
class Verbs {
 public:
  Verbs(CLI::App& app, const Hooks& hooks, Options& options, Words& words, Verb& chosen)
      : app_(app), hooks_(hooks), options_(options), words_(words), chosen_(chosen) {
    add_changing();
    add_seeing();
    add_events();
    add_others();
  }
  Verbs(const Verbs&) = delete;
  Verbs& operator=(const Verbs&) = delete;

 private:
  CLI::App* verb(const char* name, const char* help, std::function<int()> run) {
    auto* sub = app_.add_subcommand(name, help)->fallthrough();
    sub->footer([this, name] { return footer_of(app_, name); });
    sub->callback([this, name, run = std::move(run)] {
      chosen_ = [this, name, run] {
        const int code = settle_form(options_, name);
        return code == exit_ok ? run() : code;
      };
    });
    return sub;
  }
  void takes_file(CLI::App* sub) { sub->add_option("FILE", options_.file, "stack file"); }

  void add_changing() {
    takes_file(verb("validate", "check a stack file: every mistake at once", [this] { return validate(options_); }));
    auto* plan_verb =
        verb("plan", "what would start, in which order, and why", [this] { return plan(options_, words_.detailed); });
    takes_file(plan_verb);
    plan_verb->add_flag("--detailed-exitcode", words_.detailed, "exit 10 when there are changes");
    auto* up_verb =
        verb("up", "bring a stack up and wait until it serves", [this] { return up(options_, words_.detach); });
    takes_file(up_verb);
    up_verb->add_flag("-d,--detach", words_.detach, "do not wait");
    up_verb->add_flag("--supersede", options_.supersede, "take the place of another `up` that is under way");
    auto* down_verb = verb("down", "take a stack down, in reverse order; its data stays",
                           [this] { return down(options_, words_.volumes, words_.now); });
    takes_file(down_verb);
    down_verb->add_flag("--volumes", words_.volumes, "delete its data too");
    down_verb->add_flag("--now", words_.now, "do not drain");
    auto* restart_verb = verb("restart", "restart a framework's servers, one at a time",
                              [this] { return restart(options_, words_.node, words_.scheduler); });
    restart_verb->add_option("NODE", words_.node)->required();
    restart_verb->add_flag("--scheduler", words_.scheduler, "its scheduler instead");
  }

  void add_seeing() {
    auto* status_verb =
        verb("status", "what runs where", [this] { return status(options_, words_.watch); })->alias("ps");
    status_verb->add_flag("-w,--watch", words_.watch, "keep showing it");
    verb("why", "why a framework is in the state it is in", [this] { return why(options_, words_.node); })
        ->add_option("NODE", words_.node)
        ->required();
    verb("history", "what each `up` asked for, and what came of it", [this] {
      return history(options_, words_.what);
    })->add_option("STACK", words_.what);
    add_log_flags(*verb("logs", "stdout and stderr of a framework's servers, or of all",
                        [this] { return logs(options_, words_); }),
                  words_);
    verb("endpoints", "addresses and names", [this] {
      return endpoints(options_, words_.node);
    })->add_option("NODE", words_.node);
    takes_file(verb("graph", "who depends on whom", [this] { return graph(options_); }));
  }

  void add_events() {
    auto* events_verb = verb("events", "what happened, and why", [this] { return events(options_, words_); });
    events_verb->add_flag_callback("-f,--follow", [this] { words_.events.set_follow(true); }, "go on as it happens");
    events_verb->add_option_function<std::uint64_t>(
        "--after", [this](std::uint64_t after) { words_.events.set_after(after); },
        "only events with a higher sequence number");
    events_verb->add_option_function<std::string>(
        "--node", [this](const std::string& node) { words_.events.set_node(node); }, "only of this framework");
    events_verb->add_option_function<std::string>(
        "--kind", [this](const std::string& kind) { words_.events.set_kind(kind); },
        "only kinds that begin so: server. or node.failed");
    events_verb->add_option("--since", words_.since, "only of the last so long: 90s, 5m, 2h");
  }

  void add_others() {
    verb("explain", "what an error code or a state means", [this] { return explain(words_.what); })
        ->add_option("CODE|STATE", words_.what)
        ->required();
    verb("version", "the version", [this] {
      if (options_.output == "json") std::cout << "{\"version\":\"" << hooks_.version << "\"}\n";
      else std::cout << "banyan " << hooks_.version << "\n";
      return static_cast<int>(exit_ok);
    });
    verb("help", "this, or `help exit-codes`", [this] {
      if (words_.what == "exit-codes") print_exit_codes();
      else if (auto* sub = words_.what.empty() ? nullptr : find_verb(app_, words_.what)) std::cout << sub->help();
      else std::cout << app_.help();
      return static_cast<int>(exit_ok);
    })->add_option("TOPIC", words_.what);
    // Listed here for help; run before parsing, since their flags are theirs.
    verb("dev", "run a master, an agent and a root on this machine", [] { return static_cast<int>(exit_usage); });
    verb("root", "run a root scheduler on a cluster", [] { return static_cast<int>(exit_usage); });
  }

  CLI::App& app_;
  const Hooks& hooks_;
  Options& options_;
  Words& words_;
  Verb& chosen_;
};

/// "unknown verb", with the nearest one.
int unknown_verb(const CLI::App& app, const std::string& word) {
  std::vector<std::string> verbs;
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; })) verbs.push_back(sub->get_name());
  const auto near = specs::nearest(word, verbs);
  return complain("unknown verb \"" + word + "\"" +
                      (near.empty() ? "; `banyan help` lists them" : "; did you mean \"" + near + "\"?"),
                  exit_usage);
}

/// What could not be written was not said: a full disk is no success.
int written(int code) {
  return std::cout.flush() || code != exit_ok ? code : complain("the output could not be written", exit_failed);
}

}  // namespace

Paint paint_for(const Options& options, int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  if (options.color == "always") return {true};
  if (options.color == "never" || (no_color != nullptr && *no_color != '\0')) return {false};
  return {::isatty(fd) != 0};
}

int complain(const std::string& message, int code) {
  std::cerr << "error: " << message << "\n";
  return code;
}

std::string unknown_node(const std::string& node, const std::vector<std::string>& known) {
  const auto near = specs::nearest(node, known);
  std::string text = "no framework \"" + node + "\" is running";
  if (!near.empty()) return text + "; did you mean \"" + near + "\"?";
  for (std::size_t i = 0; i < known.size(); ++i) text += (i == 0 ? "; there are " : ", ") + known[i];
  return text;
}

void catch_interrupt() {
  struct sigaction action{};
  action.sa_handler = [](int) { interrupt_seen = true; };
  ::sigaction(SIGINT, &action, nullptr);
}

bool interrupted() { return interrupt_seen; }

bool parse_duration(const std::string& text, Duration& out) {
  const bool plain = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  const auto duration = banyan::parse_duration(plain ? text + "s" : text);
  if (duration) out = *duration;
  return duration.has_value();
}

int run(int argc, char** argv, const Hooks& hooks) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "root") return hooks.root({argv + 2, argv + argc});
  if (first == "dev") return hooks.dev({argv + 2, argv + argc});

  Options options;
  Words words;
  std::vector<std::string> vars;
  std::string timeout;
  Verb chosen;
  CLI::App app{"Banyan brings up frameworks that bring up frameworks.", "banyan"};
  app.set_version_flag("--version", "banyan " + hooks.version);
  app.require_subcommand(0, 1);
  add_options(app, options, vars, timeout);
  const Verbs verbs(app, hooks, options, words, chosen);
  if (!first.empty() && first[0] != '-' && find_verb(app, first) == nullptr) return unknown_verb(app, first);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    return written(app.exit(failure) == 0 ? exit_ok : exit_usage);
  }
  if (!settle(options, vars, timeout)) return exit_usage;
  if (!chosen) {
    std::cout << app.help();
    return exit_usage;
  }
  return written(chosen());
}

}  // namespace banyan::cli
