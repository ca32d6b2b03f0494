// Subscription: keeping one event stream of the v1 API open. Pure; shared by the scheduler's and the executor's core.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/backoff.h"
#include "runtime/base/rng.h"
#include "runtime/base/time.h"

namespace banyan::sdk {

// What the link reports. `stream` and `call` are the numbers the core gave; stale ones are ignored.
struct StreamOpened {
  std::uint64_t stream = 0;
  unsigned status = 0;
  std::string stream_id;  ///< header Mesos-Stream-Id
  std::string location;   ///< of a redirect
  std::string body;       ///< of a refusal
};
struct StreamRecord {
  std::uint64_t stream = 0;
  std::string bytes;
};
struct StreamClosed {
  std::uint64_t stream = 0;
  std::string reason;
};
struct CallAnswered {
  std::uint64_t call = 0;
  unsigned status = 0;  ///< 0: no answer came, `body` says why; the call may or may not have been taken
  std::string body;
};
struct Tick {};

// What a core asks of the link.
struct OpenStream {
  std::uint64_t stream = 0;
  std::string server;  ///< host:port or unix:/path
  std::string path;
  std::string body;
};
struct CloseStream {
  std::uint64_t stream = 0;
};
struct SendCall {
  std::uint64_t call = 0;
  std::string server;
  std::string path;
  std::string stream_id;  ///< empty: no such header
  std::string body;
};

/// Decides which server to try, when, and when to give a stream up for dead.
///
/// Servers are tried in turn; a redirect is followed at once, a few times in a row, so that two masters which point at
/// each other cost no busy loop. A stream that opened and then broke is tried again almost at once: most often the
/// same master restarts, and the back-off only grows while nobody answers.
class Subscription {
 public:
  struct Limits {
    Backoff backoff;
    Duration opening_max = std::chrono::seconds(15);  ///< from the attempt to established()
  };
  enum class Answer { opened, retry, refused };

  Subscription(std::vector<std::string> servers, std::string path, Limits limits, Rng rng);

  /// The next attempt, if it is due: number, server and path filled in, the body left to the caller.
  std::optional<OpenStream> attempt(Instant now);
  /// What a status line means: go on, try again (already planned), or a refusal that trying again will not change.
  Answer opened(Instant now, const StreamOpened& opened);
  /// The first event has come: back-off starts afresh; from now on `silence_max` without a record means dead.
  void established(Instant now, std::optional<Duration> silence_max);
  void heard(Instant now) { last_heard_ = now; }
  /// The present stream or attempt is over; plans the next.
  void lost(Instant now);
  /// Never again.
  void end() { phase_ = Phase::ended; }
  void set_servers(std::vector<std::string> servers);

  [[nodiscard]] bool current(std::uint64_t stream) const {
    return stream == stream_ && (phase_ == Phase::opening || phase_ == Phase::established);
  }
  [[nodiscard]] bool is_established() const { return phase_ == Phase::established; }
  [[nodiscard]] bool ended() const { return phase_ == Phase::ended; }
  /// Why the present stream must be given up now, if it must.
  [[nodiscard]] std::optional<std::string> overdue(Instant now) const;
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] std::uint64_t stream() const { return stream_; }
  [[nodiscard]] const std::string& server() const { return server_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& stream_id() const { return stream_id_; }
  Rng& rng() { return rng_; }
  /// Aborts when broken.
  void check_invariants() const;

 private:
  enum class Phase { waiting, opening, established, ended };

  void plan(Instant at) {
    phase_ = Phase::waiting;
    attempt_at_ = at;
  }

  std::vector<std::string> servers_;
  std::string path_;
  Limits limits_;
  Rng rng_;
  Phase phase_ = Phase::waiting;
  Instant attempt_at_{};        ///< valid in waiting; the first is due at once
  Instant opening_deadline_{};  ///< valid in opening
  Instant last_heard_{};        ///< valid in established
  std::optional<Duration> silence_max_;
  std::optional<std::string> redirect_;  ///< whom to try next, instead of the next of servers_
  unsigned redirects_ = 0;               ///< in a row
  unsigned failures_ = 0;                ///< attempts since the last established stream
  std::size_t next_server_ = 0;
  std::uint64_t stream_ = 0;
  std::string server_;  ///< of the present stream
  std::string stream_id_;
};

/// "//host:port/master/api/v1/scheduler" or "http://host:port/…" -> "host:port"; nothing when it is neither.
[[nodiscard]] std::optional<std::string> server_of_location(const std::string& location);

}  // namespace banyan::sdk
