#include "runtime/core/registry/registry.h"

#include <charconv>
#include <string_view>

namespace banyan::registry {
namespace {

constexpr std::string_view agents = "agent/";
constexpr std::string_view completed = "completed/";
constexpr std::string_view epoch = "epoch";

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number n{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

/// A record is one line of header, then the message's bytes.
std::string with_header(std::int64_t header, const std::string& info) { return std::to_string(header) + "\n" + info; }

struct Split {
  std::int64_t header;
  std::string info;
};
std::optional<Split> split(const std::string& value) {
  const auto line = value.find('\n');
  if (line == std::string::npos) return std::nullopt;
  const auto header = number<std::int64_t>(std::string_view(value).substr(0, line));
  if (!header) return std::nullopt;
  return Split{*header, value.substr(line + 1)};
}

}  // namespace

std::string agent_key(const AgentId& id) { return std::string(agents) + id.str(); }
std::string completed_key(const FrameworkId& id) { return std::string(completed) + id.str(); }
std::string epoch_key() { return std::string(epoch); }

std::string write(const AgentRecord& record) {
  const std::int64_t since = record.unreachable_since ? record.unreachable_since->time_since_epoch().count() : 0;
  return with_header(since, record.info);
}
std::string write(const CompletedRecord& record) {
  return with_header(static_cast<std::int64_t>(record.order), record.info);
}
std::string write_epoch(std::uint64_t value) { return std::to_string(value); }

Result<Registry> read(const std::map<std::string, std::string>& stored) {
  Registry all;
  for (const auto& [key, value] : stored) {
    const auto damaged = [&where = key] {
      return error("the master's record '" + where + "' is damaged or of a newer version");
    };
    const std::string_view name = key;
    if (name == epoch) {
      const auto n = number<std::uint64_t>(value);
      if (!n) return damaged();
      all.epoch = *n;
      continue;
    }
    const auto parts = split(value);
    if (!parts) return damaged();
    if (name.starts_with(agents)) {
      AgentRecord record{parts->info, {}};
      if (parts->header != 0) record.unreachable_since = WallTime(Duration(parts->header));
      all.agents.emplace(AgentId(std::string(name.substr(agents.size()))), std::move(record));
    } else if (name.starts_with(completed)) {
      all.completed.emplace(FrameworkId(std::string(name.substr(completed.size()))),
                            CompletedRecord{static_cast<std::uint64_t>(parts->header), parts->info});
    } else {
      return damaged();
    }
  }
  return all;
}

}  // namespace banyan::registry
