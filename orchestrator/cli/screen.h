// Redraws a few lines of a terminal in place.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace banyan::cli {

class Screen {
 public:
  explicit Screen(int fd) : fd_(fd) {}
  ~Screen();  ///< shows the cursor again
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  void draw(const std::vector<std::string>& lines);
  [[nodiscard]] std::size_t columns() const;
  [[nodiscard]] std::size_t rows() const;

 private:
  int fd_;
  std::size_t drawn_ = 0;
  bool hidden_ = false;
};

}  // namespace banyan::cli
