// Whole conversations of the root with the master, executors and people; stories/*.txt hold them as golden text.
//
//   up zk kafka:zk logging:kafka,search      a stack "s" of these nodes, each with what it needs; `zk=2`: another
//   command up|dry|wish {name: s, …}                 the file itself, in one line; `dry`: only what would be done;
//   `wish`: not subscribe | disconnect | restart         superseding others. `restart`: a new root with what was stored
//   offer [CPUS [MEM]] | offers 1/64 64/reserved 64    several at once | no_agents TEXT | advance 10s
//   runs zk | serves zk [ADDRESS] | degrades zk [REASON] | fails zk [REASON] | ends zk [TASK_FAILED] | silent zk
//   reports zk child { serving: true }       anything; `observed: "now"` is the hash that it was handed
//   known zk | task zk TASK_FINISHED         the master's own word without data | only the task ends, not its executor
//   again zk [servers|scheduler] | down [volumes] [now] [5s] | down_of NAME [volumes] | torn_down [ERROR] |
//   released [ERROR] | summary | status | history | events AFTER
#include "tests/stories.h"

#include <google/protobuf/text_format.h>
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
    for (const auto& [server, count] :
         std::map<std::string, std::uint64_t>(handover.restarts().begin(), handover.restarts().end()))
      text += ", " + server + " again " + std::to_string(count);
  }
  if (words.restart_number() != 0)
    text += (words.restart() ? " restart " : " after restart ") + std::to_string(words.restart_number());
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
    const auto space = line.find(' ');
    rest_ = space == std::string::npos ? "" : line.substr(space + 1);
    act(words);
    return std::exchange(lines_, {});
  }

 private:
  void act(const std::vector<std::string>& words) {
    const auto& verb = words[0];
    const std::string node = words.size() > 1 ? words[1] : "", more = words.size() > 2 ? words[2] : "";
    if (verb == "up" || verb == "dry" || verb == "wish") up(verb, node.starts_with("{") ? rest_ : stack(words));
    else if (verb == "down") down("s", words);
    else if (verb == "down_of") down(node, words);
    else if (verb == "subscribe") h_.connect();
    else if (verb == "disconnect") h_.step(Disconnected{"reset by peer"});
    else if (verb == "restart") h_.restart();
    else if (verb == "offer") h_.offer(node.empty() ? 64 : std::stod(node), more.empty() ? 65536 : std::stod(more));
    else if (verb == "offers") offers(words);
    else if (verb == "no_agents") h_.step(AgentsRefused{rest_});
    else if (verb == "advance") h_.advance(parse_duration(words[1]).value());
    else if (verb == "torn_down") torn_down();
    else if (verb == "released") released();
    else if (verb == "summary") lines_.push_back(h_.core->summary());
    else if (verb == "status") status();
    else if (verb == "history") history();
    else if (verb == "events") events(std::stoull(node));
    else if (verb == "again") again(node, more == "scheduler");
    else act_on(verb, node, words);
  }

  void act_on(const std::string& verb, const std::string& node, const std::vector<std::string>& words) {
    std::string rest;
    for (std::size_t i = 2; i < words.size(); ++i) rest += (i == 2 ? "" : " ") + words[i];
    const std::string task = h_.task_of(node);
    mesos::v1::TaskState state = mesos::v1::TASK_FAILED;
    if (rest.starts_with("TASK_")) mesos::v1::TaskState_Parse(rest, &state);
    if (verb == "runs") h_.runs(node);
    else if (verb == "serves") h_.serves(node, {rest.empty() ? "127.0.0.1:1" : rest});
    else if (verb == "degrades" || verb == "fails") says(node, verb == "fails", rest);
    else if (verb == "ends") h_.ends(node, state, "exit 1");
    else if (verb == "task") h_.update(task, state, std::nullopt, false, "exit 1");
    else if (verb == "known") h_.update(task, mesos::v1::TASK_RUNNING, std::nullopt, true);
    else if (verb == "reports") reports(node, rest);
    else if (verb == "silent") h_.update(task, mesos::v1::TASK_UNREACHABLE, std::nullopt);
    else FAIL() << "what is " << verb;
  }

  void says(const std::string& node, bool failed, const std::string& reason) {
    auto report = h_.report(node, false);
    report.mutable_child()->set_failed(failed);
    report.mutable_child()->set_reason(reason);
    h_.update(h_.task_of(node), mesos::v1::TASK_RUNNING, report);
  }

  void reports(const std::string& node, const std::string& text) {
    ChildReport report;
    if (!google::protobuf::TextFormat::ParseFromString(text, &report)) FAIL() << "no report: " << text;
    if (report.child().observed() == "now") report.mutable_child()->set_observed(h_.handover(node).node_hash());
    h_.update(h_.task_of(node), mesos::v1::TASK_RUNNING, report);
  }

  void up(const std::string& verb, const std::string& text) {
    UpAsked asked;
    asked.request.mutable_bundle()->set_file("stack.yaml");
    asked.request.mutable_bundle()->set_text(text);
    asked.request.set_dry_run(verb == "dry");
    asked.request.set_supersede(verb != "wish");
    h_.step(asked);
  }

  void down(const std::string& stack, const std::vector<std::string>& words) {
    DownAsked asked;
    asked.request.set_stack(stack);
    for (const auto& word : words) {
      if (word == "volumes") asked.request.set_volumes(true);
      if (word == "now") asked.request.set_now(true);
      if (const auto limit = parse_duration(word))
        asked.request.set_deadline_ms(static_cast<std::uint64_t>(milliseconds(*limit)));
    }
    h_.step(asked);
  }

  void torn_down() {
    for (const auto& teardown : std::exchange(h_.teardowns, {}))
      h_.step(TornDown{teardown.stack, teardown.node, rest_});
  }
  void released() {
    for (const auto& release : std::exchange(h_.releases, {})) h_.step(Released{release.stack, release.node, rest_});
  }

  void offers(const std::vector<std::string>& words) {
    Offered offered;
    for (std::size_t i = 1; i < words.size(); ++i) {
      const auto slash = words[i].find('/');
      const std::string mem = slash == std::string::npos ? "65536" : words[i].substr(slash + 1);
      auto offer = Harness::make_offer(words[i], std::stod(words[i]), mem == "reserved" ? 65536 : std::stod(mem));
      if (mem == "reserved")
        for (auto& resource : *offer.mutable_resources()) resource.add_reservations()->set_role("banyan/s.zk");
      offered.offers.push_back(std::move(offer));
    }
    h_.step(offered);
  }

  void status() {
    const Status now = h_.core->status(h_.now);
    for (const auto& stack : now.stacks()) {
      say(stack.name(), stack.state() + (stack.revision().step().empty() ? "" : ", " + stack.revision().step()));
      for (const auto& node : stack.nodes()) {
        std::string text = node.state() + ", scheduler " + node.scheduler().state();
        if (node.met()) text += ", met";
        if (!node.confirmed()) text += ", heard of " + std::to_string(node.heard_ms()) + "ms ago";
        if (node.timed_out()) text += ", timed out";
        if (!node.cause_node().empty()) text += ", for " + node.cause_node();
        if (node.scheduler().restarts() != 0) text += ", restarts " + std::to_string(node.scheduler().restarts());
        if (node.took_ms() != 0) text += ", took " + std::to_string(node.took_ms()) + "ms";
        say("  " + node.name(), text + (node.reason().empty() ? "" : ": " + node.reason()));
        for (const auto& task : node.tasks()) say("    " + task.name(), task.state() + " " + task.reason());
      }
    }
  }

  void history() {
    for (const auto& revision : h_.core->history(h_.now, "s"))
      say(std::to_string(revision.number()), revision.state() + (revision.reason().empty() ? "" : ": ") +
                                                 revision.reason() + ", " + std::to_string(revision.age_ms()) +
                                                 "ms ago");
  }

  void events(std::uint64_t after) {
    const auto found = h_.core->events("", after);
    lines_.push_back(std::to_string(found.size()) +
                     (found.empty() ? "" : " from " + std::to_string(found.front().seq())));
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
    lines_.push_back(who + std::string(who.size() < 10 ? 10 - who.size() : 1, ' ') + what);
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
        say("answer", "revision " + std::to_string(up->revision().number()) + " " + up->revision().state() +
                          (up->event() == 0 ? ", not taken" : ""));
    } else if (const auto* down = std::get_if<DownReply>(&answer.reply)) {
      say("answer", down->error().empty() ? "ok" : down->error());
    } else {
      const auto& error = std::get<RestartReply>(answer.reply).error();
      say("answer", error.empty() ? "ok" : error);
    }
  }

  Harness h_;
  std::string rest_;  // of the line, behind its verb
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
