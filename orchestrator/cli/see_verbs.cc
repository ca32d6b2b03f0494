// status, why, events, history, logs, endpoints: what runs where, and what waits for what.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <set>

#include "orchestrator/cli/connect.h"
#include "orchestrator/cli/exit_codes.h"
#include "orchestrator/cli/json.h"
#include "orchestrator/cli/received.h"
#include "orchestrator/cli/render.h"
#include "orchestrator/cli/screen.h"
#include "orchestrator/cli/timeline.h"
#include "orchestrator/cli/verbs.h"
#include "orchestrator/cli/watch.h"

namespace banyan::cli {
namespace {

std::vector<std::string> node_names(const root::Status& status) {
  std::vector<std::string> names;
  for (const auto& stack : status.stacks())
    for (const auto& node : stack.nodes()) names.push_back(node.name());
  return names;
}

std::int64_t unix_ms() { return milliseconds(std::chrono::system_clock::now().time_since_epoch()); }

std::string status_text(const Options& options, const root::Status& status, const Paint& paint) {
  if (options.output == "json" || options.output == "jsonl") return status_json(status);
  if (options.output == "name") {
    std::string text;
    for (const auto& name : node_names(status)) text += name + "\n";
    return text;
  }
  if (options.output == "tree") {
    std::string text;
    for (const auto& stack : status.stacks()) text += render_graph(stack, paint);
    return text;
  }
  return render_status(status, paint, options.output == "wide");
}

/// Nothing more is wanted of a stream whose words cannot be written; run() says that they could not.
template <class Reader>
int end_stream(grpc::ClientContext& context, Reader& reader, int code) {
  if (!std::cout) context.TryCancel();
  const auto done = reader.Finish();
  return done.ok() || !std::cout ? code : complain("the root: " + done.error_message(), exit_unreachable);
}

std::vector<std::string> lines_of(const std::string& text, std::size_t columns, std::size_t rows) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    lines.push_back(fit(text.substr(at, end - at), columns));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  if (rows > 2 && lines.size() > rows - 1) {
    lines.resize(rows - 2);
    lines.emplace_back("…");
  }
  return lines;
}

/// Where it hurts: nodes not at their goal, with the reason.
std::string attention(const root::Status& status, const Paint& paint) {
  std::string text;
  for (const auto& stack : status.stacks())
    for (const auto& node : stack.nodes())
      if (node.state() != "serving" && node.state() != "completed") text += render_why(stack, node, {}, paint);
  return text.empty() ? "" : "\n" + text;
}

int watch_status(const Options& options) {
  const auto target = find_target(options);
  if (!target) return complain(target.error().message, exit_usage);
  const auto connection = connect(options);
  if (!connection) return complain(connection.error().message, exit_unreachable);
  catch_interrupt();
  const Paint paint = paint_for(options, 1);
  const bool terminal = ::isatty(1) != 0 && options.output != "json" && options.output != "jsonl";
  Screen screen(1);
  Watch watch(*connection->root, target->stack);
  std::optional<root::Status> last;
  for (;;) {
    auto status = watch.next(std::chrono::milliseconds(terminal ? 1000 : 200));
    if (interrupted()) return exit_interrupted;
    if (lost(options, watch)) return complain("the cluster is gone", exit_unreachable);
    if (!std::cout) return exit_ok;  // run() says so
    const bool news = status.has_value();
    if (news) last = std::move(status);
    if (!last) continue;
    if (!terminal) {
      if (news) std::cout << status_text(options, *last, paint) << std::flush;
      continue;
    }
    screen.draw(
        lines_of(status_text(options, *last, paint) + attention(*last, paint), screen.columns(), screen.rows()));
    for (auto& stack : *last->mutable_stacks())
      if (!news)
        for (auto& node : *stack.mutable_nodes()) node.set_since_ms(node.since_ms() + 1000);
  }
}

/// Where a server was named and a framework is wanted; "" where no server is called so.
std::string server_hint(const root::Status& status, const std::string& name) {
  for (const auto& stack : status.stacks())
    for (const auto& node : stack.nodes())
      for (const auto& task : node.tasks())
        if (name == task.name() || name == node.name() + "/" + task.name())
          return "\"" + name + "\" is a server of framework " + node.name() + ": `banyan logs " + node.name() + "/" +
                 task.name() + "` reads its log, `banyan restart " + node.name() +
                 "` restarts that framework's servers one at a time";
  return "";
}

/// How many lines of a check's output `why` shows, and of how many servers.
constexpr std::size_t check_lines_shown = 3;
constexpr int checks_shown = 5;

std::string last_lines(const std::string& text, std::size_t count) {
  auto begin = text.find_last_not_of('\n');
  const auto end = begin == std::string::npos ? 0 : begin + 1;
  while (begin != std::string::npos && count > 0) {
    begin = begin == 0 ? std::string::npos : text.rfind('\n', begin - 1);
    --count;
  }
  return text.substr(begin == std::string::npos ? 0 : begin + 1, end - (begin == std::string::npos ? 0 : begin + 1));
}

/// What the exec probes of servers that run and are not ready printed last, by task id.
CheckOutputs failing_checks(root::Root::Stub& stub, const std::string& stack, const root::NodeStatus& node) {
  CheckOutputs outputs;
  int asked = 0;
  for (const auto& task : node.tasks()) {
    if (task.pid() == 0 || task.state() == "serving" || node.goal() == "completed" || ++asked > checks_shown) continue;
    root::LogsRequest request;
    request.set_stack(stack);
    request.set_node(node.name());
    request.set_task(task.id());
    request.set_checks(true);
    grpc::ClientContext context;
    const auto reader = stub.Logs(&context, request);
    std::string text;
    for (root::LogChunk chunk; reader->Read(&chunk);) text += chunk.data();
    if (reader->Finish().ok() && !text.empty()) outputs[task.id()] = last_lines(text, check_lines_shown);
  }
  return outputs;
}

}  // namespace

