// Threads for what blocks: fetching, unpacking, the user database.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace banyan {
class Loop;
}

namespace banyan::posix {

/// THREADS: run() from the loop's. LIFETIME: its end waits for the jobs that have begun and drops the others.
class Workers {
 public:
  Workers(Loop& loop, int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// `job` on some worker, then `done` on the loop's thread.
  void run(std::function<void()> job, std::function<void()> done);

 private:
  struct Job {
    std::function<void()> job;
    std::function<void()> done;
  };
  void work();

  Loop& loop_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace banyan::posix
