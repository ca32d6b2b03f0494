#include "runtime/adapters/posix/containers.h"

#include <fcntl.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>

#include "runtime/adapters/posix/files.h"
#include "runtime/adapters/posix/process.h"

namespace banyan::posix {
namespace {

constexpr int workers = 4;  // several large downloads at once; small ones do not queue behind them
constexpr Duration retry_pause = std::chrono::milliseconds(20);

/// Our child must be reaped by nobody else; an adopted shim has another parent, who does.
void reap(const Fd& process) {
  siginfo_t info{};
  ::waitid(P_PIDFD, static_cast<id_t>(process.get()), &info, WEXITED | WNOHANG);
}

std::optional<shim::Started> read_started(const std::string& runtime) {
  shim::Started record;
  const auto line = read_file(runtime + '/' + shim::started_file);
  if (!line || !shim::parse_started(line->c_str(), &record)) return std::nullopt;
  return record;
}

/// What exec() said; the two errors that people meet have a cure. `program`: empty when another agent started it.
std::string launch_error_text(int code, const std::string& program) {
  const std::string what = program.empty() ? "the command" : program;
  const char* cure = code == EACCES   ? "; it may not be executed: a fetched file needs executable: true"
                     : code == ENOENT ? "; it, or the interpreter that it names, is not there"
                                      : "";
  return "Failed to execute " + what + ": " + std::strerror(code) + cure;
}

std::optional<Ended> read_exit(const std::string& runtime, const std::string& program = {}) {
  shim::Exit record;
  const auto line = read_file(runtime + '/' + shim::exit_file);
  if (!line || !shim::parse_exit(line->c_str(), &record)) return std::nullopt;
  Ended ended;
  ended.wait_status = record.wait_status;
  ended.never_started = record.never_started;
  if (record.launch_error != 0) ended.launch_error = launch_error_text(record.launch_error, program);
  return ended;
}

std::optional<PortsHeld> read_ports(const std::string& runtime) {
  shim::PortsHeld record;
  const auto line = read_file(runtime + '/' + shim::ports_file);
  if (!line || !shim::parse_ports(line->c_str(), &record)) return std::nullopt;
  return PortsHeld{record.listens, record.strangers};
}

/// What finds a task's processes when it has lost its shim and there are no cgroups: who leaves the session of the
/// first one still has the environment it was started with.
std::string mark_of(const ContainerId& id) { return "BANYAN_CONTAINER=" + id.str(); }

/// A session's number stays taken for as long as it has members, so one that is now a younger process' own number is a
/// stranger's.
bool session_lives(const shim::Process& task) {
  const auto start = start_time(task.pid);
  return start == task.start || (start == 0 && ::kill(-task.pid, 0) == 0);
}

/// Makes sure that no shim ever takes this container. False: one has it already.
bool forbid_start(const std::string& runtime) {
  const Fd lock(::open((runtime + '/' + shim::lock_file).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.open()) return true;  // no folder: nothing was prepared, and a shim would find nothing
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return false;
  char line[64];
  shim::Exit record;
  record.never_started = true;
  shim::format_exit(line, sizeof line, record);
  if (!read_exit(runtime) && !write_file(runtime + '/' + shim::exit_file, line, 0600)) return false;
  return true;
}

}  // namespace

Containers::Containers(Loop& loop, ContainersOptions options, Callbacks callbacks)
    : loop_(loop),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      layout_(options_.work_dir),
      fetcher_({.cache_dir = layout_.cache(), .sandboxes_dir = layout_.sandboxes()}),
      records_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      workers_(loop, workers) {
  if (records_.open()) watch_records();
  else spdlog::warn("nobody sees who holds the ports of tasks: {}", std::strerror(errno));
}

Containers::~Containers() {
  if (records_.open()) loop_.forget(records_.get());
  for (const auto& [id, container] : containers_) {
    container->cancelled = true;
    if (container->process.open()) loop_.forget(container->process.get());
    if (container->report.open()) loop_.forget(container->report.get());
  }
  for (int attempt = 0; attempt < 100 && !leaves_.empty(); ++attempt) {
    std::erase_if(leaves_, remove_leaf);  // what a moment ago was busy
    if (!leaves_.empty()) ::usleep(10'000);
  }
  options_.cgroups.remove_base();
}

Containers::Handle Containers::find_handle(const ContainerId& id) const {
  const auto it = containers_.find(id);
  return it == containers_.end() ? nullptr : it->second;
}

void Containers::launch(ContainerPlan plan) {
  auto container = std::make_shared<Container>();
  container->id = plan.id;
  container->plan = std::move(plan);
  containers_[container->id] = container;
  workers_.run([this, container] { prepare(*container); }, [this, container] { start(container); });
}

void Containers::prepare(Container& c) {
  const auto steps = [&]() -> Result<void> {
    auto user = choose_user(options_.users, c.plan.command_user, c.plan.framework_user);
    if (!user) return tl::unexpected(user.error());
    c.user = *user;
    if (auto made = make_sandbox(c.plan.sandbox); !made) return made;
    if (auto fetched = fetcher_.fetch(c.plan.fetches, c.plan.sandbox, c.cancelled); !fetched) return fetched;
    if (auto linked = link_volumes(c.plan.volumes, c.plan.sandbox, c.user); !linked) return linked;
    if (auto opened = open_sandbox(c.plan.sandbox, c.user); !opened) return opened;
    if (auto made = make_folders(layout_.runtime(c.id), 0700); !made) return made;
    if (!options_.cgroups.enabled()) return {};
    auto leaf = options_.cgroups.make_leaf(c.id.str());
    if (!leaf) return tl::unexpected(leaf.error());
    c.leaf = *leaf;
    return write_file(layout_.runtime(c.id) + "/leaf", c.leaf, 0600);
  };
  c.prepared = steps();
}

void Containers::start(const Handle& c) {
  Ended failed;
  if (!c->prepared) failed.launch_error = c->prepared.error().message;
  if (c->cancelled) failed.launch_error = "Killed before it was started";
  if (!failed.launch_error.empty()) return end(c, failed);
  if (c->leaf.empty()) {
    const std::string mark = mark_of(c->id);
    c->plan.command.environment[mark.substr(0, mark.find('='))] = c->id.str();
  }
  auto shim = spawn_shim({.shim = options_.shim,
                          .runtime_dir = layout_.runtime(c->id),
                          .sandbox = c->plan.sandbox,
                          .leaf = c->leaf,
                          .user = c->user,
                          .command = c->plan.command,
                          .ports = c->plan.ports});
  if (!shim) {
    failed.launch_error = shim.error().message;
    return end(c, failed);
  }
  c->ours = true;
  c->process = std::move(shim->process);
  c->report = std::move(shim->report);
  loop_.when_readable(c->report.get(), [this, c] { on_report(c); });
  watch(c);
}

void Containers::watch(const Handle& c) {
  loop_.when_readable(c->process.get(), [this, c] { on_exit(c); });
}

// "started 4711": the command was executed. Anything else is told by the exit record.
void Containers::on_report(const Handle& c) {
  char line[64] = {};
  const ssize_t size = ::read(c->report.get(), line, sizeof line - 1);
  loop_.forget(c->report.get());
  c->report.reset();
  int pid = 0;
  if (size <= 0 || std::sscanf(line, "started %d", &pid) != 1 || c->gone) return;
  tell_started(c, pid);
}

// First the watch, then a look: no change falls between.
void Containers::tell_started(const Handle& c, pid_t pid) {
  const std::string runtime = layout_.runtime(c->id);
  if (records_.open() && read_ports(runtime))
    c->port_watch = ::inotify_add_watch(records_.get(), runtime.c_str(), IN_MOVED_TO);
  if (c->port_watch >= 0) {
    watched_[c->port_watch] = c->id;
    c->ports = read_ports(runtime);
  }
  callbacks_.started(c->id, pid, c->ports);
}

void Containers::watch_records() {
  loop_.when_readable(records_.get(), [this] { on_records(); });
}

void Containers::on_records() {
  watch_records();  // it is told once each time
  alignas(inotify_event) char buffer[4096];
  std::set<ContainerId> changed;
  for (ssize_t size = 0; (size = ::read(records_.get(), buffer, sizeof buffer)) > 0;) {
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      const auto watched = watched_.find(event->wd);
      if (watched != watched_.end() && event->len > 0 && std::strcmp(event->name, shim::ports_file) == 0)
        changed.insert(watched->second);
    }
  }
  for (const auto& id : changed) {
    const auto c = find_handle(id);
    const auto ports = read_ports(layout_.runtime(id));
    if (c == nullptr || c->gone || !ports || c->ports == ports) continue;
    c->ports = ports;
    callbacks_.ports(id, *ports);
  }
}

void Containers::on_exit(const Handle& c) {
  if (c->report.open()) on_report(c);  // a quick task: its start is told before its end
  if (c->ours) reap(c->process);
  const std::string runtime = layout_.runtime(c->id);
  if (const auto ended = read_exit(runtime, c->plan.command.program)) return end(c, *ended);
  if (!read_started(runtime)) {
    Ended failed;
    const std::string said = read_file(runtime + "/shim.err").value_or("");
    failed.launch_error = "The shim could not start the command: " + said.substr(0, said.find('\n'));
    return end(c, failed);
  }
  spdlog::warn("container {}: its shim was killed; killing the task", c->id.str());
  on_lost(c);
}

// Nobody will write an exit record: kill what is left, and call it ended when nothing is.
void Containers::on_lost(const Handle& c) {
  const std::string runtime = layout_.runtime(c->id);
  if (c->leaf.empty()) c->leaf = read_file(runtime + "/leaf").value_or("");
  const auto record = read_started(runtime);
  const bool same_boot = record && boot_id() == record->boot_id;
  bool alive = false;
  if (!c->leaf.empty()) {
    kill_leaf(c->leaf);
    alive = read_file(c->leaf + "/cgroup.events").value_or("").find("populated 1") != std::string::npos;
  } else if (same_boot) {
    const pid_t session = session_lives(record->task) ? record->task.pid : 0;
    alive = kill_marked({.session = session, .environment = mark_of(c->id)}) > 0;
  }
  if (alive) {
    if (++c->hunted % 250 == 0) spdlog::warn("container {}: a process of it does not die", c->id.str());
    loop_.after(retry_pause, [this, c] { on_lost(c); });
    return;
  }
  Ended lost;
  lost.shim_lost = true;
  lost.wait_status = SIGKILL;
  end(c, lost);
}

void Containers::end(const Handle& c, const Ended& ended) {
  if (c->gone) return;
  c->gone = true;
  if (c->process.open()) loop_.forget(c->process.get());
  c->process.reset();
  if (c->port_watch >= 0) {
    ::inotify_rm_watch(records_.get(), c->port_watch);
    watched_.erase(c->port_watch);
  }
  if (c->leaf.empty()) c->leaf = read_file(layout_.runtime(c->id) + "/leaf").value_or("");
  if (!c->leaf.empty()) remove_leaf_soon(c->leaf, 0);
  callbacks_.ended(c->id, ended);
}

void Containers::remove_leaf_soon(const std::string& leaf, int attempts) {
  leaves_.insert(leaf);
  if (remove_leaf(leaf)) {
    leaves_.erase(leaf);
    return;
  }
  if (attempts == 500) spdlog::warn("cgroup {} cannot be removed: {}", leaf, std::strerror(errno));
  loop_.after(retry_pause, [this, leaf, attempts] { remove_leaf_soon(leaf, attempts + 1); });
}

std::optional<Ended> Containers::find(const Handle& c) {
  const std::string runtime = layout_.runtime(c->id);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    if (const auto ended = read_exit(runtime)) return *ended;
    const auto record = read_started(runtime);
    if (record && boot_id() == record->boot_id) {
      c->process = open_process(record->shim);
      if (!c->process.open()) return read_exit(runtime).value_or(Ended{.wait_status = SIGKILL, .shim_lost = true});
      c->task = record->task;
      return std::nullopt;
    }
    if (record) return Ended{.wait_status = SIGKILL, .shim_lost = true};  // the machine was restarted
    if (forbid_start(runtime)) return read_exit(runtime).value_or(Ended{.never_started = true});
    ::usleep(1000);  // a shim is just beginning
  }
  return Ended{.wait_status = SIGKILL, .shim_lost = true};
}

void Containers::adopt(const ContainerId& id) {
  auto c = std::make_shared<Container>();
  c->id = id;
  containers_[id] = c;
  const auto ended = find(c);
  loop_.post([this, c, ended] {
    if (ended && ended->shim_lost) return on_lost(c);
    if (ended) return end(c, *ended);
    watch(c);
    tell_started(c, c->task.pid);
  });
}

void Containers::terminate(const ContainerId& id) {
  if (const auto c = find_handle(id)) send_signal(c->process, SIGTERM);
}

void Containers::destroy(const ContainerId& id) {
  const auto c = find_handle(id);
  if (c == nullptr || c->gone) return;
  c->cancelled = true;  // while it is being prepared
  if (c->leaf.empty()) c->leaf = read_file(layout_.runtime(id) + "/leaf").value_or("");
  if (!c->leaf.empty() && c->process.open()) kill_leaf(c->leaf);  // at once, even if somebody has stopped the shim
  send_signal(c->process, SIGUSR1);
  send_signal(c->process, SIGCONT);
}

void Containers::forget(const ContainerId& id) {
  containers_.erase(id);
  remove_tree(layout_.runtime(id));
}

void Containers::destroy_orphans(const std::function<bool(const ContainerId&)>& known) {
  std::error_code none;
  for (const auto& folder : std::filesystem::directory_iterator(layout_.runtimes(), none)) {
    const ContainerId id(folder.path().filename().string());
    if (!known(id)) adopt(id);  // the core, which does not know it either, has it destroyed and forgotten
  }
  options_.cgroups.remove_stale(
      [this](const std::string& name) { return std::filesystem::exists(layout_.runtime(ContainerId(name))); });
}

void Containers::remove(const std::string& sandbox) {
  workers_.run([sandbox] { remove_sandbox(sandbox); }, [] {});
}

void Containers::remove_volume(const std::string& path) {
  workers_.run(
      [path] {
        remove_tree(path);
        ::rmdir(path.substr(0, path.rfind('/')).c_str());  // the role's folder goes with its last volume
      },
      [] {});
}

void Containers::link(const ContainerPlan& plan) {
  // The sandbox is the task's by now, and we may be root: no path that it could bend.
  for (const auto& volume : plan.volumes)
    if (volume.container_path.find('/') != std::string::npos)
      return spdlog::warn("container {}: volume {} is not linked: it lies in a folder of a running sandbox",
                          plan.id.str(), volume.container_path);
  const auto user = choose_user(options_.users, plan.command_user, plan.framework_user);
  const auto linked = user ? link_volumes(plan.volumes, plan.sandbox, *user) : tl::unexpected(user.error());
  if (!linked) spdlog::warn("container {}: {}", plan.id.str(), linked.error().message);
}

struct CheckRun {
  Shim shim;
  std::function<void(std::optional<int>)> done;
};

void Containers::check(const ContainerPlan& plan, Duration timeout, std::function<void(std::optional<int>)> done) {
  const auto user = choose_user(options_.users, plan.command_user, plan.framework_user);
  Result<Shim> shim = user ? spawn_shim({.shim = options_.shim,
                                         .sandbox = plan.sandbox,
                                         .leaf = read_file(layout_.runtime(plan.id) + "/leaf").value_or(""),
                                         .user = *user,
                                         .command = plan.command,
                                         .timeout = timeout})
                           : tl::unexpected(user.error());
  if (!shim) {
    spdlog::warn("container {}: cannot run its check: {}", plan.id.str(), shim.error().message);
    return loop_.post([done = std::move(done)] { done(std::nullopt); });
  }
  auto run = std::make_shared<CheckRun>(CheckRun{std::move(*shim), std::move(done)});
  const int key = run->shim.process.get();
  checks_[key] = run;
  loop_.when_readable(key, [this, run, key] {
    char line[64] = {};
    int status = 0;
    const bool ended =
        ::read(run->shim.report.get(), line, sizeof line - 1) > 0 && std::sscanf(line, "exit %d", &status) == 1;
    reap(run->shim.process);
    loop_.forget(key);
    checks_.erase(key);
    run->done(ended && WIFEXITED(status) ? std::optional(WEXITSTATUS(status)) : std::nullopt);
  });
}

}  // namespace banyan::posix
