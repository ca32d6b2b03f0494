// Stack files of the tests, read from this folder.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "specs/load.h"

namespace banyan::specs {

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

inline Source source_of(const std::filesystem::path& path) {
  Source source;
  source.file = path.filename().string();
  source.text = slurp(path);
  source.read_file = [folder = path.parent_path()](const std::string& name) -> Result<std::string> {
    if (!std::filesystem::is_regular_file(folder / name)) return error("no such file");
    return slurp(folder / name);
  };
  source.digest_file = [folder = path.parent_path()](const std::string& name) -> Result<std::string> {
    if (!std::filesystem::is_regular_file(folder / name)) return error("no such file");
    return std::string(64, 'd');
  };
  return source;
}

/// A stack given in the test itself; it reads no files.
inline Loaded load_text(std::string text, std::map<std::string, std::string> vars = {}, std::string profile = {}) {
  Source source;
  source.file = "stack.yaml";
  source.text = std::move(text);
  source.vars = std::move(vars);
  source.profile = std::move(profile);
  return load(source);
}

}  // namespace banyan::specs
