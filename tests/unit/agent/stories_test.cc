// Whole conversations of an agent with its master, executors and containers; stories/*.txt hold them as golden text.
//
//   join [EPOCH] [gone=F] | open | close | registered EPOCH [gone=F] | refused | ping
//   run t [framework=F] [executor=e] [info=TEXT] [grace=5s] [max=3s] [check=1s,10s,5s] [volume=v] [killing] [lost]
//   launched e [listens=tcp/1] | ended e 0|exit7|signal9 [error=TEXT] [never] [lost]     what its container does
//   ports e tcp/1 [STRANGERS] | checked e 1|none
//   kill t [5s] | ack t | framework F | teardown F | shutdown e | tell e TEXT | apply OP [volume=v …] [resource=r …]
//   subscribe e 1 [task=t …] [update=t:TASK_RUNNING:u1 …] | says e t TASK_RUNNING u1 | message e TEXT | cut 1
//   advance 5s | reboot | stray started|ended        `reboot`: a new agent with what was stored
//   wait 5s                                          as advance, while the master pings
#include "tests/stories.h"

#include <gtest/gtest.h>

#include <sstream>

#include "runtime/base/quantity.h"
#include "tests/unit/agent/harness.h"

namespace banyan::agent {
namespace {

const std::string folder = std::string(SOURCE_DIR) + "/stories";
using Words = std::vector<std::string>;

std::optional<std::string> option(const Words& words, const std::string& key) {
  for (const auto& word : words)
    if (word.starts_with(key + "=")) return word.substr(key.size() + 1);
  return std::nullopt;
}
Words options(const Words& words, const std::string& key) {
  Words values;
  for (const auto& word : words)
    if (word.starts_with(key + "=")) values.push_back(word.substr(key.size() + 1));
  return values;
}
bool flag(const Words& words, const std::string& word) { return std::count(words.begin(), words.end(), word) > 0; }
Words split(const std::string& text, char separator) {
  Words parts;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}
Duration duration(const std::string& text) { return parse_duration(text).value(); }
std::optional<Duration> maybe(const std::optional<std::string>& text) {
  return text ? std::optional(duration(*text)) : std::nullopt;
}
TaskState state_of(const std::string& text) {
  for (int i = 0; i <= static_cast<int>(TaskState::unknown); ++i)
    if (name(static_cast<TaskState>(i)) == text) return static_cast<TaskState>(i);
  throw std::invalid_argument("no task state: " + text);
}
std::set<VolumeKey> volumes(const Words& words) {
  std::set<VolumeKey> all;
  for (const auto& id : options(words, "volume")) all.insert({"role", id});
  return all;
}
std::string text(const std::optional<Duration>& d) {
  return d ? std::to_string(milliseconds(*d)) + "ms" : "by default";
}

class Told {
 public:
  Told() {
    agent_.heard = [this](const Effect& effect) { std::visit([this](const auto& e) { hear(e); }, effect); };
  }

  std::vector<std::string> run(const std::string& line) {
    Words words = split(line, ' ');
    std::erase(words, "");
    if (!of_the_master(words) && !of_executors(words) && !of_containers(words)) ADD_FAILURE() << "what is " << line;
    return std::exchange(lines_, {});
  }

 private:
  using Registered = agent::Registered;

  bool of_the_master(const Words& words) {
    const std::string& verb = words[0];
    const auto word = [&](std::size_t i) { return i < words.size() ? words[i] : std::string(); };
    const auto epoch = [&] { return word(1).find_first_of("0123456789") == 0 ? std::stoull(word(1)) : 1; };
    std::vector<FrameworkId> gone;
    for (const auto& id : options(words, "gone")) gone.emplace_back(id);
    if (verb == "join" || verb == "open") agent_.give(LinkOpened{});
    if (verb == "join" || verb == "registered") agent_.give(Registered{AgentId("A1"), epoch(), gone});
    else if (verb == "open") return true;
    else if (verb == "close") agent_.give(LinkClosed{});
    else if (verb == "refused") agent_.give(Refused{"it is full"});
    else if (verb == "ping") agent_.give(Ping{});
    else if (verb == "run") run_task(words);
    else if (verb == "kill") agent_.kill(word(1), maybe(words.size() > 2 ? std::optional(word(2)) : std::nullopt));
    else if (verb == "ack") agent_.acknowledge(word(1), option(words, "framework").value_or("F"));
    else if (verb == "framework") agent_.give(UpdateFramework{described(word(1), words)});
    else if (verb == "teardown") agent_.give(ShutdownFramework{FrameworkId(word(1))});
    else if (verb == "shutdown") agent_.give(ShutdownExecutor{FrameworkId("F"), ExecutorId(word(1))});
    else if (verb == "tell") agent_.give(SchedulerMessage{FrameworkId("F"), ExecutorId(word(1)), word(2)});
    else if (verb == "apply") agent_.give(Apply{word(1), options(words, "resource"), volumes(words)});
    else if (verb == "advance") agent_.advance(duration(word(1)));
    else if (verb == "wait") wait(duration(word(1)));
    else if (verb == "reboot") agent_.boot();
    else return false;
    return true;
  }

