// Every limit of the runtime in one place, each with its reason.
#pragma once

#include <cstddef>

#include "runtime/base/time.h"

namespace banyan::limits {

using namespace std::chrono_literals;

/// The master pings each agent this often; an agent that misses its pings re-opens its stream.
inline constexpr Duration ping_interval = 1s;
/// An agent is counted lost after this silence (Mesos: 75 s). Long enough for a loaded laptop's pauses.
inline constexpr Duration agent_silence_max = 10s;
static_assert(agent_silence_max >= 5 * ping_interval, "one lost ping must not cost an agent its tasks");

/// After a master's restart, an agent from the registry that is not back by then is counted lost (Mesos: 10 min).
/// Agents try again every second, so a minute means that the machine is gone.
inline constexpr Duration agent_reregister_timeout = 1min;

/// Mesos' value; clients count five missed ones as a dead connection.
inline constexpr Duration heartbeat_interval = 15s;
/// Unanswered offers go back, so that no framework starves another (Mesos: never).
inline constexpr Duration offer_timeout_default = 30s;
inline constexpr Duration refuse_default = 5s;
/// The shortest filter of a decline (Mesos' allocation interval), so that declining cannot become a busy loop.
inline constexpr Duration refuse_min = 1s;
inline constexpr Duration refuse_max = std::chrono::hours(24 * 365);

inline constexpr std::size_t filters_max = 16;               ///< per framework, role and agent; the oldest goes first
inline constexpr std::size_t unreachable_agents_max = 1000;  ///< kept for agents that return

/// Retry of an unacknowledged status update, doubling (Mesos' values).
inline constexpr Duration update_retry_min = 10s;
inline constexpr Duration update_retry_max = 10min;

inline constexpr Duration kill_grace_default = 3s;
inline constexpr Duration executor_registration_timeout = 1min;
inline constexpr Duration executor_reregistration_timeout = 2s;
inline constexpr Duration executor_shutdown_grace = 5s;
inline constexpr Duration recovery_timeout = 15min;

inline constexpr std::size_t id_bytes_max = 255;                    ///< Mesos' limit on ids
inline constexpr std::size_t request_bytes_max = 16u << 20;         ///< one API call
inline constexpr std::size_t record_bytes_max = 4u << 20;           ///< one RecordIO record (mesos-go's default)
inline constexpr std::size_t stream_backlog_bytes_max = 64u << 20;  ///< a subscriber this far behind is cut off
inline constexpr std::size_t completed_frameworks_max = 50;         ///< Mesos' --max_completed_frameworks
inline constexpr std::size_t completed_tasks_max = 1000;            ///< ended tasks kept for GET_TASKS
inline constexpr std::size_t log_file_bytes_max = 16u << 20;        ///< a sandbox's stdout or stderr before it rotates
inline constexpr std::size_t log_files_max = 2;                     ///< the live one and its predecessor
inline constexpr std::size_t event_log_max = 10'000;                ///< the root's event history

}  // namespace banyan::limits
