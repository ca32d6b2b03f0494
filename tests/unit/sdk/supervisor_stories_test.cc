// Whole lives of a child scheduler under its supervisor; stories/*.txt hold them as golden text.
//
//   launch [readiness=true] [hold=1500ms] [signal=1] [grace=2s]     the agent hands over the task, and handover 1
//   root [handover 2] [may_start] [restart 1] [repeat] [command NAME] [readiness=true]         one word of the root
//   starts | cannot start | ends 3 | ends signal 9 | says serving|ready|drained|completed|nothing|TEXT    the child
//   probe passes | probe TEXT | poll 1 0     the readiness check answers; the child asks for news after version 0
//   settled | kill [2s] | shutdown | agent gone | advance 10s | another task | kill_another
//   late starts 1 | late ends 1 | late cannot 1 | late probe 1         words about an earlier run, or an earlier probe
//   by hand     from here on `written`, `written disk full`, `starts` are told; before, they follow at once
#include <gtest/gtest.h>

#include <sstream>

#include "executors/framework/core/supervisor.h"
#include "runtime/base/quantity.h"
#include "tests/stories.h"
#include "tests/unit/sdk/virtual_time.h"

namespace banyan::framework_executor {
namespace {

const std::string folder = std::string(SOURCE_DIR) + "/stories";

std::string joined(const std::vector<std::string>& words, std::size_t from) {
  std::string text;
  for (std::size_t i = from; i < words.size(); ++i) text += (i == from ? "" : " ") + words[i];
  return text;
}

std::string text_of(const Handover& handover) {
  return "handover " + std::to_string(handover.version()) + (handover.may_start() ? "" : ", may not start");
}

std::string text_of(const mesos::v1::TaskStatus& status) {
  ChildReport report;
  EXPECT_TRUE(report.ParseFromString(status.data()));
  std::string text = mesos::v1::TaskState_Name(status.state());
  if (!status.message().empty()) text += " (" + status.message() + ")";
  if (status.has_healthy()) text += status.healthy() ? " healthy" : " unhealthy";
  if (report.has_pid()) text += " pid " + std::to_string(report.pid());
  text += " handover " + std::to_string(report.handover_version());
  if (report.gate_closed()) text += " gate closed";
  if (report.restarts() != 0) text += " restarts " + std::to_string(report.restarts());
  if (report.restart_number() != 0) text += " as asked by " + std::to_string(report.restart_number());
  if (report.has_ready()) text += report.ready() ? " ready" : " not ready: " + report.not_ready();
  if (report.has_child()) text += report.child().serving() ? " serving" : " not serving";
  if (report.child().completed()) text += " completed";
  if (report.child().drained()) text += " drained";
  return report.child().reason().empty() ? text : text + " | " + report.child().reason();
}

class Told {
 public:
  Told()
      : stage_(Supervisor({{"PATH", "/bin"}}, {"/sandbox", "/sandbox/handover.json", "/run/x/child.sock"}, Rng(1))) {}

  std::vector<std::string> run(const std::string& line) {
    std::stringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    if (!child_acts(words) && !root_acts(words)) ADD_FAILURE() << "what is " << line;
    return std::exchange(lines_, {});
  }

 private:
  bool child_acts(const std::vector<std::string>& words) {
    const auto& verb = words[0];
    if (verb == "written") give(HandoverWritten{written_, joined(words, 1)});
    else if (verb == "starts") give(ChildStarted{run_, static_cast<std::uint32_t>(100 + run_)});
    else if (verb == "cannot") give(ChildNotStarted{run_, "no such file"});
    else if (verb == "ends")
      give(ChildEnded{run_, words[1] == "signal" ? std::stoi(words[2]) : std::stoi(words[1]) << 8});
    else if (verb == "says") give(ChildSaid{said(joined(words, 1))});
    else if (verb == "probe") give(Probed{probe_, words[1] == "passes" ? "" : joined(words, 1)});
    else if (verb == "poll") give(HandoverAsked{std::stoul(words[1]), std::stoul(words[2])});
    else if (verb == "late") late(words[1], std::stoul(words[2]));
    else return false;
    return true;
  }

  void late(const std::string& what, std::uint64_t number) {
    if (what == "starts") give(ChildStarted{number, 7});
    else if (what == "ends") give(ChildEnded{number, 0});
    else if (what == "cannot") give(ChildNotStarted{number, "no such file"});
    else give(Probed{number, ""});
  }

  bool root_acts(const std::vector<std::string>& words) {
    const auto& verb = words[0];
    if (verb == "launch") launch(words, "kafka.1");
    else if (verb == "another") launch(words, "kafka.2");
    else if (verb == "kill_another") give(KillAsked{"kafka.2", {}});
    else if (verb == "root") give(MessageCame{word_of(words).SerializeAsString()});
    else if (verb == "settled") give(Settled{});
    else if (verb == "kill") give(KillAsked{"kafka.1", grace(words)});
    else if (verb == "shutdown") give(ShutDownAsked{"shut down", false});
    else if (verb == "agent") give(ShutDownAsked{"the agent did not come back", true});
    else if (verb == "by") by_hand_ = true;
    else if (verb == "advance") hear(stage_.pass(parse_duration(words[1]).value(), Tick{}));
    else return false;
    return true;
  }