  void wait(Duration by) {
    for (; by > Duration(0); by -= std::chrono::seconds(1)) {
      pinged_ = true;
      agent_.give(Ping{});
      pinged_ = false;
      agent_.advance(std::min<Duration>(by, std::chrono::seconds(1)));
    }
  }

  static Framework described(const std::string& id, const Words& words) {
    return {FrameworkId(id), !flag(words, "lost"), flag(words, "killing"), "info of " + id};
  }

  void run_task(const Words& words) {
    TaskDescription task = AgentHarness::command(words[1]);
    task.kill_grace = maybe(option(words, "grace"));
    task.completion_max = maybe(option(words, "max"));
    if (const auto check = option(words, "check")) {
      const Words times = split(*check, ',');
      task.check = Check{duration(times[0]), duration(times[1]), duration(times[2])};
    }
    if (const auto executor = option(words, "executor")) {
      task = AgentHarness::task_of(words[1], *executor);
      task.executor->shutdown_grace = maybe(option(words, "grace"));
      task.executor->volumes = volumes(words);
      if (const auto info = option(words, "info")) task.executor->info = *info;
    } else {
      task.volumes = volumes(words);
    }
    agent_.give(RunTask{described(option(words, "framework").value_or("F"), words), task});
  }

  bool of_executors(const Words& words) {
    const std::string& verb = words[0];
    if (verb == "cut") {
      agent_.give(ExecutorDisconnected{std::stoull(words[1])});
    } else if (verb == "says") {
      agent_.update(words[1], AgentHarness::says(words[2], state_of(words[3]), words[4]));
    } else if (verb == "message") {
      agent_.give(ExecutorMessage{FrameworkId("F"), ExecutorId(words[1]), words[2]});
    } else if (verb == "subscribe") {
      std::set<TaskId> tasks;
      std::vector<Status> updates;
      for (const auto& id : options(words, "task")) tasks.emplace(id);
      for (const auto& update : options(words, "update")) {
        const Words parts = split(update, ':');
        updates.push_back(AgentHarness::says(parts[0], state_of(parts[1]), parts[2]));
      }
      agent_.subscribe(words[1], std::stoull(words[2]), tasks, updates);
    } else {
      return false;
    }
    return true;
  }

  bool of_containers(const Words& words) {
    const std::string& verb = words[0];
    const auto container = agent_.container(words[1]);
    if (verb == "launched") {
      std::optional<PortsHeld> ports;
      if (const auto listens = option(words, "listens")) ports = PortsHeld{*listens, ""};
      agent_.give(ContainerStarted{container, ++pids_, ports});
    } else if (verb == "ended") {
      const std::string& how = words[2];
      int status = 0;
      if (how.starts_with("exit")) status = std::stoi(how.substr(4)) << 8;
      if (how.starts_with("signal")) status = std::stoi(how.substr(6));
      agent_.give(ContainerEnded{container, status, option(words, "error").value_or(""), flag(words, "never"),
                                 flag(words, "lost")});
    } else if (verb == "ports") {
      agent_.give(PortsChanged{container, {words[2], words.size() > 3 ? words[3] : ""}});
    } else if (verb == "checked") {
      const bool none = words[2] == "none";
      agent_.give(CheckDone{container, {none ? std::nullopt : std::optional(std::stoi(words[2]))}});
    } else if (verb == "stray") {
      const ContainerId stray("stray");
      agent_.give(words[1] == "started" ? Input(ContainerStarted{stray, 1})
                                        : Input(ContainerEnded{stray, 0, "", false, false}));
    } else {
      return false;
    }
    return true;
  }

  // ---- what is told ----

  void say(const std::string& who, const std::string& what) {
    lines_.push_back(who + std::string(10 - who.size(), ' ') + what);
  }
  void to(ConnectionId connection, const std::string& what) { say("-> " + std::to_string(connection), what); }
  std::string of(const ContainerId& container) const { return agent_.name_of(container); }

  /// "#2": the second update that was ever made.
  std::string number(const std::string& uuid) {
    return "#" + std::to_string(uuids_.try_emplace(uuid, uuids_.size() + 1).first->second);
  }
  std::string described(const Status& s) {
    std::string line = number(s.uuid) + ' ' + s.task.str() + ' ' + std::string(name(s.state).substr(5));
    line += s.from_executor ? " by the executor" : " by the agent";
    if (!s.executor.empty()) line += ' ' + s.executor.str();
    if (!s.container.empty()) line += " in " + of(s.container);
    if (s.reason) line += " reason " + std::to_string(static_cast<int>(*s.reason));
    if (s.pid != 0) line += " pid " + std::to_string(s.pid);
    if (s.check) line += " check " + (s.check->exit_code ? std::to_string(*s.check->exit_code) : "none");
    if (s.ports) line += " listens '" + s.ports->listens + "' strangers '" + s.ports->strangers + "'";
    if (!s.message.empty()) line += " \"" + s.message + '"';
    const double age = seconds(agent_.now().wall.time_since_epoch()) - s.timestamp;
    if (age > 0.001) line += " " + std::to_string(std::lround(age)) + " s ago";
    return line;
  }

