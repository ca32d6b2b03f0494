#include "orchestrator/bin/banyan/root_shell.h"

#include <pwd.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "orchestrator/api/cluster_file.h"
#include "orchestrator/api/server.h"
#include "orchestrator/bin/banyan/logs.h"
#include "orchestrator/bin/banyan/operator.h"
#include "orchestrator/core/core.h"
#include "runtime/adapters/loop/alarm.h"
#include "runtime/adapters/posix/files.h"
#include "runtime/adapters/posix/self.h"
#include "runtime/adapters/posix/users.h"
#include "runtime/adapters/sqlite/sqlite_store.h"
#include "runtime/sdk/artifact_server.h"
#include "runtime/sdk/scheduler_client.h"
#include "specs/uri.h"

namespace banyan::root {
namespace {

namespace fs = std::filesystem;
using mesos::v1::scheduler::Event;
using namespace std::chrono_literals;

constexpr Duration agents_interval = 2s;  // between two looks at agents that somebody waits for

std::string user_name() {
  const auto* entry = ::getpwuid(::geteuid());
  return entry == nullptr ? "nobody" : entry->pw_name;
}

/// A child's state folder belongs to the user its scheduler runs as.
void make_folder(const MakeFolder& wanted) {
  std::error_code failure;
  fs::create_directories(wanted.path, failure);
  if (failure) return spdlog::error("cannot make {}: {}", wanted.path, failure.message());
  ::chmod(wanted.path.c_str(), 0750);
  if (wanted.user.empty() || ::geteuid() != 0) return;
  const auto user = posix::find_user(wanted.user);  // an unknown one is the agent's to refuse, with the node's name
  if (!user) return;
  if (const auto given = posix::give_tree(wanted.path, user->uid, user->gid); !given)  // it may be another than before
    spdlog::error("cannot give {} to {}: {}", wanted.path, wanted.user, given.error().message);
}

/// Everything a root has once it is elected. THREADS: the loop's.
class Shell {
 public:
  Shell(Loop& loop, const RootOptions& options)
      : loop_(loop),
        options_(options),
        operator_(loop, options.masters),
        alarm_(loop, [this] { driver_->deliver(Tick{}); }) {}

  Result<void> start() {
    auto store = open_sqlite_store(loop_, options_.state, "root");
    if (!store) return tl::unexpected(store.error());
    store_ = std::move(*store);
    auto stored = store_->load();
    if (!stored) return tl::unexpected(stored.error());
    auto setup = make_setup();
    if (!setup) return tl::unexpected(setup.error());
    driver_.emplace(Core(clock_now(), std::move(*setup), *stored), *this);
    if (const auto past = driver_->core().events("", 0); !past.empty()) announced_ = past.back().seq();
    auto api = ApiServer::listen(loop_, options_.api, calls());
    if (!api) return tl::unexpected(api.error());
    api_ = std::move(*api);
    client_ = sdk::SchedulerClient::create(loop_, {options_.masters, framework_info(framework_user())}, callbacks());
    return {};
  }

  // What the driver asks of its world.
  static Now now() { return clock_now(); }
  void commit(Changes changes, Store::Done done) { store_->commit(std::move(changes), std::move(done)); }
  void fatal(const Error& failure) {
    spdlog::critical("the store failed: {}", failure.message);
    std::_Exit(1);  // what was not written must not be acted upon
  }
  void wake_at(std::optional<Instant> when) { alarm_.set(when); }
  void perform(Core::Effect effect) {
    std::visit([this](auto& what) { this->act(what); }, effect);  // clang-19: act() alone is no use of this
  }

 private:
  [[nodiscard]] std::string framework_user() const {
    return options_.task_user.empty() ? user_name() : options_.task_user;
  }

  /// Serves Banyan's own programs. The port is kept, so that a handover does not change when the root comes back.
  Result<Setup> make_setup() {
    const std::string port_file = options_.state + "/artifact.port";
    const int kept = std::atoi(posix::read_file(port_file).value_or("0").c_str());
    auto server = sdk::ArtifactServer::listen(loop_, options_.host, static_cast<std::uint16_t>(kept));
    if (!server && kept != 0) server = sdk::ArtifactServer::listen(loop_, options_.host, 0);
    if (!server) return tl::unexpected(server.error());
    artifacts_ = std::move(*server);
    if (artifacts_->port() != kept)
      if (const auto written = posix::write_file(port_file, std::to_string(artifacts_->port()), 0644); !written)
        spdlog::warn("{}", written.error().message);
    Setup setup;
    setup.masters = options_.masters;
    artifacts_->add_folder(options_.artifacts);
    setup.artifacts = artifacts_->base();
    setup.nodes_folder = options_.nodes;
    setup.task_user = options_.task_user;
    for (auto* program : {&setup.executor, &setup.service_scheduler}) {
      program->name = program == &setup.executor ? "banyan-framework-executor" : "banyan-service-scheduler";
      const auto served = artifacts_->add_file(program->name, options_.programs + "/" + program->name);
      if (!served) return error("Banyan's own program is missing: " + served.error().message);
      program->url = served->url;
      program->sha256 = served->sha256;
    }
    return setup;
  }

