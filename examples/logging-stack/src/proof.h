// The proof that lines get through: one is written for the purpose, and looked for in Elasticsearch.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/result.h"

namespace example {

/// A thread that has a generator write one line and searches for it, anew until one was found; then it is done.
/// THREADS: start and stop from one, the rest from any.
class Proof {
 public:
  Proof(std::vector<std::string> generators, std::vector<std::string> elasticsearch);
  ~Proof() { stop(); }
  Proof(const Proof&) = delete;
  Proof& operator=(const Proof&) = delete;

  void start();
  void stop();
  [[nodiscard]] bool found() const;
  [[nodiscard]] std::string words() const;  ///< what it waits for, or which line it found

 private:
  void run();
  bool search(const std::string& id);
  void say(std::string words, bool found = false);
  /// False when it is time to stop.
  bool pause(std::chrono::milliseconds duration);

  std::vector<std::string> generators_;
  std::vector<std::string> elasticsearch_;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool found_ = false;
  std::string words_ = "not begun";
};

}  // namespace example
