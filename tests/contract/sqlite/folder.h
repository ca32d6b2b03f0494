// A folder of its own for each test, removed afterwards.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "runtime/base/check.h"

namespace banyan {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "banyan-test-XXXXXX").string();
    BANYAN_CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace banyan
