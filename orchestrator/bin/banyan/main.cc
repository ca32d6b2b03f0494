// The one program: the command line, and behind `root` and `dev` the daemons.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "orchestrator/bin/banyan/dev.h"
#include "orchestrator/bin/banyan/root_shell.h"
#include "orchestrator/cli/cli.h"
#include "orchestrator/cli/connect.h"
#include "orchestrator/cli/exit_codes.h"

namespace {

/// Parses a daemon's own flags, then runs it. CLI11 wants the words in reverse.
template <class Run>
int parse_and_run(CLI::App& app, const std::vector<std::string>& words, Run run) {
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& failure) {
    return app.exit(failure) == 0 ? banyan::cli::exit_ok : banyan::cli::exit_usage;
  }
  return run();
}

int root(const std::vector<std::string>& words) {
  banyan::root::RootOptions options;
  CLI::App app{"Runs a root scheduler: a framework whose tasks are other frameworks' schedulers.", "banyan root"};
  app.add_option("--master", options.masters, "host:port of the masters, comma separated")->required()->delimiter(',');
  app.add_option("--state", options.state, "folder of its database")->required();
  app.add_option("--api", options.api, "where the command line finds it: unix:/path")->required();
  app.add_option("--programs", options.programs, "folder of Banyan's own programs (default: its own)");
  app.add_option("--nodes", options.nodes, "folder of the children's state (default: beside --state)");
  app.add_option("--cluster", options.cluster_file, "cluster.json, for pids in status (default: beside --state)");
  app.add_option("--host", options.host, "the address at which agents reach it");
  app.add_option("--task-user", options.task_user, "whom schedulers and servers run as (default, as root: nobody)");
  app.add_option("--ready-fd", options.ready_fd, "write \"ready\" to this descriptor once serving");
  return parse_and_run(app, words, [&] { return banyan::root::run_root(options); });
}

int dev(const std::vector<std::string>& words) {
  banyan::root::DevOptions options;
  options.state = banyan::cli::cluster_folder();
  CLI::App app{"Runs a master, an agent and a root on this machine, and restarts what dies.", "banyan dev"};
  app.add_option("--state", options.state, "folder of this cluster");
  app.add_option("--resources", options.resources, "the agent's resources, e.g. cpus:4;mem:8192 (default: detected)");
  app.add_flag("--background", options.background, "as `up` starts it: quiet, ends with its last stack");
  app.add_option("--ready-fd", options.ready_fd, "write \"ready\" to this descriptor once serving");
  return parse_and_run(app, words, [&] {
    options.state = std::filesystem::absolute(options.state).lexically_normal().string();
    return banyan::root::run_dev(options);
  });
}

}  // namespace

int main(int argc, char** argv) {
  ::umask(022);  // tasks run as others and must reach their sandboxes; what is secret says so by its own mode
  return banyan::cli::run(argc, argv, {BANYAN_VERSION, root, dev});
}
