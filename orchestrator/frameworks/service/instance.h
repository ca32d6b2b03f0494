// One server of the node: what is recorded about it, and where it stands now.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/base/time.h"
#include "specs/stack.h"

namespace banyan::service {

/// Where an instance lives, for good: its agent and the ports reserved for it there. A restarted server returns here.
struct Place {
  std::string agent;                           ///< empty: nowhere yet
  std::string host;                            ///< the agent's address, as handed to others
  std::string volumes;                         ///< the agent's folder of volumes, ROLE/ID below it; empty: unknown
  std::map<std::string, std::uint16_t> ports;  ///< port name -> number
  std::set<std::string> held;                  ///< keys of the claims reserved (or asked for) there, see claims.h
  std::set<std::uint16_t> avoids;              ///< ports that strangers were seen to hold there
  bool operator==(const Place&) const = default;
};

/// What must survive the scheduler. It says what was *meant*; what runs is only ever believed from the master.
struct Record {
  std::uint32_t schema = 2;  ///< 1: written before records had one; its fingerprint is an older one, see Core::adopt
  Place place;
  std::uint32_t attempt = 0;  ///< of the newest task id; only rises, so no id is used twice
  std::string task;           ///< the task that may exist; empty: none was launched since the last ended
  std::string fingerprint;    ///< of what `task` was launched with; differs from the present one: it is outdated
  std::string launched;       ///< specs::hash of the server at that launch; empty: never launched by this incarnation
  std::map<std::string, std::uint16_t> ports;        ///< of `task`; those of `place` are the next launch's
  std::map<std::string, std::string> launched_with;  ///< other nodes' addresses rendered into it, by "node.endpoint"
  std::optional<std::set<std::string>> listens;      ///< "tcp/31000": held by its own processes; unset: nobody looks
  std::map<std::string, std::string> strangers;      ///< "tcp/31000" -> "1234/python3": who else holds a port of it
  std::uint64_t restart = 0;                         ///< Handover.restarts when `task` was launched
  std::uint32_t restarts = 0;                        ///< launches after the first
  bool completed = false;                            ///< ended as wished and is not to be started again
  bool failed = false;                               ///< ended badly and its policy says never again
  bool quarantined = false;  ///< died too often before serving; a restart or a new configuration ends that
  std::string why;           ///< of failed and quarantined
  bool operator==(const Record&) const = default;
};
[[nodiscard]] std::string encode(const Record& record);
[[nodiscard]] Result<Record> decode_record(std::string_view json);

/// Where an instance's task stands, by the master's word since the last SUBSCRIBED.
enum class Phase {
  idle,      ///< no task; wanted unless completed, quarantined or draining
  unknown,   ///< a task is recorded, the master has not spoken of it yet
  launched,  ///< ACCEPT is on its way, or the task is staging
  running,
  killing,      ///< we asked for its end
  unreachable,  ///< its agent is; the task may come back
};

/// How long a server may be missed before it counts as lost with its agent: only one without data moves then.
inline constexpr Duration unreachable_max = std::chrono::minutes(1);

/// The stranger that holds a port of the task, "pid 1234 (python3)"; "" if none is known or the task itself holds it.
[[nodiscard]] std::string held_by(const Record& record, specs::Transport protocol, std::uint16_t port);

/// Why we end a task.
enum class Ending { relaunch, stop };

struct Instance {
  std::size_t server = 0;   ///< index into Node.servers
  std::uint32_t index = 0;  ///< among the server's instances, from 0
  std::string name;         ///< kafka-0
  Record record;

  Phase phase = Phase::idle;
  Ending ending = Ending::relaunch;   ///< valid in killing
  std::optional<Duration> grace;      ///< valid in killing; unset: the task's own
  std::optional<Instant> ask_again;   ///< killing, unknown: when to repeat KILL or RECONCILE
  Duration ask_backoff{};             ///< its present step
  std::optional<Instant> unheard_of;  ///< the master answers TASK_UNKNOWN, since then
  std::optional<Instant> unreachable_since;
  std::optional<std::uint32_t> pid;      ///< valid in running
  std::optional<Instant> running_since;  ///< valid in running
  bool check_passes = false;             ///< the agent's exec check of this task
  bool served = false;                   ///< this task has been serving
  std::optional<Instant> serving_since;  ///< valid while serving
  bool place_doubtful = false;           ///< the record may be stale: believe the next offer of that agent
  std::optional<Instant> claim_missed;   ///< offers of its agent lack what it holds, since then
  std::deque<Instant> deaths;            ///< before serving, within the policy's window
  std::uint32_t streak = 0;              ///< ends since the last 60 s of serving: the back-off's exponent
  std::optional<Instant> backoff_until;  ///< idle: not before
  std::string note;                      ///< why it is not serving, newest word; may be empty

  [[nodiscard]] bool has_task() const { return phase != Phase::idle; }
  /// Where it answers now: what runs keeps the ports it was launched with.
  [[nodiscard]] const std::map<std::string, std::uint16_t>& ports() const {
    return record.task.empty() ? record.place.ports : record.ports;
  }
  [[nodiscard]] bool ended_for_good() const { return record.completed || record.quarantined || record.failed; }
};

/// An instance no longer declared whose task has not ended yet.
struct Leaving {
  Instance instance;
  std::string server;
  bool serial = false;  ///< its server's instances are stopped one after the other
};

}  // namespace banyan::service
