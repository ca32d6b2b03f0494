// The command line: verbs, flags, exit codes as users of Compose, kubectl and Terraform know them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/base/time.h"

namespace banyan::cli {

/// The flags every verb shares.
struct Options {
  std::string file;   ///< -f; empty: stack.yaml or banyan.yaml here or in a parent folder
  std::string stack;  ///< -p
  std::string profile;
  std::map<std::string, std::string> vars;  ///< --var k=v
  std::string output;                       ///< -o; empty: the verb's first (cli.cc, all_forms)
  std::string progress = "auto";            ///< auto|tty|plain|json|quiet
  std::string color = "auto";               ///< auto|always|never; NO_COLOR counts
  std::string address;                      ///< of the root; else $BANYAN_ADDRESS, else cluster.json
  Duration timeout{0};                      ///< 0: none
  bool yes = false;
  bool quiet = false;
  bool dry_run = false;
  bool supersede = false;  ///< `up`: close an open revision of somebody else
};

/// What only `bin` can do: run daemons. Each gets its verb's remaining words and returns an exit code.
struct Hooks {
  std::string version;
  std::function<int(const std::vector<std::string>& args)> root;
  std::function<int(const std::vector<std::string>& args)> dev;
};

/// The whole program. Data goes to stdout, messages to stderr.
int run(int argc, char** argv, const Hooks& hooks);

/// "90s", "1m30s", "250ms", "2h", or seconds as a plain number.
[[nodiscard]] bool parse_duration(const std::string& text, Duration& out);

}  // namespace banyan::cli
