#include "orchestrator/cli/timeline.h"

#include <cstdio>
#include <ctime>
#include <vector>

namespace banyan::cli {
namespace {

std::tm local(std::int64_t wall_ms) {
  const std::time_t seconds = static_cast<std::time_t>(wall_ms / 1000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return parts;
}

std::string padded(const std::string& text, std::size_t columns) {
  return text.size() < columns ? text + std::string(columns - text.size(), ' ') : text;
}

/// What the state of a revision looks like: as the node's state that means the same.
Look look_of_revision(const std::string& state) {
  return look(state == "done"         ? "serving"
              : state == "open"       ? "starting"
              : state == "superseded" ? "stopped"
                                      : "failed");
}

}  // namespace

std::string when(std::int64_t wall_ms, std::int64_t now_ms) {
  const std::tm then = local(wall_ms), now = local(now_ms);
  char text[32];
  const bool today = then.tm_year == now.tm_year && then.tm_yday == now.tm_yday;
  std::strftime(text, sizeof text, today ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &then);
  return text;
}

std::string render_event(const root::Event& event, std::uint64_t zero_ms, std::int64_t now_ms, const Paint& paint) {
  char number[24], offset[24];
  std::snprintf(number, sizeof number, "%5llu", static_cast<unsigned long long>(event.seq()));
  std::snprintf(offset, sizeof offset, "%+10.3fs",
                (static_cast<double>(event.mono_ms()) - static_cast<double>(zero_ms)) / 1000);
  const auto dot = event.kind().find('.');
  const std::string state = dot == std::string::npos ? "" : event.kind().substr(dot + 1);
  std::string line = paint(Tone::faint, number + std::string("  ") + when(event.wall_ms(), now_ms) + " " + offset) +
                     "  " + padded(event.node(), 14) + "  " + paint(look(state).tone, padded(event.kind(), 18));
  if (!event.detail().empty()) line += "  " + event.detail();
  if (event.outage_ms() > 0) line += "  after an outage of " + elapsed(event.outage_ms());
  if (!event.cause().empty()) line += paint(Tone::faint, "  (" + event.cause() + ")");
  if (event.root_cause() != 0 && event.root_cause() != event.seq())
    line += paint(Tone::faint, "  began with " + std::to_string(event.root_cause()));
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string render_history(const root::History& history, std::int64_t now_ms, const Paint& paint) {
  std::vector<std::vector<std::string>> rows{{"REVISION", "STATE", "OPENED", "BY", "HASH", "WHAT CAME OF IT"}};
  for (auto& cell : rows.front()) cell = paint(Tone::faint, cell);
  for (const auto& revision : history.revisions()) {
    const auto how = look_of_revision(revision.state());
    const std::string came = !revision.reason().empty()   ? revision.reason()
                             : !revision.step().empty()   ? revision.step()
                             : revision.state() == "open" ? "under way for " + elapsed(revision.age_ms())
                                                          : "";
    rows.push_back({std::to_string(revision.number()), paint(how.tone, std::string(how.glyph) + " " + revision.state()),
                    when(revision.opened_ms(), now_ms), revision.owner(), short_hash(revision.hash()), came});
  }
  return table(rows, {0});
}

std::string revision_text(const root::Revision& revision) {
  std::string text = std::to_string(revision.number());
  if (!revision.owner().empty()) text += " of " + revision.owner();
  text += ", " + revision.state() + " for " + elapsed(revision.age_ms());
  return revision.step().empty() ? text : text + ", " + revision.step();
}

std::string short_hash(const std::string& hash) { return hash.empty() ? "-" : hash.substr(0, 8); }

}  // namespace banyan::cli
