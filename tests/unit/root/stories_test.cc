// Whole conversations of the root with the master, executors and people; stories/*.txt hold them as golden text.
//
//   up zk kafka:zk logging:kafka,search      a stack "s" of these nodes, each with what it needs; `zk=2`: another
//   command subscribe | disconnect | restart | offer [CPUS] | advance 10s        `restart`: a new root with what was
//   stored runs zk | serves zk [ADDRESS] | degrades zk [REASON] | fails zk [REASON] | ends zk [TASK_FAILED] | silent zk
//   again zk [servers|scheduler] | down [volumes] [now] | torn_down | released | summary
#include "tests/stories.h"

#include <gtest/gtest.h>

#include <sstream>

#include "runtime/base/quantity.h"
#include "tests/unit/root/harness.h"

namespace banyan::root {
namespace {

using mesos::v1::scheduler::Call;

const std::string folder = std::string(SOURCE_DIR) + "/stories";

std::string text_of(const ToExecutor& words) {
  std::string text;
  if (words.has_handover()) {
    const auto& handover = words.handover();
    text += " handover " + std::to_string(handover.version()) + (handover.may_start() ? "" : ", may not start") +
            (handover.drain() ? ", drain" : "");
    for (const auto& dependency : handover.dependencies())
      for (const auto& endpoint : dependency.endpoints())
        text += ", " + dependency.node() + "." + endpoint.name() + "=" +
                (endpoint.addresses_size() == 0 ? "" : endpoint.addresses(0));
  }
  if (words.restart()) text += " restart " + std::to_string(words.restart_number());
  if (words.repeat_report()) text += " repeat your report";
  return text;
}

ToExecutor to_executor(const std::string& data) {
  ToExecutor words;
  words.ParseFromString(data);
  return words;
}

std::string text_of(const Call& call) {
  std::string text = Call::Type_Name(call.type());
  switch (call.type()) {
    case Call::ACCEPT:
      for (const auto& task : call.accept().operations(0).launch().task_infos())
        text += " " + task.task_id().value() + " (" + text_of(to_executor(task.data())).substr(1) + ")";
      return text;
    case Call::KILL: return text + " " + call.kill().task_id().value();
    case Call::ACKNOWLEDGE: return text + " " + call.acknowledge().task_id().value();
    case Call::MESSAGE:
      return text + " " + call.message().executor_id().value() + text_of(to_executor(call.message().data()));
    case Call::RECONCILE:
      for (const auto& task : call.reconcile().tasks()) text += " " + task.task_id().value();
      return text + (call.reconcile().tasks().empty() ? " all" : "");
    default: return text;
  }
}

std::string text_of(const Event& event) {
  std::string text =
      std::to_string(event.seq()) + " " + event.kind() + (event.node().empty() ? "" : " " + event.node());
  if (!event.detail().empty()) text += ": " + event.detail();
  if (!event.cause().empty()) text += " because " + event.cause();
  if (event.root_cause() != 0) text += " [from " + std::to_string(event.root_cause()) + "]";
  if (event.outage_ms() != 0) text += " [after " + std::to_string(event.outage_ms()) + "ms]";
  return text;
}

std::string text_of(const StatusChanged& changed) {
  if (changed.everything) return "everything";
  std::string text;
  for (const auto& [stack, nodes] : changed.nodes) {
    text += (text.empty() ? "" : " ") + stack + ":";
    for (const auto& node : nodes) text += " " + node;
  }
  return text;
}

class Told {
 public:
  Told() {
    h_.heard = [this](const Core::Effect& effect) { hear(effect); };
  }

  std::vector<std::string> run(const std::string& line) {
    std::stringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    act(words);
    return std::exchange(lines_, {});
  }

 private:
  void act(const std::vector<std::string>& words) {
    const auto& verb = words[0];
    const std::string node = words.size() > 1 ? words[1] : "", more = words.size() > 2 ? words[2] : "";
    const auto has = [&](const char* word) { return std::find(words.begin(), words.end(), word) != words.end(); };
    if (verb == "up") h_.up(stack(words));
    else if (verb == "down") h_.down("s", has("volumes"), has("now"));
    else if (verb == "subscribe") h_.connect();
    else if (verb == "disconnect") h_.step(Disconnected{"reset by peer"});
    else if (verb == "restart") h_.restart();
    else if (verb == "offer") h_.offer(words.size() > 1 ? std::stod(words[1]) : 64);
    else if (verb == "advance") h_.advance(parse_duration(words[1]).value());
    else if (verb == "torn_down") h_.torn_down();
    else if (verb == "released") h_.released();
    else if (verb == "summary") lines_.push_back(h_.core->summary());
    else if (verb == "again") again(node, more == "scheduler");
    else act_on(verb, node, words);
  }

