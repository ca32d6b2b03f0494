// up, down, restart: ask the root, then show how it goes. Ctrl-C ends the showing, never the stack.
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>

#include "orchestrator/cli/bundle.h"
#include "orchestrator/cli/connect.h"
#include "orchestrator/cli/exit_codes.h"
#include "orchestrator/cli/json.h"
#include "orchestrator/cli/progress.h"
#include "orchestrator/cli/render.h"
#include "orchestrator/cli/screen.h"
#include "orchestrator/cli/timeline.h"
#include "orchestrator/cli/verbs.h"
#include "orchestrator/cli/watch.h"

namespace banyan::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
constexpr milliseconds redraw{100};
constexpr milliseconds verdict_patience{2000};  // the root watches the deadline itself; this is for one that is away

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
    Watch watch(stub, stack_);
    for (;;) {
      if (auto status = watch.next(redraw)) {
        const root::StackStatus* now = find(*status, stack_);
        take(now);
        if (const auto code = ended(now)) {
          draw(screen);
          return *code;
        }
      }
      if (lost(options_, watch))
        return complain("the cluster is gone; " + verb_ + " cannot be followed", exit_unreachable);
      draw(screen);
      if (interrupted()) {
        std::fprintf(stderr, "\nno longer watching; %s goes on. `banyan status -w` shows it\n", verb_.c_str());
        return exit_interrupted;
      }
      if (options_.timeout > Duration(0) && Clock::now() - start_ > options_.timeout + verdict_patience) {
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
      if (!said_) said_ = verb_ == "down" ? untouched(*now) : settled_before(*now, since(start_));
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
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

/// "anna@host pid 4711", or "anna@host detached": whom an open revision belongs to.
std::string owner(bool detached) {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  const auto* user = ::getpwuid(::geteuid());
  return std::string(user == nullptr ? std::to_string(::geteuid()) : user->pw_name) + "@" + host +
         (detached ? " detached" : " pid " + std::to_string(::getpid()));
}

/// Whether an open revision is the caller's own and nobody watches it any more: the `up` that asked for it was ended.
/// One that was detached is meant to go on unwatched.
/// Two people who both wait are two people, also under one name.
bool abandoned_by_me(const std::string& its_owner, const std::string& me) {
  const auto cut = its_owner.rfind(" pid ");
  if (cut == std::string::npos || its_owner.substr(0, cut) != me.substr(0, me.rfind(" pid "))) return false;
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/" + its_owner.substr(cut + 5) + "/exe", failed);
  return failed || !program.filename().string().starts_with("banyan");
}

/// The root's answer, or an exit code after the failure was told.
int ask_up(const Options& options, const root::Bundle& bundle, bool detach, root::Root::Stub& root,
           root::UpReply& reply) {
  root::UpRequest request;
  *request.mutable_bundle() = bundle;
  request.set_owner(owner(detach));
  request.set_supersede(options.supersede);
  request.set_timeout_ms(static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(options.timeout).count()));
  const auto ask = [&] {
    grpc::ClientContext context;
    reply.Clear();
    return root.Up(&context, request, &reply);
  };
  auto done = ask();
  if (done.ok() && !reply.conflict().empty() && reply.revision().state() == "open" &&
      abandoned_by_me(reply.revision().owner(), request.owner())) {
    if (!options.quiet) std::fprintf(stderr, "replacing your revision %s\n", revision_text(reply.revision()).c_str());
    request.set_supersede(true);
    done = ask();
  }
  if (!done.ok()) return refused(done);
  for (const auto& text : reply.errors()) std::cerr << text << "\n";
  if (!reply.errors().empty()) return exit_usage;
  for (const auto& text : reply.warnings()) std::cerr << text << "\n";
  if (!reply.conflict().empty()) return complain(conflict_text(reply), exit_conflict);
  if (!options.quiet && reply.planned_size() > 0) std::fprintf(stderr, "%s", render_planned(reply).c_str());
  const auto& revision = reply.revision();
  if (!options.quiet && reply.has_revision() && revision.owner() != request.owner())
    std::fprintf(stderr, "joining revision %s\n", revision_text(revision).c_str());
  return exit_ok;
}

/// Those that failed for themselves, or for lack of time, each with its reason; `told` has been said already.
void tell_failed(const root::StackStatus& stack, int code, const std::string& told) {
  for (const auto& node : stack.nodes()) {
    const bool given_up = node.state() == "failed" || node.state() == "quarantined";
    const bool late = code == exit_timeout && !node.met() && node.state() != "waiting";
    const auto text = node.name() + " is " + node.state() + ": " + node.reason();
    if (node.cause_node().empty() && (given_up || late) && text != told)
      std::fprintf(stderr, "error: %s\n", text.c_str());
  }
}

/// What `up` says in the end.
void tell_end(const Follow& follow, int code) {
  if (code == exit_ok) std::cout << summary(*follow.last(), follow.elapsed_ms()) << "\n";
  for (const auto& line : left_behind(*follow.last())) std::fprintf(stderr, "note: %s\n", line.c_str());
  if (code == exit_conflict) std::fprintf(stderr, "this `up` was superseded; `banyan status` shows what holds now\n");
  if (code != exit_failed && code != exit_timeout) return;
  const auto& revision = follow.last()->revision();
  if (!revision.reason().empty()) std::fprintf(stderr, "error: %s\n", revision.reason().c_str());
  tell_failed(*follow.last(), code, revision.reason());
  std::fprintf(stderr, "the stack stays as it is; `banyan why NODE` tells more, `banyan up` tries again\n");
}

/// What `down --volumes` would delete, in one line.
std::string volumes_question(const std::string& stack, const root::StackStatus* running) {
  std::string nodes;
  if (running != nullptr)
    for (const auto& node : running->nodes()) nodes += (nodes.empty() ? " (of " : ", ") + node.name();
  return "this deletes all data of stack " + stack + nodes + (nodes.empty() ? "" : ")");
}

/// Which running stack `down` takes; empty: none, and `code` says how that ends.
std::string stack_to_take_down(const Target& target, const root::Status& status, bool volumes, int& code) {
  code = exit_ok;
  if (target.stack.empty() && status.stacks_size() == 1) {
    std::fprintf(stderr, "taking down %s, the only stack that runs\n", status.stacks(0).name().c_str());
    return status.stacks(0).name();
  }
  if (target.stack.empty() && status.stacks().empty()) return std::fprintf(stderr, "no stack is running\n"), "";
  if (target.stack.empty())
    return code = complain("several stacks run (" + stack_names(status) + "); name one with -p", exit_usage), "";
  if (find(status, target.stack) == nullptr && !volumes)
    return code = complain(not_running(target, status), exit_failed), "";
  return target.stack;
}

/// It waits for its edges: it will start as it is wanted, and there is nothing to restart.
bool nothing_runs(const root::StackStatus& stack, const std::string& name) {
  return std::ranges::any_of(stack.nodes(), [&](const root::NodeStatus& node) {
    return node.name() == name && node.state() == "waiting" && node.tasks().empty();
  });
}

}  // namespace

