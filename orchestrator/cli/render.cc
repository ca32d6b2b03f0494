#include "orchestrator/cli/render.h"

#include <map>
#include <set>

#include "orchestrator/cli/timeline.h"

namespace banyan::cli {
namespace {

template <class List>
std::string join(const List& list, const std::string& separator) {
  std::string text;
  for (const auto& item : list) text += (text.empty() ? "" : separator) + item;
  return text;
}

std::string glyph(const std::string& state, const Paint& paint) {
  const auto how = look(state);
  return paint(how.tone, how.glyph);
}

std::string word(const std::string& state, const Paint& paint) { return paint(look(state).tone, state); }

std::string pid_text(std::uint32_t pid) { return pid == 0 ? "-" : std::to_string(pid); }

std::string endpoints_text(const root::NodeStatus& node) {
  std::string text;
  for (const auto& endpoint : node.endpoints())
    text += (text.empty() ? "" : "; ") + endpoint.name() + " " + join(endpoint.addresses(), ",");
  return text;
}

/// "9f8e7d6c", or "1a2b3c4d -> 9f8e7d6c" while the node has not acted on what is wanted of it.
std::string observed_text(const root::NodeStatus& node) {
  if (node.observed() == node.target()) return short_hash(node.target());
  return short_hash(node.observed()) + " -> " + short_hash(node.target());
}

/// What a server's line says behind its numbers: its reason, else its addresses; and what is odd about it.
std::string server_text(const root::ServerStatus& task, bool wide) {
  std::vector<std::string> parts{task.reason().empty() ? join(task.addresses(), ",") : task.reason()};
  for (const auto& old : task.launched_with()) parts.push_back("launched with " + old + ", changed since");
  if (wide && !task.ports_unseen().empty()) parts.push_back(task.ports_unseen());
  if (parts.front().empty()) parts.erase(parts.begin());
  return join(parts, "; ");
}

void node_rows(const root::NodeStatus& node, const Paint& paint, bool wide,
               std::vector<std::vector<std::string>>& rows) {
  std::vector<std::string> row{glyph(node.state(), paint) + " " + paint(Tone::strong, node.name()),
                               word(node.state(), paint), pid_text(node.scheduler().pid()),
                               std::to_string(node.scheduler().restarts()), elapsed(node.since_ms())};
  if (wide)
    for (const auto& cell :
         {node.goal(), std::string(node.met() ? "yes" : "no"), observed_text(node), node.scheduler().framework_id(),
          node.scheduler().agent(),
          std::to_string(node.handover_acknowledged()) + "/" + std::to_string(node.handover_version())})
      row.push_back(cell);
  row.push_back(node.reason().empty() ? endpoints_text(node) : node.reason());
  rows.push_back(std::move(row));
  for (const auto& task : node.tasks()) {
    std::vector<std::string> task_row{"  " + glyph(task.state(), paint) + " " + task.name(), word(task.state(), paint),
                                      pid_text(task.pid()), std::to_string(task.restarts()), ""};
    if (wide)
      for (const auto& cell :
           {std::string(), std::string(), short_hash(task.launched()), task.id(), task.agent(), std::string()})
        task_row.push_back(cell);
    task_row.push_back(server_text(task, wide));
    rows.push_back(std::move(task_row));
  }
}

/// "3/5 serving, 1 degraded, 1 waiting": how many of the nodes are in which state, good news first.
std::string counts(const root::StackStatus& stack) {
  std::map<std::string, int> others;
  int serving = 0;
  for (const auto& node : stack.nodes())
    if (node.state() == "serving") ++serving;
    else ++others[node.state()];
  std::string text = std::to_string(serving) + "/" + std::to_string(stack.nodes_size()) + " serving";
  for (const auto& [state, count] : others) text += ", " + std::to_string(count) + " " + state;
  return text;
}

/// The newest revision where it is news: open, it is the stack's lock; short of its goal, it says why.
std::string revision_line(const root::Revision& revision, const Paint& paint) {
  if (revision.state() == "open") return paint(Tone::busy, "  revision " + revision_text(revision)) + "\n";
  if (revision.reason().empty()) return "";
  const std::string head =
      revision.number() == 0 ? "" : "revision " + std::to_string(revision.number()) + " " + revision.state() + ": ";
  return paint(Tone::bad, "  " + head + revision.reason()) + "\n";
}

}  // namespace

std::string render_status(const root::Status& status, const Paint& paint, bool wide) {
  std::string text;
  if (!status.connected())
    text += paint(Tone::warning, "! the root is not connected to the master: this is the last it knew") + "\n";
  if (status.stacks().empty()) return text + "no stack is running\n";
  for (const auto& stack : status.stacks()) {
    text += paint(Tone::strong, stack.name()) + "  " + glyph(stack.state(), paint) + " " + word(stack.state(), paint) +
            "  " + counts(stack) + "\n" + revision_line(stack.revision(), paint);
    if (stack.nodes().empty()) continue;
    std::vector<std::string> head{"  NAME", "STATE", "PID", "RESTARTS", "FOR"};
    if (wide) head.insert(head.end(), {"GOAL", "MET", "OBSERVED", "FRAMEWORK / TASK", "AGENT", "HANDOVER"});
    head.emplace_back("ADDRESSES / REASON");
    for (auto& cell : head) cell = paint(Tone::faint, cell);
    std::vector<std::vector<std::string>> rows{head};
    for (const auto& node : stack.nodes()) node_rows(node, paint, wide, rows);
    text += table(rows, {2, 3, 4});
  }
  return text;
}

std::string conflict_text(const root::UpReply& reply) {
  if (!reply.has_revision()) return reply.conflict();
  return reply.conflict() + ": revision " + revision_text(reply.revision()) +
         "\n  = help: wait for it, or put this file in its place with --supersede";
}

std::string render_planned(const root::UpReply& reply) {
  std::string text;
  for (const auto& change : reply.planned()) {
    text += "  " + change.effect() + " " + (change.server().empty() ? change.node() : change.server());
    if (!change.why().empty()) text += ": " + change.why();
    if (!change.remedy().empty()) text += "; " + change.remedy();
    text += "\n";
  }
  return text;
}

namespace {

/// "◌ flume is waiting for 1m17s: waits for kafka to be serving (it is starting)".
std::string why_line(const root::NodeStatus& node, const Paint& paint) {
  return glyph(node.state(), paint) + " " + paint(Tone::strong, node.name()) + " is " + word(node.state(), paint) +
         " for " + elapsed(node.since_ms()) + (node.reason().empty() ? "" : ": " + node.reason()) + "\n";
}

std::string why_edges(const root::NodeStatus& node, const Paint& paint) {
  std::string text;
  for (const auto& edge : node.edges()) {
    const std::string condition = edge.on() + " (" + edge.condition() + ")" + (edge.required() ? "" : ", not required");
    text += "  " + (edge.holds() ? paint(Tone::good, "✔") : paint(Tone::warning, "◌")) + " needs " + condition +
            ", by " + edge.origin();
    if (!edge.holds()) text += ", for at most " + elapsed(edge.timeout_ms());
    text += "\n";
  }
  return text;
}

/// "    its check printed: …", a line per line.
std::string check_text(const std::string& output) {
  std::string text = "    its check printed: ";
  for (const char c : output) text += c == '\n' ? std::string("\n                       ") : std::string(1, c);
  return text + "\n";
}

std::string why_tasks(const root::NodeStatus& node, const CheckOutputs& checks, const Paint& paint) {
  std::string text;
  if (!node.scheduler().task_id().empty())
    text += "  its scheduler is " + node.scheduler().state() + ": pid " + pid_text(node.scheduler().pid()) +
            ", framework " + node.scheduler().framework_id() + ", " + std::to_string(node.scheduler().restarts()) +
            " restarts\n";
  for (const auto& task : node.tasks()) {
    if (task.state() == "serving" && task.reason().empty()) continue;
    text += "  " + glyph(task.state(), paint) + " " + task.name() + " is " + word(task.state(), paint) +
            (task.reason().empty() ? "" : ": " + task.reason()) + "\n";
    if (const auto output = checks.find(task.id()); output != checks.end()) text += check_text(output->second);
  }
  for (const auto& task : node.tasks()) {
    for (const auto& old : task.launched_with())
      text += "  " + task.name() + " was launched with " + old + ", which has changed since; `banyan restart " +
              node.name() + "` brings it to the present one\n";
    if (!task.ports_unseen().empty()) text += "  " + task.name() + ": " + task.ports_unseen() + "\n";
  }
  if (node.handover_acknowledged() < node.handover_version())
    text += "  its handover version " + std::to_string(node.handover_version()) + " has not arrived yet\n";
  return text;
}

/// Whom this node waits for or failed for; empty: the cause is its own.
std::string blocker(const root::NodeStatus& node) {
  if (!node.cause_node().empty()) return node.cause_node();
  if (node.state() != "waiting") return "";
  for (const auto& edge : node.edges())
    if (!edge.holds() && edge.required()) return edge.on();
  return "";
}

}  // namespace

std::vector<const root::NodeStatus*> causes(const root::StackStatus& stack, const root::NodeStatus& node) {
  std::map<std::string, const root::NodeStatus*> nodes;
  for (const auto& other : stack.nodes()) nodes[other.name()] = &other;
  std::vector<const root::NodeStatus*> chain;
  std::set<std::string> seen{node.name()};
  for (const auto* at = &node;;) {
    const auto next = nodes.find(blocker(*at));
    if (next == nodes.end() || !seen.insert(next->first).second) return chain;
    chain.push_back(at = next->second);
  }
}

std::string render_why(const root::StackStatus& stack, const root::NodeStatus& node, const CheckOutputs& checks,
                       const Paint& paint) {
  constexpr std::size_t links_shown = 8;
  std::string text = why_line(node, paint) + why_edges(node, paint) + why_tasks(node, checks, paint);
  const auto chain = causes(stack, node);
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const bool last = i + 1 == chain.size();
    if (i == links_shown && !last) text += "because … " + std::to_string(chain.size() - i - 1) + " more …\n";
    if (i >= links_shown && !last) continue;
    text += "because " + why_line(*chain[i], paint);
    if (last) text += why_edges(*chain[i], paint) + why_tasks(*chain[i], checks, paint);
  }
  return text;
}

