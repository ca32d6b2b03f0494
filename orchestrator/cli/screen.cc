#include "orchestrator/cli/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace banyan::cli {
namespace {

winsize size_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size.ws_col = 80, size.ws_row = 24;
  return size;
}

}  // namespace

Screen::~Screen() {
  if (hidden_) [[maybe_unused]]
    const auto written = ::write(fd_, "\x1b[?25h", 6);
}

std::size_t Screen::columns() const { return size_of(fd_).ws_col; }
std::size_t Screen::rows() const { return size_of(fd_).ws_row; }

void Screen::draw(const std::vector<std::string>& lines) {
  std::string out;
  if (!hidden_) out += "\x1b[?25l";
  hidden_ = true;
  if (drawn_ > 0) out += "\x1b[" + std::to_string(drawn_) + "A";
  for (const auto& line : lines) out += "\r" + line + "\x1b[K\n";
  out += "\x1b[J";
  drawn_ = lines.size();
  [[maybe_unused]] const auto written = ::write(fd_, out.data(), out.size());
}

}  // namespace banyan::cli