  static std::optional<Duration> grace(const std::vector<std::string>& words) {
    return words.size() > 1 ? std::optional(parse_duration(words[1]).value()) : std::nullopt;
  }

  static ChildStatus said(const std::string& what) {
    ChildStatus status;
    status.set_serving(what == "serving");
    if (what == "drained") status.set_drained(true);
    else if (what == "completed") status.set_completed(true);
    else if (what != "serving" && what != "nothing") status.set_reason(what);
    return status;
  }

  static Handover handover(std::uint64_t version, bool may_start) {
    Handover handover;
    handover.set_version(version);
    handover.set_stack("logging");
    handover.set_node("kafka");
    handover.set_framework_id("logging.kafka.1");
    handover.set_role("logging.kafka");
    handover.set_may_start(may_start);
    return handover;
  }

  static ToExecutor word_of(const std::vector<std::string>& words) {
    ToExecutor word;
    for (std::size_t i = 1; i < words.size(); ++i) {
      const auto value = words[i].substr(std::min(words[i].size(), words[i].find('=') + 1));
      auto& readiness = *word.mutable_command()->mutable_readiness();
      if (words[i] == "handover") *word.mutable_handover() = handover(std::stoul(words[++i]), false);
      else if (words[i] == "may_start") word.mutable_handover()->set_may_start(true);
      else if (words[i] == "repeat") word.set_repeat_report(true);
      else if (words[i] == "command") word.mutable_command()->add_argv(words[++i]);
      else if (words[i].starts_with("readiness=")) readiness.add_argv(value);
      else if (words[i].starts_with("hold=")) readiness.set_hold_for_ms(ms(value));
      else if (words[i].starts_with("signal="))
        word.mutable_command()->set_signal_on_change(static_cast<std::uint32_t>(std::stoul(value)));
      else if (words[i] == "restart") {
        word.set_restart(true);
        word.set_restart_number(std::stoul(words[++i]));
      }
      if (readiness.argv().empty()) word.mutable_command()->clear_readiness();
    }
    if (word.command().ByteSizeLong() == 0) word.clear_command();
    return word;
  }
  static std::uint64_t ms(const std::string& text) {
    return static_cast<std::uint64_t>(milliseconds(parse_duration(text).value()));
  }

  void launch(const std::vector<std::string>& words, const std::string& task_id) {
    ToExecutor word = word_of(words);
    word.mutable_command()->add_argv("kafka-scheduler");
    *word.mutable_handover() = handover(1, true);
    Launched launched;
    launched.task.mutable_task_id()->set_value(task_id);
    for (const auto& each : words)
      if (each.starts_with("grace="))
        launched.task.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(
            parse_duration(each.substr(6)).value().count());
    launched.task.set_data(word.SerializeAsString());
    give(launched);
  }

  template <class Input>
  void give(const Input& input) {
    hear(stage_.give(input));
  }

  void say(const std::string& who, const std::string& what) {
    lines_.push_back(who + std::string(10 - who.size(), ' ') + what);
  }

  void hear(const Supervisor::Effects& effects) {
    for (const auto& effect : effects) std::visit([this](const auto& e) { tell(e); }, effect);
    if (by_hand_) return;
    for (const auto& effect : effects) {
      if (const auto* write = std::get_if<WriteHandover>(&effect)) give(HandoverWritten{write->handover.version(), ""});
      if (std::holds_alternative<StartChild>(effect)) child_acts({"starts"});
    }
  }
  void tell(const WriteHandover& e) {
    written_ = e.handover.version();
    say("file", text_of(e.handover));
  }
  void tell(const StartChild& e) {
    run_ = e.run;
    say("child", "start " + joined(e.argv, 0));
  }
  void tell(const SignalChild& e) {
    say("child", "signal " + std::to_string(e.signal) + (e.tree ? " to its group" : ""));
  }
  void tell(const Probe& e) {
    probe_ = e.number;
    say("probe", std::to_string(e.number) + " " + joined(e.argv, 0));
  }
  void tell(const DropProbe&) { say("probe", "dropped"); }
  void tell(const AnswerPoll& e) {
    say("poll " + std::to_string(e.poll), e.handover ? text_of(*e.handover) : "no news");
  }
  void tell(const SendUpdate& e) { say("-> root", text_of(e.status)); }
  void tell(const Exit&) { say("exit", ""); }

  Stage<Supervisor> stage_;
  std::vector<std::string> lines_;
  bool by_hand_ = false;
  std::uint64_t run_ = 0, probe_ = 0, written_ = 0;
};

class SupervisorStories : public testing::TestWithParam<std::string> {};

TEST_P(SupervisorStories, AreToldAsRecorded) {
  Told told;
  stories::expect_told(folder, GetParam(), [&](const std::string& line) { return told.run(line); });
}

INSTANTIATE_TEST_SUITE_P(Story, SupervisorStories, testing::ValuesIn(stories::in(folder)),
                         [](const auto& story) { return story.param; });

}  // namespace
}  // namespace banyan::framework_executor