  sdk::SchedulerClient::Callbacks callbacks() {
    sdk::SchedulerClient::Callbacks callbacks;
    callbacks.event = [this](const Event& event) { hear(event); };
    callbacks.disconnected = [this](const std::string& reason, bool final) {
      spdlog::warn("the master is gone: {}", reason);
      if (final) {
        spdlog::critical("another root has taken over, or this one's framework was removed; this one ends");
        std::_Exit(1);
      }
      driver_->deliver(Disconnected{reason});
    };
    callbacks.refused = [](const std::string& call, const std::string& reason) {
      spdlog::warn("the master refused {}: {}", call, reason);
    };
    return callbacks;
  }

  void hear(const Event& event) {
    switch (event.type()) {
      case Event::SUBSCRIBED:
        spdlog::info("subscribed as {}", event.subscribed().framework_id().value());
        return driver_->deliver(Subscribed{});
      case Event::OFFERS:
        return driver_->deliver(Offered{{event.offers().offers().begin(), event.offers().offers().end()}});
      case Event::UPDATE: return driver_->deliver(Updated{event.update().status()});
      case Event::FAILURE:
        if (!event.failure().has_executor_id()) return driver_->deliver(AgentLost{event.failure().agent_id().value()});
        spdlog::info("executor {} has ended, wait status {}", event.failure().executor_id().value(),
                     event.failure().status());
        return driver_->deliver(ExecutorEnded{event.failure().executor_id().value()});
      case Event::ERROR: return spdlog::error("the master says: {}", event.error().message());
      default: return;
    }
  }

  ApiServer::Calls calls() {
    ApiServer::Calls calls;
    calls.up = [this](const UpRequest& request, ApiServer::Done<UpReply> done) {
      if (const auto lacking = missing_artifact(request); !lacking.empty()) {
        UpReply refusal;
        refusal.add_errors("error: " + lacking + " is not among the files in " + options_.artifacts +
                           "; run `banyan up` with the BANYAN_STATE of this cluster");
        return done(refusal);
      }
      operator_.agent_totals([this, request, call = remember(std::move(done))](std::vector<AgentTotal> agents) {
        driver_->deliver(UpAsked{call, request, std::move(agents), programs_of(request.bundle())});
      });
    };
    calls.down = [this](const DownRequest& request, ApiServer::Done<DownReply> done) {
      driver_->deliver(DownAsked{remember(std::move(done)), request});
    };
    calls.restart = [this](const RestartRequest& request, ApiServer::Done<RestartReply> done) {
      driver_->deliver(RestartAsked{remember(std::move(done)), request});
    };
    calls.status = [this](const std::string& stack) { return status(stack); };
    calls.changes = [this](const std::string& stack, const StatusChanged& changed) {
      return changed.everything ? status(stack) : driver_->core().status(now(), stack, changed);
    };
    calls.history = [this](const std::string& stack) { return driver_->core().history(now(), stack); };
    // What is not durable yet is nobody's to know: after a crash its number would be another event's.
    calls.events = [this](const std::string& stack, std::uint64_t after) {
      auto events = driver_->core().events(stack, after);
      std::erase_if(events, [this](const auto& event) { return event.seq() > announced_; });
      return events;
    };
    calls.logs = [this](const LogsRequest& request, ApiServer::LogSink sink) {
      read_logs(loop_, operator_, {[this, stack = request.stack()] { return status(stack); }, [this] { return news_; }},
                request, std::move(sink));
    };
    return calls;
  }

  Status status(const std::string& stack) {
    Status status = driver_->core().status(now(), stack);
    if (const auto file = read_cluster_file(options_.cluster_file)) *status.mutable_cluster() = file->cluster;
    status.mutable_cluster()->mutable_root()->set_pid(static_cast<std::uint32_t>(::getpid()));
    status.mutable_cluster()->mutable_root()->set_address(options_.api);
    if (status.cluster().master().address().empty())
      status.mutable_cluster()->mutable_master()->set_address(options_.masters.front());
    return status;
  }

  /// The CLI puts local files there before it asks for a change; it can only do so in its own cluster's folder.
  [[nodiscard]] std::string missing_artifact(const UpRequest& request) const {
    if (request.dry_run()) return "";
    for (const auto& [named, sha256] : request.bundle().local_files())
      if (specs::is_relative(named) && !fs::exists(options_.artifacts + "/" + sha256)) return named;
    return "";
  }

  /// Local files that may be executed: relative ones lie among the artifacts, with the mode they had.
  [[nodiscard]] std::set<std::string> programs_of(const Bundle& bundle) const {
    std::set<std::string> programs;
    for (const auto& [named, sha256] : bundle.local_files()) {
      std::error_code failure;
      const auto status = fs::status(specs::is_relative(named) ? options_.artifacts + "/" + sha256 : named, failure);
      if (!failure && (status.permissions() & fs::perms::owner_exec) != fs::perms::none) programs.insert(named);
    }
    return programs;
  }

