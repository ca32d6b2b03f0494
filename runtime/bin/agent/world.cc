#include "runtime/bin/agent/world.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "runtime/adapters/codec/agent_executor.h"
#include "runtime/adapters/codec/agent_link.h"
#include "runtime/adapters/codec/agent_words.h"
#include "runtime/adapters/loop/seed.h"
#include "runtime/adapters/posix/files.h"
#include "runtime/adapters/sqlite/sqlite_store.h"
#include "runtime/bin/agent/agent_info.h"
#include "runtime/bin/agent/operator_api.h"
#include "runtime/core/agent/checkpoint.h"

namespace banyan::agent {

// ---- opening ----

Result<std::unique_ptr<World>> World::open(Loop& loop, const Settings& settings) {
  std::unique_ptr<World> world(new World(loop, settings));
  if (auto opened = world->open_parts(); !opened) return tl::unexpected(opened.error());
  return world;
}

Result<void> World::open_parts() {
  if (auto done = open_store(); !done) return done;
  if (auto done = open_containers(); !done) return done;
  return open_servers();
}

Result<void> World::open_store() {
  if (auto made = posix::make_folders(settings_.work_dir, 0711); !made) return made;
  const std::string folder = settings_.work_dir + "/meta";
  if (auto made = posix::make_folders(folder, 0700); !made) return made;
  auto store = open_sqlite_store(loop_, folder, "agent");
  if (!store) return tl::unexpected(store.error());
  store_ = std::move(*store);
  const auto stored = store_->load();
  if (!stored) return tl::unexpected(stored.error());
  auto state = checkpoint::load(*stored);
  if (!state) return tl::unexpected(state.error());
  Options options;
  options.executor_reregistration_timeout = from_seconds(settings_.executor_reregistration_timeout_s);
  options.sandboxes_max = settings_.sandboxes_max;
  driver_ = std::make_unique<Driver<Core, World>>(Core(options, random_seed(), std::move(*state)), *this);
  return {};
}

Result<void> World::open_containers() {
  auto cgroups = posix::Cgroups::detect(settings_.isolation, settings_.work_dir);
  if (!cgroups) return tl::unexpected(cgroups.error());
  spdlog::info("isolation: {}", cgroups->description());
  posix::ContainersOptions options{
      settings_.work_dir, settings_.shim, {settings_.task_user, settings_.allow_root_tasks}, *cgroups};
  containers_ = std::make_unique<posix::Containers>(
      loop_, options,
      posix::Containers::Callbacks{
          [this](const ContainerId& id, pid_t pid, const std::optional<posix::PortsHeld>& ports) {
            ContainerStarted started{id, pid};
            if (ports) started.ports = PortsHeld{ports->listens, ports->strangers};
            deliver(started);
          },
          [this](const ContainerId& id, const posix::PortsHeld& ports) {
            deliver(PortsChanged{id, {ports.listens, ports.strangers}});
          },
          [this](const ContainerId& id, const posix::Ended& e) {
            deliver(ContainerEnded{id, e.wait_status, e.launch_error, e.never_started, e.shim_lost});
          }});
  browser_ = std::make_unique<posix::Browser>(containers_->layout().sandboxes());
  return {};
}

Result<void> World::open_servers() {
  const auto handler = [this](http::Request request, std::shared_ptr<http::Responder> responder) {
    serve(request, responder);
  };
  auto tcp = http::Server::listen(loop_, {settings_.listen}, handler);
  if (!tcp) return tl::unexpected(tcp.error());
  tcp_ = std::move(*tcp);
  auto socket = choose_socket(settings_);
  if (!socket) return tl::unexpected(socket.error());
  auto local = http::Server::listen(loop_, {"unix:" + *socket}, handler);
  if (!local) return tl::unexpected(local.error());
  unix_ = std::move(*local);
  ::chmod(socket->c_str(), 0666);  // executors run as other users; the folder above is searchable, not writable
  const std::string host = settings_.listen.substr(0, settings_.listen.rfind(':'));
  surroundings_.endpoint = host + ':' + std::to_string(tcp_->port());
  surroundings_.domain_socket = *socket;
  auto self = describe_self(settings_, tcp_->port());
  if (!self) return tl::unexpected(self.error());
  self_ = std::move(*self);
  spdlog::info("serving on {} and unix:{}; offering {}; keeping the sandboxes of the last {} ended runs",
               surroundings_.endpoint, *socket, resources_text(settings_), settings_.sandboxes_max);
  return {};
}

World::~World() {
  if (surroundings_.domain_socket.empty()) return;
  unix_.reset();
  const std::filesystem::path socket(surroundings_.domain_socket);
  ::unlink(socket.c_str());
  ::rmdir(socket.parent_path().c_str());  // made anew at the next start, under the same name
}

void World::start() {
  for (const auto& [id, run] : driver_->core().state().runs) containers_->adopt(id);
  containers_->destroy_orphans([this](const ContainerId& id) { return driver_->core().state().runs.contains(id); });
  link_ = AgentLinkClient::connect(loop_, settings_.master,
                                   {[this] { deliver(LinkOpened{}); },
                                    [this](const agent_link::ToAgent& message) {
                                      if (const auto input = codec::decode(message)) deliver(*input);
                                    },
                                    [this](const std::string& reason) {
                                      spdlog::warn("master {}: {}", settings_.master, reason);
                                      deliver(LinkClosed{});
                                    }});
}

void World::deliver(const Input& input) { driver_->deliver(input); }

void World::perform(Effect effect) {
  std::visit([this](const auto& e) { on(e); }, effect);
}

void World::fatal(const Error& error) {
  spdlog::critical("the agent stops: {}; its tasks go on, start it again when that is mended", error.message);
  std::_Exit(1);
}

// ---- HTTP ----

namespace {

bool is_executor_api(const std::string& path) {
  return path == "/api/v1/executor" || path == "/slave(1)/api/v1/executor";
}
bool is_operator_api(const std::string& path) { return path == "/api/v1" || path == "/slave(1)/api/v1"; }

http::Response text(unsigned status, std::string body) {
  return {status, {{"content-type", "text/plain"}}, std::move(body)};
}

constexpr char protobuf[] = "application/x-protobuf";

/// The checks that need no core, with the words of a real agent.
std::optional<http::Response> refuse(const http::Request& request, mesos::v1::executor::Call& call) {
  if (request.method != "POST") return text(405, "Expecting one of { 'POST' }, but received '" + request.method + "'");
  const std::string type = http::header(request.headers, "content-type");
  if (type.empty()) return text(400, "Expecting 'Content-Type' to be present");
  if (type != protobuf) return text(415, std::string("Expecting 'Content-Type' of ") + protobuf);
  if (!call.ParseFromString(request.body)) return text(400, "Failed to parse body into Call protobuf");
  if (const std::string fault = codec::fault(call); !fault.empty())
    return text(400, "Failed to validate executor::Call: " + fault);
  return std::nullopt;
}

}  // namespace

void World::serve(const http::Request& request, const std::shared_ptr<http::Responder>& responder) {
  if (is_executor_api(request.path)) return serve_executor(request, responder);
  if (is_operator_api(request.path))
    return responder->reply(answer_operator(request, driver_->core(), *browser_, self_));
  responder->reply(request.path == "/health" ? text(200, "") : text(404, "Not found: " + request.path));
}

void World::serve_executor(const http::Request& request, const std::shared_ptr<http::Responder>& responder) {
  using mesos::v1::executor::Call;
  Call call;
  if (const auto refusal = refuse(request, call)) return responder->reply(*refusal);
  if (call.type() == Call::HEARTBEAT) return responder->reply({202, {}, ""});
  const bool is_subscribe = call.type() == Call::SUBSCRIBE;
  if (const auto refusal = driver_->core().refuse(FrameworkId(call.framework_id().value()),
                                                  ExecutorId(call.executor_id().value()), is_subscribe))
    return responder->reply(text(refusal->status, refusal->text));
  if (is_subscribe) {
    const std::string accept = http::header(request.headers, "accept");
    if (!accept.empty() && accept != "*/*" && accept.find(protobuf) == std::string::npos)
      return responder->reply(text(406, std::string("Expecting 'Accept' to allow ") + protobuf));
    return subscribe(call, responder);
  }
  responder->reply({202, {}, ""});
  deliver(codec::decode(call, 0));
}

void World::subscribe(const mesos::v1::executor::Call& call, const std::shared_ptr<http::Responder>& responder) {
  const ConnectionId connection = ++last_connection_;
  auto stream = responder->stream({{"content-type", protobuf}});
  stream->on_closed([this, connection] {
    if (executors_.erase(connection) > 0) deliver(ExecutorDisconnected{connection});
  });
  executors_[connection] = std::move(stream);
  deliver(codec::decode(call, connection));
}

void World::tell(ConnectionId connection, const mesos::v1::executor::Event& event) {
  const auto it = executors_.find(connection);
  if (it != executors_.end()) it->second->send_record(event.SerializeAsString());
}

// ---- effects ----

void World::on(const SendRegister& e) { link_->send(codec::encode(e, self_)); }
void World::on(const SendUpdate& e) {
  spdlog::info("task {}: {}{}{}", e.status.task.str(), name(e.status.state), e.status.message.empty() ? "" : ": ",
               e.status.message);
  link_->send(codec::encode(e, driver_->core().state().agent));
}
void World::on(const SendExecutorMessage& e) { link_->send(codec::encode(e)); }
void World::on(const SendExecutorExited& e) {
  spdlog::info("executor {}: ended, wait status {}", e.executor.str(), e.wait_status);
  link_->send(codec::encode(e));
}
void World::on(const SendApplied& e) { link_->send(codec::encode(e)); }
void World::on(const SendPong& e) { link_->send(codec::encode(e)); }
void World::on(const ResetLink&) { link_->reset(); }

void World::on(const TellSubscribed& e) { tell(e.connection, codec::encode(e, self_)); }
void World::on(const TellLaunch& e) { tell(e.connection, codec::encode(e)); }
void World::on(const TellKill& e) { tell(e.connection, codec::encode(e)); }
void World::on(const TellAcknowledged& e) { tell(e.connection, codec::encode(e)); }
void World::on(const TellMessage& e) { tell(e.connection, codec::encode(e)); }
void World::on(const TellShutdown& e) { tell(e.connection, codec::encode(e)); }
void World::on(const CloseExecutor& e) {
  const auto node = executors_.extract(e.connection);
  if (!node.empty()) node.mapped()->close();
}

void World::on(const LaunchContainer& e) {
  spdlog::info("launching {} of {} in container {}", e.executor.str(), e.framework.str(), e.container.str());
  containers_->launch(plan_container(e, containers_->layout(), surroundings_));
}
void World::on(const LinkVolumes& e) {
  const State& state = driver_->core().state();
  const auto run = state.runs.find(e.container);
  if (run == state.runs.end()) return;
  const auto framework = state.frameworks.find(run->second.framework);
  containers_->link(plan_volumes(e, run->second, framework->second.info, containers_->layout()));
}
void World::on(const TerminateContainer& e) { containers_->terminate(e.container); }
void World::on(const DestroyContainer& e) { containers_->destroy(e.container); }
void World::on(const RunCheck& e) {
  const auto& runs = driver_->core().state().runs;
  const auto run = runs.find(e.container);
  if (run == runs.end()) return;
  containers_->check(
      plan_check(e, run->second, containers_->layout(), surroundings_), e.timeout,
      [this, container = e.container](std::optional<int> code) { deliver(CheckDone{container, {code}}); });
}
void World::on(const ForgetContainer& e) { containers_->forget(e.container); }
void World::on(const RemoveSandbox& e) {
  containers_->remove(containers_->layout().sandbox(e.agent, e.framework, e.executor, e.container));
}
void World::on(const MakeVolume& e) {
  const auto made = posix::make_folders(containers_->layout().volume(e.volume.role, e.volume.id), 0711);
  if (!made) spdlog::error("volume {}: {}", e.volume.id, made.error().message);
}
void World::on(const RemoveVolume& e) {
  spdlog::info("removing volume {} of role {}", e.volume.id, e.volume.role);
  containers_->remove_volume(containers_->layout().volume(e.volume.role, e.volume.id));
}
void World::on(const Note& e) { spdlog::info("{}", e.text); }

}  // namespace banyan::agent
