// up, down, restart: ask the root, then show how it goes. Ctrl-C ends the showing, never the stack.
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <map>
#include <string>

#include "orchestrator/cli/bundle.h"
#include "orchestrator/cli/connect.h"
#include "orchestrator/cli/exit_codes.h"
#include "orchestrator/cli/progress.h"
#include "orchestrator/cli/screen.h"
#include "orchestrator/cli/verbs.h"
#include "orchestrator/cli/watch.h"

namespace banyan::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
constexpr milliseconds redraw{100};

std::uint64_t since(Clock::time_point start) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(Clock::now() - start).count());
}

const root::StackStatus* find(const root::Status& status, const std::string& stack) {
  for (const auto& candidate : status.stacks())
    if (candidate.name() == stack) return &candidate;
  return nullptr;
}

enum class Show { picture, lines, json, nothing };

Show how_to_show(const Options& options) {
  if (options.quiet || options.progress == "quiet") return Show::nothing;
  if (options.progress == "json") return Show::json;
  if (options.progress == "plain") return Show::lines;
  if (options.progress == "tty") return Show::picture;
  return ::isatty(2) != 0 ? Show::picture : Show::lines;
}

/// Follows one stack until `ended` says how it ended; shows it on stderr.
class Follow {
 public:
  Follow(const Options& options, std::string verb, std::string stack)
      : options_(options),
        verb_(std::move(verb)),
        stack_(std::move(stack)),
        show_(how_to_show(options)),
        paint_(paint_for(options, 2)) {}

  /// `ended`: given the stack (nullptr: it is gone), an exit code, or nothing while it goes on.
  template <class Ended>
  int run(root::Root::Stub& stub, Ended ended) {
    Screen screen(2);
    auto watch = std::make_unique<Watch>(stub, stack_);
    for (;;) {
      if (auto status = watch->next(redraw)) {
        const root::StackStatus* now = find(*status, stack_);
        take(now);
        if (const auto code = ended(now)) {
          draw(screen);
          return *code;
        }
      }
      if (watch->ended()) watch = std::make_unique<Watch>(stub, stack_);  // the root died and comes back
      draw(screen);
      if (interrupted()) {
        std::fprintf(stderr, "\nno longer watching; %s goes on. `banyan status -w` shows it\n", verb_.c_str());
        return exit_interrupted;
      }
      if (options_.timeout > Duration(0) && Clock::now() - start_ > options_.timeout) {
        std::fprintf(stderr, "not done after --timeout; %s goes on\n", verb_.c_str());
        return exit_timeout;
      }
    }
  }

  [[nodiscard]] const std::optional<root::StackStatus>& last() const { return last_; }
  [[nodiscard]] std::uint64_t elapsed_ms() const { return since(start_); }

 private:
  void take(const root::StackStatus* now) {
    arrived_ = Clock::now();
    if (now == nullptr) {
      if (last_ && verb_ == "down")
        for (auto& node : *last_->mutable_nodes()) node.set_state("stopped"), node.clear_reason();
      return;
    }
    if (show_ == Show::lines || show_ == Show::json) {
      if (!said_ && verb_ == "down") said_ = untouched(*now);
      const root::StackStatus calm = said_ ? calmed(*said_, *now, since(start_), said_at_) : *now;
      const auto lines =
          show_ == Show::json ? changes_json(said_, calm, since(start_)) : changes(said_, calm, since(start_), paint_);
      for (const auto& line : lines) std::fprintf(stderr, "%s\n", line.c_str());
      said_ = calm;
    }
    last_ = *now;
  }

  /// What `down` need not tell: nodes that it has not reached yet.
  static root::StackStatus untouched(const root::StackStatus& now) {
    root::StackStatus rest;
    for (const auto& node : now.nodes())
      if (node.state() != "stopping" && node.state() != "stopped") *rest.add_nodes() = node;
    return rest;
  }

  void draw(Screen& screen) {
    if (show_ != Show::picture || !last_) return;
    screen.draw(
        picture(*last_, {verb_, since(start_), since(arrived_), tick_++, screen.columns(), screen.rows()}, paint_));
  }

  const Options& options_;
  std::string verb_;
  std::string stack_;
  Show show_;
  Paint paint_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point arrived_ = start_;
  std::size_t tick_ = 0;
  std::optional<root::StackStatus> last_;
  std::optional<root::StackStatus> said_;         // as the printed lines left it
  std::map<std::string, std::uint64_t> said_at_;  // per node, when its reason was last news
};

int refused(const grpc::Status& status) { return complain("the root: " + status.error_message(), exit_unreachable); }

