// A fake agent that speaks the executor API, and a real executor process under it.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "banyan/handover.pb.h"
#include "mesos/v1/executor/executor.pb.h"
#include "runtime/adapters/http/server.h"
#include "runtime/adapters/loop/loop.h"
#include "runtime/base/check.h"

namespace banyan::sdk {

/// A fresh folder, removed at the end.
struct Folder {
  Folder() {
    char name[] = "/tmp/banyan-test-XXXXXX";
    BANYAN_CHECK(::mkdtemp(name) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

/// Runs the loop until `condition` holds; it is asked after every turn in which something happened.
class Patience {
 public:
  explicit Patience(Loop& loop) : loop_(loop) {}
  void something_happened() {
    if (condition_ && condition_()) loop_.stop();
  }
  /// False when it took longer than any healthy machine needs.
  bool until(std::function<bool()> condition, Duration at_most = std::chrono::seconds(20)) {
    if (condition()) return true;
    condition_ = std::move(condition);
    bool late = false;
    const auto timer = loop_.after(at_most, [&] {
      late = true;
      loop_.stop();
    });
    loop_.run();
    loop_.cancel(timer);
    condition_ = nullptr;
    return !late;
  }

 private:
  Loop& loop_;
  std::function<bool()> condition_;
};

/// Answers SUBSCRIBE with SUBSCRIBED, keeps every update, acknowledges unless told not to.
struct FakeAgent {
  explicit FakeAgent(Loop& the_loop, Patience& the_patience) : loop(the_loop), patience(the_patience) { listen(0); }

  void listen(std::uint16_t port) {
    auto listening =
        http::Server::listen(loop, {"127.0.0.1:" + std::to_string(port)},
                             [this](const http::Request& request, std::shared_ptr<http::Responder> responder) {
                               mesos::v1::executor::Call call;
                               BANYAN_CHECK(request.path == "/api/v1/executor" && call.ParseFromString(request.body));
                               take(call, *responder);
                               patience.something_happened();
                             });
    BANYAN_CHECK(listening.has_value());
    server = std::move(*listening);
    at = server->port();
  }
  /// As when an agent is killed: every connection breaks. Listens again on the same port.
  void die() {
    stream.reset();
    server.reset();
  }
  void come_back() { listen(at); }

  void take(const mesos::v1::executor::Call& call, http::Responder& responder) {
    using mesos::v1::executor::Call;
    using mesos::v1::executor::Event;
    if (call.type() == Call::SUBSCRIBE) {
      subscribes.push_back(call.subscribe());
      stream = responder.stream({{"content-type", "application/x-protobuf"}});
      Event event;
      event.set_type(Event::SUBSCRIBED);
      auto* subscribed = event.mutable_subscribed();
      subscribed->mutable_executor_info()->mutable_executor_id()->set_value("executor");
      subscribed->mutable_framework_info()->set_user("u");
      subscribed->mutable_framework_info()->set_name("n");
      subscribed->mutable_agent_info()->set_hostname("h");
      send(event);
      for (const auto& update : call.subscribe().unacknowledged_updates()) keep(update.status());
      return;
    }
    responder.reply({202, {}, {}});
    if (call.type() == Call::UPDATE) keep(call.update().status());
    if (call.type() == Call::MESSAGE) messages.push_back(call.message().data());
  }
  void keep(const mesos::v1::TaskStatus& status) {
    updates.push_back(status);
    if (acknowledges) acknowledge(status);
  }
  void acknowledge(const mesos::v1::TaskStatus& status) {
    mesos::v1::executor::Event event;
    event.set_type(mesos::v1::executor::Event::ACKNOWLEDGED);
    *event.mutable_acknowledged()->mutable_task_id() = status.task_id();
    event.mutable_acknowledged()->set_uuid(status.uuid());
    send(event);
  }
  void send(const mesos::v1::executor::Event& event) { stream->send_record(event.SerializeAsString()); }
  void launch(const std::string& task, const std::string& data) {
    mesos::v1::executor::Event event;
    event.set_type(mesos::v1::executor::Event::LAUNCH);
    auto* info = event.mutable_launch()->mutable_task();
    info->set_name(task);
    info->mutable_task_id()->set_value(task);
    info->mutable_agent_id()->set_value("agent");
    info->set_data(data);
    send(event);
  }
  void message(const std::string& data) {
    mesos::v1::executor::Event event;
    event.set_type(mesos::v1::executor::Event::MESSAGE);
    event.mutable_message()->set_data(data);
    send(event);
  }
  void kill(const std::string& task) {
    mesos::v1::executor::Event event;
    event.set_type(mesos::v1::executor::Event::KILL);
    event.mutable_kill()->mutable_task_id()->set_value(task);
    send(event);
  }

  Loop& loop;
  Patience& patience;
  std::unique_ptr<http::Server> server;
  std::uint16_t at = 0;
  std::shared_ptr<http::EventStream> stream;
  bool acknowledges = true;
  std::vector<mesos::v1::executor::Call::Subscribe> subscribes;
  std::vector<mesos::v1::TaskStatus> updates;
  std::vector<std::string> messages;
};

/// A process of ours, killed at the end.
class Process {
 public:
  Process(const std::string& program, const std::map<std::string, std::string>& environment,
          const std::filesystem::path& folder) {
    std::vector<std::string> lines;
    for (const auto& [name, value] : environment) lines.push_back(name + "=" + value);
    std::vector<char*> pointers;
    for (auto& line : lines) pointers.push_back(line.data());
    pointers.push_back(nullptr);
    const std::string log = folder / "stderr";
    pid_ = ::fork();
    if (pid_ == 0) {
      if (::chdir(folder.c_str()) != 0) ::_exit(126);
      ::dup2(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), 2);
      ::execle(program.c_str(), program.c_str(), static_cast<char*>(nullptr), pointers.data());
      ::_exit(127);
    }
  }
  ~Process() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Blocks until it has ended; its wait status.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return status;
  }

 private:
  pid_t pid_ = 0;
};

/// Waits for the end of any process, ours or not, by pidfd.
inline bool ends(pid_t pid, int milliseconds_max = 20'000) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return errno == ESRCH;
  pollfd waiting{pidfd, POLLIN, 0};
  const bool ended = ::poll(&waiting, 1, milliseconds_max) == 1;
  ::close(pidfd);
  return ended;
}

}  // namespace banyan::sdk
