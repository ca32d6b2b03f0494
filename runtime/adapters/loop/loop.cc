#include "runtime/adapters/loop/loop.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "runtime/base/check.h"

namespace banyan {
namespace {

namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;

/// A turn ends after so many callbacks even if more are ready, so that batched writes never wait long.
constexpr int callbacks_per_turn_max = 256;

Duration read_clock(clockid_t clock) {
  timespec t{};
  BANYAN_CHECK(clock_gettime(clock, &t) == 0);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

}  // namespace

Instant mono_now() { return Instant(read_clock(CLOCK_BOOTTIME)); }
WallTime wall_now() { return WallTime(read_clock(CLOCK_REALTIME)); }

struct Loop::Impl {
  struct Watch {
    explicit Watch(asio::io_context& io) : descriptor(io) {}
    // The caller owns the number: give it back to them, never close it.
    ~Watch() {
      if (descriptor.is_open()) descriptor.release();
    }
    Descriptor descriptor;
    std::uint64_t generation = 0;
  };
  struct Signals {
    explicit Signals(asio::io_context& io) : set(io) {}
    asio::signal_set set;
    std::function<void(int)> handler;
  };
  using TimerKey = std::pair<Instant, TimerId>;

  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::atomic<bool> stopped{false};

  std::vector<std::function<void()>> ends;
  std::unordered_set<const void*> end_keys;

  // One timerfd for all timers. It is set again only for an earlier deadline: an early wake-up is cheaper than a
  // system call per timer.
  Descriptor alarm{io};
  std::optional<Instant> alarm_at;
  std::map<TimerKey, std::function<void()>> timers;
  std::unordered_map<TimerId, Instant> timer_times;
  TimerId last_timer = 0;

  std::unordered_map<int, std::unique_ptr<Watch>> watches;
  std::uint64_t last_watch = 0;
  std::vector<std::unique_ptr<Signals>> signals;

  void end_turn() {
    std::vector<std::function<void()>> tasks;
    tasks.swap(ends);
    end_keys.clear();
    for (auto& task : tasks) task();
  }

  void set_alarm() {
    if (timers.empty()) return;
    const Instant earliest = timers.begin()->first.first;
    if (alarm_at && *alarm_at <= earliest) return;
    alarm_at = earliest;
    // Zero would disarm it; the past fires at once. Relative, since who fakes the time of day for a program
    // (libfaketime) moves absolute times of this clock too.
    const auto left = std::max(earliest - mono_now(), Duration(1));
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
    itimerspec when{};
    when.it_value.tv_sec = whole.count();
    when.it_value.tv_nsec = (left - whole).count();
    BANYAN_CHECK(timerfd_settime(alarm.native_handle(), 0, &when, nullptr) == 0);
  }

  void wait_for_alarm() {
    alarm.async_wait(Descriptor::wait_read, [this](const boost::system::error_code& failed) {
      if (failed) return;
      std::uint64_t expirations = 0;
      [[maybe_unused]] const auto n = ::read(alarm.native_handle(), &expirations, sizeof expirations);
      alarm_at.reset();
      run_due();
      wait_for_alarm();
    });
  }

  void run_due() {
    const Instant now = mono_now();
    std::vector<TimerKey> due;
    for (const auto& [key, task] : timers) {
      if (key.first > now) break;
      due.push_back(key);
    }
    for (const auto& key : due) {
      const auto it = timers.find(key);  // an earlier one may have cancelled it
      if (it == timers.end()) continue;
      auto task = std::move(it->second);
      timers.erase(it);
      timer_times.erase(key.second);
      task();
    }
  }

  void wait_for_signal(Signals& entry) {
    entry.set.async_wait([this, &entry](const boost::system::error_code& failed, int signal) {
      if (failed) return;
      entry.handler(signal);
      wait_for_signal(entry);
    });
  }
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {
  const int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  BANYAN_CHECK(fd >= 0);
  impl_->alarm.assign(fd);
  impl_->wait_for_alarm();
}

Loop::~Loop() = default;

void Loop::run() {
  auto& io = impl_->io;
  while (!impl_->stopped) {
    impl_->set_alarm();
    if (impl_->ends.empty()) io.run_one();
    for (int n = 1; n < callbacks_per_turn_max && io.poll_one() > 0; ++n) {
    }
    impl_->end_turn();
  }
  impl_->stopped = false;
  io.restart();
}

void Loop::stop() {
  impl_->stopped = true;
  impl_->io.stop();
}

void Loop::post(std::function<void()> task) { asio::post(impl_->io, std::move(task)); }

void Loop::at_end_of_turn(const void* key, std::function<void()> task) {
  if (impl_->end_keys.insert(key).second) impl_->ends.push_back(std::move(task));
}

Loop::TimerId Loop::at(Instant when, std::function<void()> task) {
  const TimerId id = ++impl_->last_timer;
  impl_->timers.emplace(Impl::TimerKey{when, id}, std::move(task));
  impl_->timer_times.emplace(id, when);
  return id;
}

void Loop::cancel(TimerId timer) {
  const auto it = impl_->timer_times.find(timer);
  if (it == impl_->timer_times.end()) return;
  impl_->timers.erase({it->second, timer});
  impl_->timer_times.erase(it);
}

void Loop::when_readable(int fd, std::function<void()> ready) {
  auto watch = std::make_unique<Impl::Watch>(impl_->io);
  watch->descriptor.assign(fd);
  const auto generation = watch->generation = ++impl_->last_watch;
  auto& descriptor = watch->descriptor;
  BANYAN_CHECK(impl_->watches.emplace(fd, std::move(watch)).second);
  descriptor.async_wait(Descriptor::wait_read, [this, fd, generation, ready = std::move(ready)](const auto& failed) {
    const auto it = impl_->watches.find(fd);
    if (failed || it == impl_->watches.end() || it->second->generation != generation) return;
    impl_->watches.erase(it);
    ready();
  });
}

void Loop::forget(int fd) { impl_->watches.erase(fd); }

void Loop::on_signals(std::initializer_list<int> signals, std::function<void(int)> handler) {
  auto entry = std::make_unique<Impl::Signals>(impl_->io);
  for (const int signal : signals) entry->set.add(signal);
  entry->handler = std::move(handler);
  impl_->wait_for_signal(*entry);
  impl_->signals.push_back(std::move(entry));
}

asio::io_context& Loop::asio() { return impl_->io; }

}  // namespace banyan