std::string stack_names(const root::Status& status) {
  std::string names;
  for (const auto& stack : status.stacks()) names += (names.empty() ? "" : ", ") + stack.name();
  return names;
}

std::string not_running(const Target& target, const root::Status& status) {
  return "no stack \"" + target.stack + "\" is running" + (target.by == "-p" ? "" : " (" + target.by + " names it)") +
         (status.stacks().empty() ? "" : "; running: " + stack_names(status) + " (-p names one)");
}

int get_status(const Options& options, root::Status& status) {
  const auto target = find_target(options);
  if (!target) return complain(target.error().message, exit_usage);
  const auto connection = connect(options);
  if (!connection) return complain(connection.error().message, exit_unreachable);
  grpc::ClientContext context;
  if (const auto done = connection->root->GetStatus(&context, {}, &status); !done.ok())
    return complain("the root: " + done.error_message(), exit_unreachable);
  say_unknown(status);
  if (target->stack.empty()) return exit_ok;
  std::optional<root::StackStatus> wanted;
  for (const auto& stack : status.stacks())
    if (stack.name() == target->stack) wanted = stack;
  if (!wanted) return complain(not_running(*target, status), exit_failed);
  status.clear_stacks();
  *status.add_stacks() = std::move(*wanted);
  return exit_ok;
}

Result<std::pair<std::string, root::NodeStatus>> find_node(const root::Status& status, const std::string& name) {
  std::vector<std::pair<std::string, root::NodeStatus>> found;
  std::string stacks;
  for (const auto& stack : status.stacks())
    for (const auto& node : stack.nodes()) {
      if (node.name() != name) continue;
      found.emplace_back(stack.name(), node);
      stacks += (stacks.empty() ? "" : ", ") + stack.name();
    }
  if (found.size() == 1) return std::move(found.front());
  if (auto hint = server_hint(status, name); found.empty() && !hint.empty()) return error(std::move(hint));
  if (found.empty()) return error(unknown_node(name, node_names(status)));
  return error("several stacks have a framework \"" + name + "\": " + stacks + "; name one with -p");
}

int status(const Options& options, bool watch) {
  if (watch) return watch_status(options);
  root::Status answer;
  if (const int code = get_status(options, answer); code != exit_ok) return code;
  std::cout << status_text(options, answer, paint_for(options, 1));
  return exit_ok;
}