  void hear(const Persist& p) {
    std::set<std::string> written;
    for (const auto& change : p.changes)
      written.insert((change.value ? "" : "without ") + change.key.substr(0, change.key.find('/')));
    std::string line;
    for (const auto& kind : written) line += (line.empty() ? "" : ", ") + kind;
    say("store", line);
  }
  void hear(const SendRegister& r) {
    std::string line =
        "register " + (r.agent.empty() ? "anew" : r.agent.str()) + " epoch " + std::to_string(r.epoch_seen);
    for (const auto& resource : r.resources) line += " <" + resource + '>';
    for (const auto& info : r.frameworks) line += " <" + info + '>';
    say("-> master", line);
    for (const auto& task : r.tasks) {
      say("-> master", "  " + task.framework.str() + " <" + task.info + "> " + std::string(name(task.state).substr(5)));
      if (task.unacknowledged) say("-> master", "    unacknowledged " + described(*task.unacknowledged));
      if (task.last) say("-> master", "    last " + described(*task.last));
    }
    for (const auto& e : r.executors) say("-> master", "  executor of " + e.framework.str() + " <" + e.info + '>');
  }
  void hear(const SendUpdate& u) {
    const bool newer = u.latest != u.status.state;
    say("-> master", described(u.status) + (u.framework.str() == "F" ? "" : " of " + u.framework.str()) +
                         (newer ? ", latest " + std::string(name(u.latest).substr(5)) : ""));
  }
  void hear(const SendExecutorMessage& m) { say("-> master", "message of " + m.executor.str() + ": " + m.data); }
  void hear(const SendExecutorExited& e) {
    say("-> master",
        "executor " + e.executor.str() + " of " + e.framework.str() + " exited " + std::to_string(e.wait_status));
  }
  void hear(const SendApplied& a) {
    say("-> master", "applied " + a.operation + (a.error.empty() ? "" : ": ") + a.error);
  }
  void hear(const SendPong&) {
    if (!pinged_) say("-> master", "pong");
  }
  void hear(const ResetLink&) { say("link", "reset"); }
  void hear(const TellSubscribed& t) {
    to(t.connection, "subscribed to " + t.agent.str() + " in " + of(t.container) + " <" + t.executor_info + "> <" +
                         t.framework_info + '>');
  }
  void hear(const TellLaunch& t) { to(t.connection, "launch <" + t.task_info + '>'); }
  void hear(const TellKill& t) { to(t.connection, "kill " + t.task.str() + " grace " + text(t.grace)); }
  void hear(const TellAcknowledged& t) { to(t.connection, "acknowledged " + t.task.str() + ' ' + number(t.uuid)); }
  void hear(const TellMessage& t) { to(t.connection, "message " + t.data); }
  void hear(const TellShutdown& t) { to(t.connection, "shutdown"); }
  void hear(const CloseExecutor& c) { to(c.connection, "close"); }
  void hear(const LaunchContainer& l) {
    std::string line = "launch " + of(l.container) + " on " + l.agent.str() + " for " + l.framework.str();
    for (const auto& info : {l.framework_info, l.task_info, l.executor_info}) line += " <" + info + '>';
    say("container", line);
  }
  void hear(const LinkVolumes& l) { say("container", "link volumes of <" + l.task_info + "> into " + of(l.container)); }
  void hear(const TerminateContainer& t) { say("container", "terminate " + of(t.container)); }
  void hear(const DestroyContainer& d) { say("container", "destroy " + of(d.container)); }
  void hear(const RunCheck& c) {
    say("container", "check " + of(c.container) + " within " + text(c.timeout) + " <" + c.task_info + "> <" +
                         c.framework_info + '>');
  }
  void hear(const ForgetContainer& f) { say("container", "forget " + of(f.container)); }
  void hear(const RemoveSandbox& r) {
    say("sandbox",
        "remove " + r.agent.str() + '/' + r.framework.str() + '/' + r.executor.str() + '/' + of(r.container));
  }
  void hear(const MakeVolume& v) { say("volume", "make " + v.volume.role + '/' + v.volume.id); }
  void hear(const RemoveVolume& v) { say("volume", "remove " + v.volume.role + '/' + v.volume.id); }
  void hear(const Note& note) { say("note", note.text); }

  AgentHarness agent_;
  std::map<std::string, std::size_t> uuids_;
  std::int64_t pids_ = 100;
  bool pinged_ = false;
  std::vector<std::string> lines_;
};

class AgentStories : public testing::TestWithParam<std::string> {};

TEST_P(AgentStories, AreToldAsRecorded) {
  Told told;
  stories::expect_told(folder, GetParam(), [&](const std::string& line) { return told.run(line); });
}

INSTANTIATE_TEST_SUITE_P(Story, AgentStories, testing::ValuesIn(stories::in(folder)),
                         [](const auto& story) { return story.param; });

}  // namespace
}  // namespace banyan::agent
