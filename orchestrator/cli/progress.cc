#include "orchestrator/cli/progress.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <map>
#include <set>

#include "orchestrator/cli/exit_codes.h"
#include "orchestrator/core/states.h"

namespace banyan::cli {
namespace {

constexpr std::array<std::string_view, 10> spinner{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};

bool good(const root::NodeStatus& node) { return node.state() == "serving" || node.state() == "completed"; }
bool busy(const root::NodeStatus& node) {
  return node.state() == "launching" || node.state() == "starting" || node.state() == "stopping" ||
         node.state() == "degraded";
}

const root::NodeStatus* find(const root::StackStatus& stack, const std::string& name) {
  for (const auto& node : stack.nodes())
    if (node.name() == name) return &node;
  return nullptr;
}

std::string servers(const root::NodeStatus& node) {
  if (node.tasks().empty()) return "";
  int up = 0;
  for (const auto& task : node.tasks()) up += task.state() == "serving" || task.state() == "completed";
  return std::to_string(up) + "/" + std::to_string(node.tasks_size());
}

/// Nodes whose line is news.
std::vector<const root::NodeStatus*> news(const std::optional<root::StackStatus>& before,
                                          const root::StackStatus& now) {
  std::vector<const root::NodeStatus*> found;
  for (const auto& node : now.nodes()) {
    const root::NodeStatus* old = before ? find(*before, node.name()) : nullptr;
    const bool reason_counts = node.state() != "serving" && node.state() != "completed";
    if (old == nullptr || old->state() != node.state() || (reason_counts && old->reason() != node.reason()))
      found.push_back(&node);
  }
  return found;
}

}  // namespace

std::vector<std::string> picture(const root::StackStatus& stack, const Frame& frame, const Paint& paint) {
  int done = 0;
  std::size_t name_width = 4;
  for (const auto& node : stack.nodes()) {
    done += frame.verb == "down" ? node.state() == "stopped" : good(node);
    name_width = std::max(name_width, node.name().size());
  }
  const bool all = done == stack.nodes_size();
  const auto count = static_cast<std::size_t>(stack.nodes_size());
  std::vector<std::string> lines{fit(paint(all ? Tone::good : Tone::strong,
                                           "[" + std::string(all ? "✔" : "+") + "] " + frame.verb + " " + stack.name() +
                                               " " + std::to_string(done) + "/" + std::to_string(count)) +
                                         "  " + paint(Tone::faint, elapsed(frame.elapsed_ms)),
                                     frame.columns - 1)};
  // The cursor waits in the row below the last line: a picture as high as the screen would scroll at each redraw.
  const auto rows = frame.rows > 3 ? frame.rows - 2 : 1;
  const auto shown = count <= rows ? count : rows - 1;
  for (int i = 0; i < static_cast<int>(shown); ++i) {
    const auto& node = stack.nodes(i);
    const auto how = look(node.state());
    const auto mark = busy(node) ? spinner[frame.tick % spinner.size()] : how.glyph;
    const bool timed = !good(node) && node.state() != "stopped";
    const std::string timer = timed                                        ? elapsed(node.since_ms() + frame.age_ms)
                              : node.took_ms() > 0 && frame.verb != "down" ? elapsed(node.took_ms())
                                                                           : "";
    std::string left = " " + paint(how.tone, mark) + " " + node.name() +
                       std::string(name_width - node.name().size() + 2, ' ') + paint(how.tone, node.state()) +
                       std::string(node.state().size() < 12 ? 12 - node.state().size() : 1, ' ');
    std::string detail = servers(node);
    if (!node.reason().empty() && !good(node)) detail += (detail.empty() ? "" : "  ") + node.reason();
    const auto right = timer.size() + 2;
    const auto for_left = frame.columns > right + 1 ? frame.columns - right - 1 : 1;
    left = fit(left + detail, for_left);
    const auto used = width(left);
    lines.push_back(left + std::string(for_left > used ? for_left - used : 0, ' ') + "  " + paint(Tone::faint, timer));
  }
  if (shown < count)
    lines.push_back(fit(paint(Tone::faint, " … " + std::to_string(count - shown) + " more"), frame.columns - 1));
  return lines;
}

std::vector<std::string> changes(const std::optional<root::StackStatus>& before, const root::StackStatus& now,
                                 std::uint64_t elapsed_ms, const Paint& paint) {
  std::vector<std::string> lines;
  for (const auto* node : news(before, now)) {
    const auto how = look(node->state());
    std::string line = paint(Tone::faint, elapsed(elapsed_ms)) + "  " + paint(how.tone, how.glyph) + " " +
                       node->name() + " " + paint(how.tone, node->state());
    if (good(*node) && node->took_ms() > 0) line += " after " + elapsed(node->took_ms());
    if (!node->reason().empty() && !good(*node)) line += ": " + node->reason();
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> changes_json(const std::optional<root::StackStatus>& before, const root::StackStatus& now,
                                      std::uint64_t elapsed_ms) {
  std::vector<std::string> lines;
  for (const auto* node : news(before, now))
    lines.push_back(boost::json::serialize(boost::json::object{
        {"elapsed_ms", elapsed_ms}, {"node", node->name()}, {"state", node->state()}, {"reason", node->reason()}}));
  return lines;
}

root::StackStatus settled_before(const root::StackStatus& now, std::uint64_t elapsed_ms) {
  root::StackStatus rest;
  for (const auto& node : now.nodes())
    if (good(node) && node.since_ms() > elapsed_ms) *rest.add_nodes() = node;
  return rest;
}

std::vector<std::string> left_behind(const root::StackStatus& stack) {
  std::vector<std::string> lines;
  for (const auto& node : stack.nodes()) {
    std::set<std::string> old;
    for (const auto& task : node.tasks()) old.insert(task.launched_with().begin(), task.launched_with().end());
    if (old.empty()) continue;
    std::string what;
    for (const auto& address : old) what += (what.empty() ? "" : ", ") + address;
    lines.push_back(node.name() + " goes on with " + what + ", which has changed since; `banyan restart " +
                    node.name() + "` brings it to the present one");
  }
  return lines;
}

root::StackStatus calmed(const root::StackStatus& said, const root::StackStatus& now, std::uint64_t elapsed_ms,
                         std::map<std::string, std::uint64_t>& told_at) {
  constexpr std::uint64_t pause_ms = 5000;
  root::StackStatus calm = now;
  for (auto& node : *calm.mutable_nodes()) {
    const root::NodeStatus* old = find(said, node.name());
    const bool same_state = old != nullptr && old->state() == node.state();
    if (same_state && old->reason() == node.reason()) continue;
    if (same_state && elapsed_ms < told_at[node.name()] + pause_ms) node.set_reason(old->reason());
    else told_at[node.name()] = elapsed_ms;
  }
  return calm;
}

std::optional<int> outcome(const root::Revision& newest, std::uint64_t mine) {
  if (newest.number() > mine) return exit_conflict;
  const auto end = std::ranges::find(revision_ends, newest.state(), &RevisionEnd::state);
  return newest.number() < mine || end == revision_ends.end() ? std::nullopt : std::optional(end->code);
}

std::string summary(const root::StackStatus& stack, std::uint64_t elapsed_ms) {
  // The longest way: each node's own time on top of its slowest dependency's.
  std::map<std::string, std::pair<std::uint64_t, std::string>> way;  // node -> total, words
  std::pair<std::uint64_t, std::string> longest;
  for (const auto& node : stack.nodes()) {  // in launch order
    std::pair<std::uint64_t, std::string> before;
    for (const auto& edge : node.edges())
      if (const auto found = way.find(edge.on()); found != way.end()) before = std::max(before, found->second);
    if (node.took_ms() > 0)  // the others took no part
      before = {before.first + node.took_ms(),
                before.second + (before.second.empty() ? "" : " -> ") + node.name() + " " + elapsed(node.took_ms())};
    longest = std::max(longest, way[node.name()] = before);
  }
  std::string text = stack.name() + " is " + stack.state() + ": " + std::to_string(stack.nodes_size()) +
                     (stack.nodes_size() == 1 ? " node" : " nodes") + " in " + elapsed(elapsed_ms);
  if (stack.nodes_size() > 1 && longest.first > 0) text += "; longest way " + longest.second;
  return text;
}

}  // namespace banyan::cli