bool confirmed(const std::string& question) {
  if (::isatty(0) == 0) return false;
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

int up(const Options& options, bool detach) {
  const auto read = read_bundle(options);
  if (!read) return complain(read.error().message, exit_usage);
  if (!read->loaded.stack) return validate(options);  // prints every mistake; nothing was started
  const std::string stack = read->loaded.stack->name;
  catch_interrupt();
  if (options.dry_run) return plan(options, false);
  bool started = false;
  const auto connection = connect_or_start(options, started);
  if (!connection) return complain(connection.error().message, exit_unreachable);
  if (const auto placed = place_local_files(options, read->bundle, cluster_folder() + "/artifacts"); !placed)
    return complain(placed.error().message, exit_usage);
  root::UpRequest request;
  *request.mutable_bundle() = read->bundle;
  grpc::ClientContext context;
  root::UpReply reply;
  if (const auto done = connection->root->Up(&context, request, &reply); !done.ok()) return refused(done);
  for (const auto& text : reply.errors()) std::cerr << text << "\n";
  if (!reply.errors().empty()) return exit_usage;
  if (!options.quiet)
    for (const auto& text : reply.warnings()) std::cerr << text << "\n";
  if (!reply.conflict().empty()) return complain(reply.conflict(), exit_conflict);
  if (detach) {
    if (!options.quiet) std::cout << "stack " << stack << " is coming up; `banyan status -w` shows it\n";
    return exit_ok;
  }
  Follow follow(options, "up", stack);
  const int code = follow.run(*connection->root, [](const root::StackStatus* now) -> std::optional<int> {
    if (now == nullptr) return exit_failed;  // taken down meanwhile
    return verdict(*now);
  });
  if (!follow.last() || options.quiet) return code;
  if (code == exit_ok) std::cout << summary(*follow.last(), follow.elapsed_ms()) << "\n";
  if (code != exit_failed && code != exit_timeout) return code;
  for (const auto& node : follow.last()->nodes())
    if (node.state() == "failed" || node.state() == "quarantined")
      std::fprintf(stderr, "error: %s is %s: %s\n", node.name().c_str(), node.state().c_str(), node.reason().c_str());
  std::fprintf(stderr, "the stack stays as it is; `banyan why NODE` tells more, `banyan up` tries again\n");
  return code;
}

int down(const Options& options, bool volumes, bool now) {
  const auto connection = connect(options);
  if (!connection) return complain(connection.error().message, exit_unreachable);
  std::string stack = stack_name(options);
  root::Status status;
  {
    grpc::ClientContext context;
    root::StatusRequest request;
    if (const auto done = connection->root->GetStatus(&context, request, &status); !done.ok()) return refused(done);
  }
  if (stack.empty() && status.stacks_size() == 1) stack = status.stacks(0).name();
  if (stack.empty() || find(status, stack) == nullptr) {
    if (status.stacks().empty()) {
      if (!options.quiet) std::fprintf(stderr, "no stack is running\n");
      end_background_dev();
      return exit_ok;
    }
    return complain(stack.empty() ? "several stacks run; name one with -p" : "no stack \"" + stack + "\" is running",
                    exit_usage);
  }
  if (options.dry_run) {
    const auto* running = find(status, stack);
    for (int i = running->nodes_size(); i-- > 0;) std::cout << "stop " << running->nodes(i).name() << "\n";
    return exit_ok;
  }
  if (volumes && !options.yes && ::isatty(0) != 0 && !confirmed("This deletes all data of " + stack + ". Go on?"))
    return complain("nothing was done", exit_failed);
  catch_interrupt();
  root::DownRequest request;
  request.set_stack(stack);
  request.set_volumes(volumes);
  request.set_now(now);
  grpc::ClientContext context;
  root::DownReply reply;
  if (const auto done = connection->root->Down(&context, request, &reply); !done.ok()) return refused(done);
  if (!reply.error().empty()) return complain(reply.error(), exit_failed);
  Follow follow(options, "down", stack);
  const int code = follow.run(*connection->root, [](const root::StackStatus* there) -> std::optional<int> {
    if (there == nullptr) return exit_ok;
    return std::nullopt;
  });
  if (code != exit_ok) return code;
  if (!options.quiet)
    std::cout << "stack " << stack << " is down after " << elapsed(follow.elapsed_ms())
              << (volumes ? "; its data is gone\n" : "; its data is kept\n");
  if (status.stacks_size() == 1) end_background_dev();
  return exit_ok;
}

int restart(const Options& options, const std::string& node, bool scheduler) {
  const auto connection = connect(options);
  if (!connection) return complain(connection.error().message, exit_unreachable);
  if (options.dry_run) {
    std::cout << "restart " << node << (scheduler ? "'s scheduler\n" : "'s servers, one at a time\n");
    return exit_ok;
  }
  root::RestartRequest request;
  request.set_stack(stack_name(options));
  request.set_node(node);
  request.set_scheduler(scheduler);
  grpc::ClientContext context;
  root::RestartReply reply;
  if (const auto done = connection->root->Restart(&context, request, &reply); !done.ok()) return refused(done);
  if (!reply.error().empty()) return complain(reply.error(), exit_failed);
  if (!options.quiet) std::cout << "restarting " << node << "; `banyan status -w` shows it\n";
  return exit_ok;
}

}  // namespace banyan::cli