std::string render_endpoints(const root::Status& status, const std::string& wanted, const Paint& paint) {
  std::vector<std::vector<std::string>> rows{{paint(Tone::faint, "NODE"), paint(Tone::faint, "ENDPOINT"),
                                              paint(Tone::faint, "ADDRESSES"), paint(Tone::faint, "NAME")}};
  for (const auto& stack : status.stacks())
    for (const auto& node : stack.nodes())
      for (const auto& endpoint : node.endpoints())
        if (wanted.empty() || wanted == node.name())
          rows.push_back({node.name(), endpoint.name(), join(endpoint.addresses(), ","), endpoint.service_name()});
  return table(rows);
}

namespace {

struct Tree {
  std::map<std::string, const root::NodeStatus*> nodes;
  std::map<std::string, std::vector<std::pair<std::string, const root::Edge*>>> dependants;
  std::set<std::string> drawn;
  const Paint& paint;

  void draw(const std::string& name, const std::string& condition, const std::string& lead, const std::string& stem,
            std::string& text) {
    const bool again = !drawn.insert(name).second;
    const auto& node = *nodes.at(name);
    text += lead;
    if (again) {
      text += paint(Tone::faint, "↑ " + name + condition) + "\n";
      return;
    }
    text += glyph(node.state(), paint) + " " + name + condition + "  " + word(node.state(), paint) + "\n";
    const auto& below = dependants[name];
    for (std::size_t i = 0; i < below.size(); ++i) {
      const bool last = i + 1 == below.size();
      const auto& [child, edge] = below[i];
      draw(child, edge->condition() == "serving" ? "" : " [" + edge->condition() + "]", stem + (last ? "└─ " : "├─ "),
           stem + (last ? "   " : "│  "), text);
    }
  }
};

}  // namespace

std::string render_graph(const root::StackStatus& stack, const Paint& paint) {
  Tree tree{{}, {}, {}, paint};
  for (const auto& node : stack.nodes()) tree.nodes[node.name()] = &node;
  for (const auto& node : stack.nodes())
    for (const auto& edge : node.edges()) tree.dependants[edge.on()].emplace_back(node.name(), &edge);
  std::string text = paint(Tone::strong, stack.name()) + "\n";
  for (const auto& node : stack.nodes())
    if (node.edges().empty()) tree.draw(node.name(), "", "", "", text);
  return text;
}

}  // namespace banyan::cli
