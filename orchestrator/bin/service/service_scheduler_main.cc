// banyan-service-scheduler: the child scheduler of a node whose servers are declared in the stack file.
//
// Started by the framework executor, which hands it everything by environment and socket; it takes no arguments.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "orchestrator/bin/service/shell.h"
#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/sqlite/sqlite_store.h"

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// What lives from the election on.
struct Term {
  std::unique_ptr<banyan::Store> store;
  std::unique_ptr<banyan::service::Shell> shell;
};

}  // namespace

int main() {
  const std::string socket = environment("BANYAN_SOCKET");
  const std::string folder = environment("BANYAN_STORE");
  if (socket.empty() || folder.empty()) {
    std::fprintf(stderr,
                 "BANYAN_SOCKET and BANYAN_STORE are not set: this program is started by Banyan's framework "
                 "executor, see `banyan up`\n");
    return 2;
  }
  banyan::Loop loop;
  Term term;
  int code = 0;
  const auto give_up = [&](const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    code = 1;
    loop.stop();
  };
  loop.on_signals({SIGTERM, SIGINT}, [&](int) { loop.stop(); });  // tasks stay; the next scheduler takes them up

  const auto election = banyan::make_file_election(loop, folder, "scheduler");
  election->campaign(
      [&] {
        auto store = banyan::open_sqlite_store(loop, folder, "scheduler");
        if (!store) return give_up(store.error().message);
        term.store = std::move(*store);
        auto stored = term.store->load();
        if (!stored) return give_up(stored.error().message);
        term.shell = std::make_unique<banyan::service::Shell>(loop, *term.store, std::move(*stored), socket);
      },
      [&](const std::string& reason) { give_up("lost the election: " + reason); });
  loop.run();

  if (term.shell) code = std::max(code, term.shell->exit_code());
  std::fflush(nullptr);
  std::_Exit(code);  // a probe's thread may still wait for a broker; nothing here needs an orderly end
}
