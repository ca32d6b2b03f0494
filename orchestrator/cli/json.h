// What `-o json` and `-o jsonl` print: every field is there, also when it is zero. Pure.
#pragma once

#include <string>
#include <vector>

#include "banyan/root.pb.h"

namespace banyan::cli {

/// Of one stack: name, state, nodes[], revision; `stacks` names all; cluster, connected. One line.
[[nodiscard]] std::string status_json(const root::Status& status);
[[nodiscard]] std::string endpoints_json(const root::Status& status, const std::string& node);
/// Without the newline, as are the following.
[[nodiscard]] std::string event_json(const root::Event& event);
[[nodiscard]] std::string revision_json(const root::Revision& revision);
[[nodiscard]] std::string history_json(const std::string& stack, const root::History& history);
/// One line of a server's log.
[[nodiscard]] std::string log_json(const std::string& source, const std::string& line);

}  // namespace banyan::cli
