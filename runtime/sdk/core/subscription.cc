#include "runtime/sdk/core/subscription.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace banyan::sdk {
namespace {

constexpr unsigned redirects_max = 3;

/// Not (yet) the right server: standby without a leader, recovering, routes not installed, overloaded.
bool worth_retrying(unsigned status) { return status == 404 || status == 408 || status == 429 || status >= 500; }

}  // namespace

std::optional<std::string> server_of_location(const std::string& location) {
  const auto slashes = location.find("//");
  if (slashes == std::string::npos) return std::nullopt;
  const auto begin = slashes + 2;
  auto server = location.substr(begin, location.find('/', begin) - begin);
  if (server.empty() || server.find(':') == std::string::npos) return std::nullopt;
  return server;
}

Subscription::Subscription(std::vector<std::string> servers, std::string path, Limits limits, Rng rng)
    : servers_(std::move(servers)), path_(std::move(path)), limits_(limits), rng_(rng) {}

std::optional<OpenStream> Subscription::attempt(Instant now) {
  if (phase_ != Phase::waiting || now < attempt_at_ || (servers_.empty() && !redirect_)) return std::nullopt;
  server_ = redirect_ ? *redirect_ : servers_[next_server_ % servers_.size()];
  if (!redirect_) ++next_server_;
  redirect_.reset();
  stream_id_.clear();
  phase_ = Phase::opening;
  opening_deadline_ = now + limits_.opening_max;
  return OpenStream{++stream_, server_, path_, {}};
}

Subscription::Answer Subscription::opened(Instant now, const StreamOpened& opened) {
  if (opened.status == 200) {
    stream_id_ = opened.stream_id;
    return Answer::opened;
  }
  if (opened.status == 307 || opened.status == 302) {
    redirect_ = server_of_location(opened.location);
    if (redirect_ && ++redirects_ <= redirects_max) {
      plan(now);
    } else {
      redirect_.reset();
      redirects_ = 0;
      lost(now);
    }
    return Answer::retry;
  }
  if (!worth_retrying(opened.status)) return Answer::refused;
  lost(now);
  return Answer::retry;
}

void Subscription::established(Instant now, std::optional<Duration> silence_max) {
  BANYAN_CHECK(phase_ == Phase::opening || phase_ == Phase::established);
  phase_ = Phase::established;
  silence_max_ = silence_max;
  last_heard_ = now;
  failures_ = 0;
  redirects_ = 0;
}

void Subscription::lost(Instant now) {
  BANYAN_CHECK(phase_ != Phase::ended);
  // The one that served us is the likeliest to serve us again.
  if (phase_ == Phase::established && !servers_.empty()) {
    const auto mine = std::find(servers_.begin(), servers_.end(), server_);
    if (mine != servers_.end()) next_server_ = static_cast<std::size_t>(mine - servers_.begin());
  }
  plan(now + limits_.backoff.wait(failures_, rng_));
  ++failures_;
}

void Subscription::set_servers(std::vector<std::string> servers) {
  servers_ = std::move(servers);
  next_server_ = 0;
}

std::optional<std::string> Subscription::overdue(Instant now) const {
  if (phase_ == Phase::opening && now >= opening_deadline_) return server_ + " did not answer SUBSCRIBE";
  if (phase_ == Phase::established && silence_max_ && now >= last_heard_ + *silence_max_)
    return server_ + " fell silent: no heartbeat for " + std::to_string(milliseconds(*silence_max_) / 1000) + " s";
  return std::nullopt;
}

void Subscription::check_invariants() const {
  if (is_established()) BANYAN_CHECK(!redirect_ && redirects_ == 0 && failures_ == 0);  // it starts afresh
  if (phase_ == Phase::waiting) BANYAN_CHECK(next_deadline().has_value() || servers_.empty());
  if (phase_ == Phase::opening) BANYAN_CHECK(!redirect_ && !server_.empty() && stream_ != 0);
  BANYAN_CHECK(redirects_ <= redirects_max);
}

std::optional<Instant> Subscription::next_deadline() const {
  switch (phase_) {
    case Phase::waiting:
      if (servers_.empty() && !redirect_) return std::nullopt;
      return attempt_at_;
    case Phase::opening: return opening_deadline_;
    case Phase::established:
      if (silence_max_) return last_heard_ + *silence_max_;
      return std::nullopt;
    case Phase::ended: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace banyan::sdk