int why(const Options& options, const std::string& wanted) {
  root::Status answer;
  if (const int code = get_status(options, answer); code != exit_ok) return code;
  const auto found = find_node(answer, wanted);
  if (!found) return complain(found.error().message, exit_usage);
  const auto& stack = *std::ranges::find(answer.stacks(), found->first, &root::StackStatus::name);
  if (options.output != "json") {
    CheckOutputs checks;
    if (const auto connection = connect(options)) {
      checks = failing_checks(*connection->root, stack.name(), found->second);
      if (const auto chain = causes(stack, found->second); !chain.empty())
        checks.merge(failing_checks(*connection->root, stack.name(), *chain.back()));
    }
    std::cout << render_why(stack, found->second, checks, paint_for(options, 1));
    return exit_ok;
  }
  root::Status one;  // the node, then its causes
  one.set_connected(answer.connected());
  *one.mutable_cluster() = answer.cluster();
  auto& head = *one.add_stacks();
  head.set_name(stack.name());
  head.set_state(stack.state());
  *head.mutable_revision() = stack.revision();
  *head.add_nodes() = found->second;
  for (const auto* cause : causes(stack, found->second)) *head.add_nodes() = *cause;
  std::cout << status_json(one);
  return exit_ok;
}

namespace {

/// Prints events as they come, each form in its own way.
class EventPrinter {
 public:
  explicit EventPrinter(const Options& options) : form_(options.output), paint_(paint_for(options, 1)) {
    if (form_ == "json") std::cout << "[";
  }
  void print(const root::Event& event) {
    if (event.kind() == "stack.accepted" || !zero_) zero_ = event.mono_ms();
    if (form_ == "json") std::cout << (first_ ? "" : ",") << event_json(event);
    else if (form_ == "jsonl") std::cout << event_json(event) << "\n";
    else std::cout << render_event(event, *zero_, unix_ms(), paint_) << "\n";
    first_ = false;
  }
  void end() const {
    if (form_ == "json") std::cout << "]\n";
  }

 private:
  std::string form_;
  Paint paint_;
  std::optional<std::uint64_t> zero_;
  bool first_ = true;
};

}  // namespace

int events(const Options& options, root::EventsRequest request) {
  const auto target = find_target(options);
  if (!target) return complain(target.error().message, exit_usage);
  auto connection = connect(options);
  if (!connection) return complain(connection.error().message, exit_unreachable);
  request.set_stack(target->stack);
  EventPrinter printer(options);
  for (;;) {
    grpc::ClientContext context;
    const auto reader = connection->root->Events(&context, request);
    for (root::Event event; std::cout && reader->Read(&event);) {
      printer.print(event);
      request.set_after(event.seq());
      if (request.follow()) std::cout << std::flush;
    }
    if (!request.follow() || !std::cout) {
      printer.end();
      return end_stream(context, *reader, exit_ok);
    }
    // A follower outlives the root: the next one goes on where this one ended.
    reader->Finish();
    if (!options.quiet) std::cerr << "the root is gone; waiting for the next\n";
    connection = connect(options);
    if (!connection) return complain(connection.error().message, exit_unreachable);
  }
}

int history(const Options& options, const std::string& named) {
  const auto target = named.empty() ? find_target(options) : Result<Target>(Target{named, "the command line"});
  if (!target) return complain(target.error().message, exit_usage);
  const auto connection = connect(options);
  if (!connection) return complain(connection.error().message, exit_unreachable);
  root::StatusRequest request;
  request.set_stack(target->stack);
  root::Status status;
  grpc::ClientContext asking, context;
  if (const auto done = connection->root->GetStatus(&asking, {}, &status); !done.ok())
    return complain("the root: " + done.error_message(), exit_unreachable);
  if (request.stack().empty() && status.stacks_size() != 1)
    return complain(status.stacks().empty() ? "no stack is running; name one: banyan history STACK"
                                            : "several stacks run (" + stack_names(status) + "); name one with -p",
                    exit_usage);
  if (request.stack().empty()) request.set_stack(status.stacks(0).name());
  root::History history;
  if (const auto done = connection->root->GetHistory(&context, request, &history); !done.ok())
    return complain("the root: " + done.error_message(), exit_unreachable);
  if (history.revisions().empty())
    return complain("nobody has brought up a stack \"" + request.stack() + "\" here", exit_failed);
  const auto running = std::ranges::find(status.stacks(), request.stack(), &root::StackStatus::name);
  if (running != status.stacks().end())  // it knows what is under way
    for (auto& revision : *history.mutable_revisions())
      if (revision.number() == running->revision().number()) revision.set_step(running->revision().step());
  if (options.output == "json") std::cout << history_json(request.stack(), history) << "\n";
  else if (options.output == "jsonl")
    for (const auto& revision : history.revisions()) std::cout << revision_json(revision) << "\n";
  else std::cout << render_history(history, unix_ms(), paint_for(options, 1));
  return exit_ok;
}