  template <class Reply>
  CallId remember(ApiServer::Done<Reply> done) {
    waiting_[++last_call_] = [done = std::move(done)](const Answer& answer) { done(std::get<Reply>(answer.reply)); };
    return last_call_;
  }

  /// Whom the master refuses it does not speak of; the agent does, as an attribute of its own.
  void look_at_agents() {
    if (looking_ || !driver_->core().lacks_agents()) return;
    const auto file = read_cluster_file(options_.cluster_file);
    if (!file || file->cluster.agents().empty()) return;
    looking_ = true;
    mesos::v1::agent::Call get;
    get.set_type(mesos::v1::agent::Call::GET_AGENT);
    const std::string address = file->cluster.agents(0).address();  // a local cluster has one
    operator_.call_agent(address, get, [this, address](const Result<mesos::v1::agent::Response>& answer) {
      if (answer) driver_->deliver(AgentsRefused{refusal_of(address, answer->get_agent().agent_info())});
      loop_.after(agents_interval, [this] {
        looking_ = false;
        look_at_agents();
      });
    });
  }

  static std::string refusal_of(const std::string& address, const mesos::v1::AgentInfo& agent) {
    for (const auto& attribute : agent.attributes())
      if (attribute.name() == "banyan_refused")
        return "the master refuses the agent at " + address + ": " + attribute.text().value();
    return "";
  }

  void act(Persist&) {}  // the driver's own
  void act(SendCall& what) { client_->send(std::move(what.call)); }
  void act(Answer& what) {
    if (auto found = waiting_.extract(what.call)) found.mapped()(what);
  }
  void act(TearDown& what) {
    operator_.tear_down(what.framework_id, [this, what](const std::string& failure) {
      driver_->deliver(TornDown{what.stack, what.node, failure});
    });
  }
  void act(ReleaseRole& what) {
    operator_.release(what.role, [this, what](const std::string& failure) {
      driver_->deliver(Released{what.stack, what.node, failure});
    });
  }
  static void act(MakeFolder& what) { make_folder(what); }
  static void act(RemoveFolder& what) {
    std::error_code failure;
    fs::remove_all(what.path, failure);
    if (failure) spdlog::error("cannot remove {}: {}", what.path, failure.message());
  }
  void act(Announce& what) {
    const auto& event = what.event;
    spdlog::info("{} {} {} {}{}{}", event.kind(), event.stack(), event.node(), event.detail(),
                 event.cause().empty() ? "" : " because ", event.cause());
    announced_ = event.seq();
    if (api_) api_->announce(event);
  }
  void act(StatusChanged& what) {
    ++news_;
    changed_.add(what);
    loop_.at_end_of_turn(this, [this] {
      if (api_) api_->status_changed(std::exchange(changed_, {}));
      look_at_agents();
    });
  }

  Loop& loop_;
  const RootOptions& options_;
  Operator operator_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<sdk::ArtifactServer> artifacts_;
  std::optional<Driver<Core, Shell>> driver_;
  std::unique_ptr<sdk::SchedulerClient> client_;
  std::unique_ptr<ApiServer> api_;
  Alarm alarm_;
  std::map<CallId, std::function<void(const Answer&)>> waiting_;
  CallId last_call_ = 0;
  bool looking_ = false;         ///< at the agents, or has just done so
  StatusChanged changed_;        ///< in this turn of the loop
  std::uint64_t news_ = 0;       ///< how often the status has changed
  std::uint64_t announced_ = 0;  ///< the newest durable event
};

}  // namespace

int run_root(const RootOptions& given) {
  RootOptions options = given;
  const std::string folder = fs::path(options.state).lexically_normal().parent_path().string();
  if (options.programs.empty()) options.programs = posix::own_folder();
  if (options.nodes.empty()) options.nodes = folder + "/nodes";
  if (options.artifacts.empty()) options.artifacts = folder + "/artifacts";
  if (options.cluster_file.empty()) options.cluster_file = folder + "/cluster.json";
  if (options.task_user.empty() && ::geteuid() == 0) options.task_user = "nobody";
  std::error_code failure;
  for (const auto& path : {options.state, options.nodes}) {
    fs::create_directories(path, failure);
    if (failure) {
      spdlog::critical("cannot make {}: {}", path, failure.message());
      return 1;
    }
  }
  ::chmod(options.nodes.c_str(), 0711);

  Loop loop;
  ::signal(SIGPIPE, SIG_IGN);
  int code = 0;
  std::optional<Shell> shell;
  loop.on_signals({SIGTERM, SIGINT}, [&loop](int) { loop.stop(); });
  const auto election = make_file_election(loop, options.state, "root");
  election->campaign(
      [&] {
        shell.emplace(loop, options);
        if (const auto started = shell->start(); !started) {
          spdlog::critical("{}", started.error().message);
          code = 1;
          return loop.stop();
        }
        spdlog::info("serving on {}, masters {}", options.api, options.masters.front());
        posix::report_ready(options.ready_fd);
      },
      [&](const std::string& reason) {
        spdlog::critical("lost the election: {}", reason);
        std::_Exit(1);
      });
  loop.run();
  spdlog::info("ending");
  shell.reset();
  return code;
}

}  // namespace banyan::root
