// banyan-agent: runs tasks on one machine. Its end leaves them running; its next start takes them back.
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "runtime/adapters/posix/self.h"
#include "runtime/bin/agent/agent_info.h"
#include "runtime/bin/agent/world.h"

namespace {

using banyan::agent::Settings;
using banyan::posix::Isolation;

void declare(CLI::App& app, Settings& s) {
  app.add_option("--master", s.master, "host:port where the master takes agents")->required();
  app.add_option("--listen", s.listen, "host:port of the HTTP API")->capture_default_str();
  app.add_option("--work-dir", s.work_dir, "sandboxes, volumes, records, cache")->required();
  app.add_option("--resources", s.resources, "cpus:4;mem:8192;disk:100000;ports:[31000-32000]; else detected");
  app.add_option("--attributes", s.attributes, "rack:a;zone:b");
  app.add_option("--hostname", s.hostname, "the name offers carry")->capture_default_str();
  app.add_option("--shim", s.shim, "path of banyan-shim; else beside this program");
  app.add_option("--task-user", s.task_user, "as root: who runs tasks that name nobody")->capture_default_str();
  app.add_flag("--allow-root-tasks", s.allow_root_tasks, "let tasks that ask for it run as root");
  app.add_option("--isolation", s.isolation, "auto, cgroups or none")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Isolation>{
          {"auto", Isolation::automatic}, {"cgroups", Isolation::cgroups}, {"none", Isolation::none}}));
  app.add_option("--socket-dir", s.socket_dir, "folder of the executors' socket");
  app.add_option("--executor-reregistration-timeout", s.executor_reregistration_timeout_s,
                 "seconds a running executor has to come back to a restarted agent")
      ->capture_default_str();
  app.add_option("--sandboxes-max", s.sandboxes_max, "sandboxes of ended runs that are kept")->capture_default_str();
  app.add_option("--ready-fd", s.ready_fd, "descriptor that gets \"ready\" once the agent serves");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs tasks on one machine for a Banyan master.");
  Settings settings;
  declare(app, settings);
  CLI11_PARSE(app, argc, argv);
  spdlog::set_default_logger(spdlog::stderr_logger_mt("agent"));
  spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e agent %l: %v");
  spdlog::flush_on(spdlog::level::info);
  ::signal(SIGPIPE, SIG_IGN);
  ::umask(022);

  const auto shim = banyan::agent::find_shim(settings.shim);
  if (!shim) {
    spdlog::critical("{}", shim.error().message);
    return 1;
  }
  settings.shim = *shim;
  settings.work_dir = std::filesystem::absolute(settings.work_dir).lexically_normal().string();
  while (settings.work_dir.size() > 1 && settings.work_dir.ends_with('/')) settings.work_dir.pop_back();

  banyan::Loop loop;
  auto world = banyan::agent::World::open(loop, settings);
  if (!world) {
    spdlog::critical("{}", world.error().message);
    return 1;
  }
  loop.on_signals({SIGTERM, SIGINT}, [&loop](int) {
    spdlog::info("stopping; tasks go on");
    loop.stop();
  });
  (*world)->start();
  banyan::posix::report_ready(settings.ready_fd);
  loop.run();
  return 0;
}
