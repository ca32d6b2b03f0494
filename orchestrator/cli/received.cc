#include "orchestrator/cli/received.h"

#include <algorithm>

#include "orchestrator/cli/paint.h"

namespace banyan::cli {
namespace {

template <class List>
auto* named(List& list, const std::string& name) {
  const auto found = std::find_if(list.begin(), list.end(), [&name](const auto& item) { return item.name() == name; });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

void receive(root::Status& known, const root::Status& news, std::uint64_t elapsed_ms) {
  if (!news.delta()) {
    known = news;
    return;
  }
  known.set_connected(news.connected());
  for (auto& stack : *known.mutable_stacks())
    for (auto& node : *stack.mutable_nodes()) node.set_since_ms(node.since_ms() + elapsed_ms);
  if (news.has_cluster()) *known.mutable_cluster() = news.cluster();
  for (const auto& stack : news.stacks()) {
    auto* mine = named(*known.mutable_stacks(), stack.name());
    if (mine == nullptr) {
      *known.add_stacks() = stack;
      continue;
    }
    mine->set_state(stack.state());
    if (stack.has_revision()) *mine->mutable_revision() = stack.revision();
    for (const auto& node : stack.nodes()) {
      auto* old = named(*mine->mutable_nodes(), node.name());
      (old == nullptr ? *mine->add_nodes() : *old) = node;
    }
  }
}

void say_unknown(root::Status& status) {
  for (auto& stack : *status.mutable_stacks())
    for (auto& node : *stack.mutable_nodes()) {
      if (node.confirmed()) continue;
      node.set_reason("it was " + node.state() + " when last heard of" +
                      (node.heard_ms() == 0 ? "" : ", " + elapsed(node.heard_ms()) + " ago"));
      node.set_state("unknown");
      for (auto& task : *node.mutable_tasks()) task.set_state("unknown");
    }
}

}  // namespace banyan::cli
