#include "orchestrator/cli/bundle.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "runtime/adapters/posix/digest.h"
#include "runtime/adapters/posix/files.h"

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
    auto text = posix::read_file(*path);
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
    auto content = posix::read_file((folder / named).string());
    if (content) (*bundle.mutable_files())[named] = *content;
    return content;
  };
  source.digest_file = [&](const std::string& named) -> Result<std::string> {
    const auto file = (folder / named).string();
    std::error_code failure;
    if (!fs::exists(file, failure)) return error("no such file");
    if (!fs::is_regular_file(file, failure)) return error("it is no file");
    auto digest = posix::sha256_of_file(file);
    if (digest) (*bundle.mutable_local_files())[named] = *digest;
    return digest;
  };
  source.is_program = [&](const std::string& named) {
    std::error_code failure;
    return (fs::status(folder / named, failure).permissions() & fs::perms::owner_exec) != fs::perms::none && !failure;
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

Result<void> place_local_files(const Options& options, const root::Bundle& bundle, const std::string& folder) {
  const auto stack_file = find_stack_file(options);
  if (!stack_file) return tl::unexpected(stack_file.error());
  const fs::path from = *stack_file == "-" ? fs::path() : fs::path(*stack_file).parent_path();
  std::error_code failure;
  for (const auto& [named, sha256] : bundle.local_files()) {
    const fs::path kept = fs::path(folder) / sha256;
    if (named.starts_with('/')) continue;
    if (fs::exists(kept, failure)) {  // its mode may have changed since: the root asks whether it is a program
      fs::permissions(kept, fs::status(from / named, failure).permissions(), failure);
      continue;
    }
    fs::create_directories(folder, failure);
    const fs::path fresh = kept.string() + "." + std::to_string(::getpid());
    if (!fs::copy_file(from / named, fresh, fs::copy_options::overwrite_existing, failure))
      return error("cannot copy " + named + " to the cluster's artifacts in " + folder + ": " + failure.message());
    if (const auto copied = posix::sha256_of_file(fresh); !copied || *copied != sha256) {
      fs::remove(fresh, failure);
      return error(named + " changed while it was read; run the command again");
    }
    fs::rename(fresh, kept, failure);
    if (failure) return error("cannot write " + kept.string() + ": " + failure.message());
  }
  return {};
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
