#include "orchestrator/cli/bundle.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "orchestrator/api/cluster_file.h"

namespace banyan::cli {
namespace fs = std::filesystem;

Result<std::string> find_stack_file(const Options& options) {
  if (!options.file.empty()) return options.file;
  std::error_code failure;
  for (fs::path folder = fs::current_path(failure); !folder.empty(); folder = folder.parent_path()) {
    for (const char* file_name : {"stack.yaml", "banyan.yaml"})
      if (fs::exists(folder / file_name, failure)) return fs::relative(folder / file_name, failure).string();
    if (folder == folder.root_path()) break;
  }
  return error("no stack file: name one, or be in a folder that has a stack.yaml");
}

Result<Read> read_bundle(const Options& options) {
  const auto path = find_stack_file(options);
  if (!path) return tl::unexpected(path.error());
  Read read;
  auto& bundle = read.bundle;
  bundle.set_file(*path == "-" ? "<stdin>" : *path);
  if (*path == "-") {
    bundle.set_text(std::string(std::istreambuf_iterator<char>(std::cin), {}));
  } else {
    std::error_code failure;
    if (!fs::is_regular_file(*path, failure)) return error("no such file: " + *path);
    auto text = root::read_file(*path);
    if (!text) return tl::unexpected(text.error());
    bundle.set_text(std::move(*text));
  }
  bundle.set_profile(options.profile);
  for (const auto& [key, value] : options.vars) (*bundle.mutable_vars())[key] = value;

  const fs::path folder = *path == "-" ? fs::path() : fs::path(*path).parent_path();
  specs::Source source;
  source.file = bundle.file();
  source.text = bundle.text();
  source.profile = options.profile;
  source.vars = options.vars;
  source.read_file = [&](const std::string& named) -> Result<std::string> {
    auto content = root::read_file((folder / named).string());
    if (content) (*bundle.mutable_files())[named] = *content;
    return content;
  };
  read.loaded = specs::load(source);
  if (read.loaded.stack)
    for (const auto& named : read.loaded.stack->files)
      if (!bundle.files().contains(named)) {
        const auto content = source.read_file(named);
        if (!content) return tl::unexpected(content.error());
      }
  return read;
}

Result<Target> find_target(const Options& options) {
  if (options.file.empty() && !options.stack.empty()) return Target{options.stack, "-p"};
  const auto path = find_stack_file(options);
  if (!path) return Target{};
  const auto read = read_bundle(options);
  if (!read) return tl::unexpected(read.error());
  const auto& loaded = read->loaded;
  const bool named = loaded.stack || std::ranges::all_of(loaded.diagnostics, [](const specs::Diagnostic& mistake) {
                       return mistake.code == "E302";  // a variable without a value
                     });
  if (!named || loaded.name.empty())
    return error(*path + " is invalid, so it names no stack; `banyan validate " + *path + "` says why, -p names one");
  if (!options.stack.empty() && options.stack != loaded.name)
    return error("-p names the stack \"" + options.stack + "\", " + *path + " names \"" + loaded.name + "\"");
  return Target{loaded.name, *path};
}

}  // namespace banyan::cli