bool lost(const Options& options, Watch& watch) {
  constexpr milliseconds certain{3000}, at_most{60'000};
  const auto silent = watch.lost_for();
  return silent > at_most || (silent > certain && !cluster_exists(options));
}

int up(const Options& options, bool detach) {
  const auto read = read_bundle(options);
  if (!read) return complain(read.error().message, exit_usage);
  if (!read->loaded.stack) return tell_mistakes(options, *read);
  const std::string stack = read->loaded.stack->name;
  catch_interrupt();
  if (options.dry_run) return plan(options, *read, false);
  root::UpReply reply;
  Result<Connection> connection = error("");
  {
    const ClusterLock lock;
    connection = connect_or_start(options);
    if (!connection) return complain(connection.error().message, exit_unreachable);
    if (const auto placed = place_local_files(options, read->bundle, cluster_folder() + "/artifacts"); !placed)
      return complain(placed.error().message, exit_usage);
    if (const int code = ask_up(options, read->bundle, detach, *connection->root, reply); code != exit_ok) return code;
  }
  if (detach) {
    if (!options.quiet) std::cout << "stack " << stack << " is coming up; `banyan status -w` shows it\n";
    return exit_ok;
  }
  Follow follow(options, "up", stack);
  const int code = follow.run(*connection->root, [&reply](const root::StackStatus* now) -> std::optional<int> {
    if (now == nullptr || now->state() == "stopping") return exit_conflict;  // taken down meanwhile
    return outcome(now->revision(), reply.revision().number());
  });
  if (follow.last() && options.output == "json") std::cout << revision_json(follow.last()->revision()) << "\n";
  else if (follow.last() && !options.quiet) tell_end(follow, code);
  return code;
}

int down(const Options& options, bool volumes, bool now) {
  const auto target = find_target(options);
  if (!target) return complain(target.error().message, exit_usage);
  const auto connection = connect(options);
  if (!connection) return complain(connection.error().message, exit_unreachable);
  root::Status status;
  grpc::ClientContext asking;
  if (const auto done = connection->root->GetStatus(&asking, {}, &status); !done.ok()) return refused(done);
  int code = exit_ok;
  const std::string stack = stack_to_take_down(*target, status, volumes, code);
  if (stack.empty()) {
    if (code == exit_ok) end_idle_cluster(options);
    return code;
  }
  const auto* running = find(status, stack);
  if (options.dry_run) {
    for (int i = running == nullptr ? 0 : running->nodes_size(); i-- > 0;)
      std::cout << "stop " << running->nodes(i).name() << "\n";
    return exit_ok;
  }
  if (volumes && !options.yes) {
    const std::string question = volumes_question(stack, running);
    if (::isatty(0) == 0) return complain(question + "; without a terminal it needs -y. Nothing was done", exit_usage);
    if (!confirmed(question + ". Go on?")) return complain("nothing was done", exit_failed);
  }
  catch_interrupt();
  root::DownRequest request;
  request.set_stack(stack);
  request.set_volumes(volumes);
  request.set_now(now);
  request.set_owner(owner(false));
  grpc::ClientContext context;
  root::DownReply reply;
  if (const auto done = connection->root->Down(&context, request, &reply); !done.ok()) return refused(done);
  if (!reply.error().empty()) return complain(reply.error(), exit_failed);
  Follow follow(options, "down", stack);
  code = follow.run(*connection->root, [](const root::StackStatus* there) -> std::optional<int> {
    if (there == nullptr) return exit_ok;
    return std::nullopt;
  });
  if (code != exit_ok) return code;
  if (!options.quiet)
    std::cout << "stack " << stack << " is down after " << elapsed(follow.elapsed_ms())
              << (volumes ? "; its data is gone\n" : "; its data is kept\n");
  end_idle_cluster(options);
  return exit_ok;
}

int restart(const Options& options, const std::string& name, bool scheduler) {
  root::Status status;
  if (const int code = get_status(options, status); code != exit_ok) return code;
  const auto found = find_node(status, name);
  if (!found) return complain(found.error().message, exit_usage);
  if (options.dry_run) {
    std::cout << "restart " << name << (scheduler ? "'s scheduler\n" : "'s servers, one at a time\n");
    return exit_ok;
  }
  const auto connection = connect(options);
  if (!connection) return complain(connection.error().message, exit_unreachable);
  root::RestartRequest request;
  request.set_stack(found->first);
  request.set_node(name);
  request.set_scheduler(scheduler);
  grpc::ClientContext context;
  root::RestartReply reply;
  if (const auto done = connection->root->Restart(&context, request, &reply); !done.ok()) return refused(done);
  if (!reply.error().empty()) return complain(reply.error(), exit_failed);
  if (scheduler) {
    if (!options.quiet) std::cout << "restarting the scheduler of " << name << "; its servers run on\n";
    return exit_ok;
  }
  if (nothing_runs(*find(status, found->first), name)) {
    if (!options.quiet)
      std::cout << "nothing of " << name << " runs; `banyan why " << name << "` tells what it waits for\n";
    return exit_ok;
  }
  catch_interrupt();
  Follow follow(options, "restart", found->first);
  const int code = follow.run(*connection->root, [&name](const root::StackStatus* now) -> std::optional<int> {
    if (now == nullptr || now->state() == "stopping") return exit_conflict;  // taken down meanwhile
    for (const auto& node : now->nodes()) {
      if (node.name() != name) continue;
      if (node.met()) return exit_ok;
      if (node.state() == "failed" || node.state() == "quarantined")
        return node.timed_out() ? exit_timeout : exit_failed;
    }
    return std::nullopt;
  });
  if (code == exit_ok && !options.quiet)
    std::cout << name << " was restarted in " << elapsed(follow.elapsed_ms()) << "\n";
  if ((code == exit_failed || code == exit_timeout) && !options.quiet) tell_failed(*follow.last(), code, "");
  return code;
}

}  // namespace banyan::cli
