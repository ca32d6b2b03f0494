// Identifiers: strings of different types, so that a task can never be taken for an agent.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace banyan {

template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string value) : value_(std::move(value)) {}
  [[nodiscard]] const std::string& str() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  auto operator<=>(const Id&) const = default;
  bool operator==(const Id&) const = default;

 private:
  std::string value_;
};

using FrameworkId = Id<struct FrameworkTag>;
using AgentId = Id<struct AgentTag>;
using TaskId = Id<struct TaskTag>;
using ExecutorId = Id<struct ExecutorTag>;
using OfferId = Id<struct OfferTag>;
using OperationId = Id<struct OperationTag>;
using StreamId = Id<struct StreamTag>;        ///< one subscription of one scheduler
using ContainerId = Id<struct ContainerTag>;  ///< one run of one executor or command task on an agent

}  // namespace banyan

template <class Tag>
struct std::hash<banyan::Id<Tag>> {
  std::size_t operator()(const banyan::Id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.str()); }
};