/// The stack whose logs are wanted; an error is for the user.
Result<std::string> stack_of_logs(const root::Status& known, const root::LogsRequest& wanted) {
  if (!wanted.node().empty()) {
    const auto found = find_node(known, wanted.node());
    if (!found) return tl::unexpected(found.error());
    const auto& tasks = found->second.tasks();
    const bool there = std::ranges::any_of(
        tasks, [&](const auto& task) { return task.name() == wanted.task() || task.id() == wanted.task(); });
    if (wanted.task().empty() || there || wanted.follow()) return found->first;
    std::string names;
    for (const auto& task : tasks) names += (names.empty() ? "; it has " : ", ") + task.name();
    return error("framework \"" + wanted.node() + "\" has no server \"" + wanted.task() + "\"" + names);
  }
  if (known.stacks().empty()) return error("no stack is running");
  if (known.stacks_size() > 1) return error("several stacks run; name one with -p, or a NODE");
  return known.stacks(0).name();
}

int logs(const Options& options, const std::string& target, root::LogsRequest request) {
  const auto slash = target.find('/');
  request.set_node(target.substr(0, slash));
  if (slash != std::string::npos) request.set_task(target.substr(slash + 1));
  if (request.task() == "scheduler") request.clear_task(), request.set_scheduler(true);
  request.set_stderr_too(true);
  root::Status known;
  if (const int code = get_status(options, known); code != exit_ok) return code;
  const auto stack = stack_of_logs(known, request);
  if (!stack) return complain(stack.error().message, exit_usage);
  request.set_stack(*stack);
  const auto connection = connect(options);
  if (!connection) return complain(connection.error().message, exit_unreachable);
  grpc::ClientContext context;
  const auto reader = connection->root->Logs(&context, request);
  const Paint paint = paint_for(options, 1);
  std::map<std::string, std::string> unfinished;  // per source, a line whose end has not come
  int code = exit_ok;
  const auto print = [&](const std::string& source, const std::string& line) {
    if (options.output == "jsonl") std::cout << log_json(source, line) << "\n";
    else std::cout << paint(Tone::busy, source) << " | " << line << "\n";
  };
  for (root::LogChunk chunk; std::cout && reader->Read(&chunk);) {
    if (!chunk.error().empty()) code = complain(chunk.error(), exit_failed);
    std::string& text = unfinished[chunk.source()];
    text += chunk.data();
    std::size_t at = 0;
    for (std::size_t end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
      print(chunk.source(), text.substr(at, end - at));
    text.erase(0, at);
    std::cout << std::flush;
  }
  for (const auto& [source, text] : unfinished)
    if (!text.empty()) print(source, text);
  return end_stream(context, *reader, code);
}

int endpoints(const Options& options, const std::string& node) {
  root::Status answer;
  if (const int code = get_status(options, answer); code != exit_ok) return code;
  const auto names = node_names(answer);
  if (!node.empty() && std::find(names.begin(), names.end(), node) == names.end())
    return complain(unknown_node(node, names), exit_usage);
  std::cout << (options.output == "json" ? endpoints_json(answer, node)
                                         : render_endpoints(answer, node, paint_for(options, 1)));
  return exit_ok;
}

}  // namespace banyan::cli