  void act_on(const std::string& verb, const std::string& node, const std::vector<std::string>& words) {
    std::string rest;
    for (std::size_t i = 2; i < words.size(); ++i) rest += (i == 2 ? "" : " ") + words[i];
    const std::string task = h_.task_of(node);
    mesos::v1::TaskState state = mesos::v1::TASK_FAILED;
    if (!rest.empty()) mesos::v1::TaskState_Parse(rest, &state);
    if (verb == "runs") h_.runs(node);
    else if (verb == "serves") h_.serves(node, {rest.empty() ? "127.0.0.1:1" : rest});
    else if (verb == "degrades" || verb == "fails") says(node, verb == "fails", rest);
    else if (verb == "ends") h_.ends(node, state, "exit 1");
    else if (verb == "silent") h_.update(task, mesos::v1::TASK_UNREACHABLE, std::nullopt);
    else FAIL() << "what is " << verb;
  }

  void says(const std::string& node, bool failed, const std::string& reason) {
    auto report = h_.report(node, false);
    report.mutable_child()->set_failed(failed);
    report.mutable_child()->set_reason(reason);
    h_.update(h_.task_of(node), mesos::v1::TASK_RUNNING, report);
  }

  void again(const std::string& node, bool scheduler) {
    RestartAsked asked;
    asked.request.set_node(node);
    asked.request.set_scheduler(scheduler);
    h_.step(asked);
  }

  static std::string stack(const std::vector<std::string>& words) {
    std::string text = "name: s\nframeworks:\n";
    for (std::size_t i = 1; i < words.size(); ++i) {
      const auto colon = words[i].find(':');
      const std::string who = words[i].substr(0, colon), name = who.substr(0, who.find('='));
      text += "  " + name + ": { command: [sleep, \"" + (who == name ? "1" : who.substr(name.size() + 1)) +
              "\"], ports: { p: auto }, endpoints: { e: { port: p } }";
      if (colon != std::string::npos) text += ", depends_on: [" + words[i].substr(colon + 1) + "]";
      text += " }\n";
    }
    return text;
  }

  void say(const std::string& who, const std::string& what) {
    lines_.push_back(who + std::string(10 - who.size(), ' ') + what);
  }

  void hear(const Core::Effect& effect) {
    if (const auto* persist = std::get_if<Persist>(&effect)) {
      for (const auto& change : persist->changes)
        if (!change.key.starts_with("event/")) say("store", (change.value ? "" : "without ") + change.key);
    } else if (const auto* sent = std::get_if<SendCall>(&effect)) {
      say("-> master", text_of(sent->call));
    } else if (const auto* answer = std::get_if<Answer>(&effect)) {
      say_answer(*answer);
    } else if (const auto* teardown = std::get_if<TearDown>(&effect)) {
      say("operator", "TEARDOWN " + teardown->framework_id);
    } else if (const auto* release = std::get_if<ReleaseRole>(&effect)) {
      say("operator", "RELEASE " + release->role);
    } else if (const auto* folder_made = std::get_if<MakeFolder>(&effect)) {
      say("folder", folder_made->path + " of " + folder_made->user);
    } else if (const auto* removed = std::get_if<RemoveFolder>(&effect)) {
      say("folder", "without " + removed->path);
    } else if (const auto* announced = std::get_if<Announce>(&effect)) {
      say("event", text_of(announced->event));
    } else if (const auto* changed = std::get_if<StatusChanged>(&effect)) {
      say("status", text_of(*changed));
    }
  }

  void say_answer(const Answer& answer) {
    if (const auto* up = std::get_if<UpReply>(&answer.reply)) {
      for (const auto& text : up->errors()) say("answer", text);
      if (!up->conflict().empty()) say("answer", up->conflict());
      for (const auto& text : up->changes()) say("answer", text);
      if (up->has_revision())
        say("answer", "revision " + std::to_string(up->revision().number()) + " " + up->revision().state());
    } else if (const auto* down = std::get_if<DownReply>(&answer.reply)) {
      say("answer", down->error().empty() ? "ok" : down->error());
    } else {
      const auto& error = std::get<RestartReply>(answer.reply).error();
      say("answer", error.empty() ? "ok" : error);
    }
  }

  Harness h_;
  std::vector<std::string> lines_;
};

class RootStories : public testing::TestWithParam<std::string> {};

TEST_P(RootStories, AreToldAsRecorded) {
  Told told;
  stories::expect_told(folder, GetParam(), [&](const std::string& line) { return told.run(line); });
}

INSTANTIATE_TEST_SUITE_P(Story, RootStories, testing::ValuesIn(stories::in(folder)),
                         [](const auto& story) { return story.param; });

}  // namespace
}  // namespace banyan::root
