// banyan-master: options, the store, the loop; everything else is in daemon.h and the core.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>

#include "runtime/adapters/posix/self.h"
#include "runtime/adapters/sqlite/sqlite_store.h"
#include "runtime/base/quantity.h"
#include "runtime/bin/master/daemon.h"

namespace {

struct Arguments {
  banyan::master::DaemonOptions daemon;
  std::string state;
  double offer_timeout = banyan::seconds(banyan::limits::offer_timeout_default);
  double agent_silence = banyan::seconds(banyan::limits::agent_silence_max);
  int ready_fd = -1;
};

/// "30s", "1m30s"; a plain number is seconds.
std::string to_seconds(std::string& text) {
  const bool plain = text.find_first_not_of("0123456789.") == std::string::npos;
  const auto duration = banyan::parse_duration(plain ? text + "s" : text);
  if (!duration) return duration.error().message;
  text = std::to_string(banyan::seconds(*duration));
  return "";
}

int run(const Arguments& arguments) {
  banyan::Loop loop;
  if (mkdir(arguments.state.c_str(), 0755) != 0 && errno != EEXIST) {
    spdlog::error("cannot make the state folder {}: {}", arguments.state, std::strerror(errno));
    return 1;
  }
  auto store = banyan::open_sqlite_store(loop, arguments.state, "master");
  if (!store) {
    spdlog::error("{}", store.error().message);
    return 1;
  }
  int status = 0;
  auto daemon = banyan::master::Daemon::start(
      loop, **store, arguments.daemon, [&] { banyan::posix::report_ready(arguments.ready_fd); },
      [&](const banyan::Error& error) {
        spdlog::critical("{}", error.message);
        status = 1;
        loop.stop();
      });
  if (!daemon) {
    spdlog::error("{}", daemon.error().message);
    return 1;
  }
  loop.on_signals({SIGTERM, SIGINT}, [&](int signal) {
    spdlog::info("ending on signal {}", signal);
    loop.stop();
  });
  loop.run();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("banyan-master: knows agents and their resources and offers them to frameworks (Mesos v1 HTTP API)");
  app.add_option("--listen", arguments.daemon.listen, "address of the v1 API for schedulers and operators");
  app.add_option("--agent-listen", arguments.daemon.agent_listen, "address for agents");
  app.add_option("--advertise", arguments.daemon.advertise, "address told to others (default: that of --listen)");
  app.add_option("--state", arguments.state, "folder of the master's database")->required();
  app.add_option("--offer-timeout", arguments.offer_timeout, "unanswered offers go back after this time, e.g. 30s")
      ->transform(CLI::Validator(to_seconds, "DURATION"));
  app.add_option("--agent-silence", arguments.agent_silence, "an agent is counted lost after this silence, e.g. 10s")
      ->transform(CLI::Validator(to_seconds, "DURATION"));
  app.add_option("--ready-fd", arguments.ready_fd, "write 'ready' to this inherited descriptor once serving");
  CLI11_PARSE(app, argc, argv);
  arguments.daemon.core.offer_timeout = banyan::from_seconds(arguments.offer_timeout);
  arguments.daemon.core.agent_silence = banyan::from_seconds(arguments.agent_silence);
  spdlog::set_default_logger(spdlog::stderr_logger_st("master"));
  std::signal(SIGPIPE, SIG_IGN);
  return run(arguments);
}
