// Which probes are due, what they said, and so which servers are ready. Pure.
//
// tcp and http judge one instance; zookeeper, kafka and elasticsearch judge all instances of a server together; exec is
// run by the agent and arrives in status updates, so it is no business of this file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/frameworks/service/instance.h"
#include "runtime/base/time.h"
#include "specs/stack.h"

namespace banyan::service {

/// One try of a probe, to be made by the shell and answered by ProbeResult with the same id.
struct StartProbe {
  std::uint64_t id = 0;
  std::string key;  ///< the same for every try of one probe: a client may be kept under it
  specs::Probe probe;
  std::vector<std::string> addresses;  ///< host:port of the instance, or of all, by index
  Duration timeout{};
  bool thorough = true;  ///< kafka: also produce a record and see it come back
};
struct ProbeResult {
  std::uint64_t id = 0;
  bool ready = false;
  std::string message;  ///< what is missing, for people
};

/// The name of the port that a probe asks; none for exec.
[[nodiscard]] const std::string* probed_port(const specs::Probe& probe);

class Readiness {
 public:
  /// Compares the probes with what runs and gives those to start. Whoever (re)started is unready until probed; a probe
  /// of all starts anew when any of them did.
  std::vector<StartProbe> due(Instant now, const specs::Node& node, const std::vector<Instance>& all);
  /// Late answers to probes of ended tasks are ignored.
  void on(Instant now, const ProbeResult& result);
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  /// Every probe of this one instance passes (exec aside).
  [[nodiscard]] bool instance_ready(const std::string& instance) const;
  /// Every probe of the server as a whole passes.
  [[nodiscard]] bool server_ready(std::size_t server) const;
  /// The newest complaint about an instance or a server; may be empty.
  [[nodiscard]] std::string complaint(const std::string& instance, std::size_t server) const;

 private:
  struct Watch {
    std::size_t server = 0;
    std::string instance;  ///< empty: the whole server
    specs::Readiness spec;
    std::string subject;  ///< task ids under judgement; empty while they do not all run
    std::vector<std::string> addresses;
    std::uint64_t in_flight = 0;  ///< id of the try under way; 0: none
    std::optional<Instant> next;
    Duration retry{};      ///< the last wait while not ready; zero: none yet
    bool passing = false;  ///< the last tries passed, for hold_for already
    std::optional<Instant> passing_since;
    std::uint32_t misses = 0;  ///< in a row
    std::string message;
  };

  void refresh(Instant now, Watch& watch, std::string subject);

  std::map<std::string, Watch> watches_;
  std::uint64_t last_id_ = 0;
};

/// First repetition of a probe that is not ready: near enough to "at once", doubling up to the declared interval.
inline constexpr Duration probe_retry_min = std::chrono::milliseconds(20);
/// One lost answer does not make a serving node unready.
inline constexpr std::uint32_t probe_misses_max = 2;

}  // namespace banyan::service
