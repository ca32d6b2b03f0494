// Whole conversations of a node's scheduler with the master and the root; stories/*.txt hold them as golden text.
//
//   node kafka 3 [volume=100] [grace=5s] [serial]   what the handover declares; the first line
//   handover instances=2 env=x volume=200 restart may_start=no drain          a newer version with these changes
//   subscribe | disconnect | restart | offer        `restart`: a new scheduler process with what was stored
//   run kafka-0 | run all | end kafka-0 TASK_KILLED | update TASK STATE       what the master says
//   ready kafka-0 no | advance 10s | free           `free`: what the agents have left
#include "tests/stories.h"

#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "runtime/adapters/codec/resources.h"
#include "runtime/base/quantity.h"
#include "tests/unit/service/harness.h"

namespace banyan::service {
namespace {

const std::string folder = std::string(SOURCE_DIR) + "/stories";

std::string ids_of(const v1::scheduler::Call::Accept& accept) {
  std::string text;
  for (const auto& id : accept.offer_ids()) text += " " + id.value();
  return text;
}

/// "disk<kafka-0 volume:data>:100": a reservation by the labels that say whose it is.
std::string text_of(const Resources& resources) {
  static const std::regex labels(
      R"(\(reservations: \[\(DYNAMIC,[^,]*,\{banyan\.claim: ([^,]*), banyan\.instance: ([^}]*)\}\)\]\))");
  return std::regex_replace(resources.without_allocation().str(), labels, "<$2 $1>");
}
std::string resources(const google::protobuf::RepeatedPtrField<v1::Resource>& list) {
  return text_of(codec::decode(list).value());
}

std::string operation_text(const v1::Offer::Operation& o) {
  const auto name = v1::Offer::Operation::Type_Name(o.type());
  const auto one = [](const v1::Resource& r) { return text_of({codec::decode(r).value()}); };
  switch (o.type()) {
    case v1::Offer::Operation::RESERVE: return name + " " + resources(o.reserve().resources());
    case v1::Offer::Operation::UNRESERVE: return name + " " + resources(o.unreserve().resources());
    case v1::Offer::Operation::CREATE: return name + " " + resources(o.create().volumes());
    case v1::Offer::Operation::GROW_VOLUME:
      return name + " " + one(o.grow_volume().volume()) + " by " + one(o.grow_volume().addition());
    case v1::Offer::Operation::SHRINK_VOLUME:
      return name + " " + one(o.shrink_volume().volume()) + " by " +
             std::to_string(std::llround(o.shrink_volume().subtract().value()));
    default: {
      std::string text = name;
      for (const auto& task : o.launch().task_infos())
        text += " " + task.task_id().value() + " (" + resources(task.resources()) + ")";
      return text;
    }
  }
}

std::vector<std::string> call_text(const v1::scheduler::Call& call) {
  using Call = v1::scheduler::Call;
  const auto name = Call::Type_Name(call.type());
  std::vector<std::string> lines;
  switch (call.type()) {
    case Call::ACCEPT:
      lines.push_back(name + ids_of(call.accept()));
      for (const auto& o : call.accept().operations()) lines.push_back("  " + operation_text(o));
      return lines;
    case Call::DECLINE: return {name + " " + std::to_string(call.decline().offer_ids_size()) + " offer(s)"};
    case Call::KILL:
      return {
          name + " " + call.kill().task_id().value() +
          (call.kill().has_kill_policy()
               ? " grace " + std::to_string(call.kill().kill_policy().grace_period().nanoseconds() / 1'000'000) + "ms"
               : "")};
    case Call::ACKNOWLEDGE: return {name + " " + call.acknowledge().task_id().value()};
    case Call::RECONCILE: {
      std::string text = name;
      for (const auto& task : call.reconcile().tasks()) text += " " + task.task_id().value();
      return {text + (call.reconcile().tasks().empty() ? " all" : "")};
    }
    default: return {name};
  }
}

class Told {
 public:
  std::vector<std::string> run(const std::string& line) {
    std::stringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    if (words[0] == "node") {
      node_ = tcp_node(words[1], static_cast<std::uint32_t>(std::stoul(words[2])));
      change({words.begin() + 3, words.end()});
      harness_.emplace(node_);
      harness_->heard = [this](const Core::Effect& effect) { hear(effect); };
      return {};
    }
    probed_.clear();
    act(words);
    return std::exchange(lines_, {});
  }

 private:
  void change(const std::vector<std::string>& words) {
    auto& server = node_.servers[0];
    for (const auto& word : words) {
      const auto value = word.substr(std::min(word.size(), word.find('=') + 1));
      if (word.starts_with("volume=")) server.volumes["data"].size_bytes = std::stoll(value) << 20;
      else if (word.starts_with("grace=")) server.stop.grace = parse_duration(value).value();
      else if (word.starts_with("instances=")) server.instances = static_cast<std::uint32_t>(std::stoul(value));
      else if (word.starts_with("env=")) server.env["A"] = {value, {}};
      else if (word == "serial") server.stop.order = specs::StopOrder::serial;
      else if (word.starts_with("may_start=")) harness_->message.set_may_start(value == "yes");
      else if (word == "restart") ++(*harness_->message.mutable_restarts())[server.name];
      else if (word == "drain") harness_->message.set_drain(true);
      else FAIL() << "what is " << word;
    }
  }

  void act(const std::vector<std::string>& words) {
    auto& h = *harness_;
    const auto& verb = words[0];
    if (verb == "handover") {
      change({words.begin() + 1, words.end()});
      h.handover(node_);
    } else if (verb == "subscribe") h.subscribe();
    else if (verb == "disconnect") h.disconnect();
    else if (verb == "restart") h.restart();
    else if (verb == "offer") h.offer();
    else if (verb == "run" && words[1] == "all") h.run_all();
    else if (verb == "run") h.run(words[1]);
    else if (verb == "end") h.end(words[1], state(words.size() > 2 ? words[2] : "TASK_FAILED"), "it ended");
    else if (verb == "update") h.update(words[1], state(words[2]));
    else if (verb == "ready") h.ready["kafka/0/" + words[1]] = words[2] == "yes";
    else if (verb == "advance") h.advance(parse_duration(words[1]).value());
    else if (verb == "free") lines_.push_back(h.agents["a1"].free.str());
    else FAIL() << "what is " << verb;
  }

  static v1::TaskState state(const std::string& name) {
    v1::TaskState parsed = v1::TASK_LOST;
    EXPECT_TRUE(v1::TaskState_Parse(name, &parsed)) << name;
    return parsed;
  }

  void say(const std::string& who, const std::string& what) {
    lines_.push_back(who + std::string(10 - who.size(), ' ') + what);
  }

  void hear(const Core::Effect& effect) {
    if (const auto* persist = std::get_if<Persist>(&effect))
      for (const auto& changed : persist->changes) say("store", changed.key);
    else if (const auto* sent = std::get_if<Send>(&effect)) say_call(sent->call);
    else if (const auto* launch = std::get_if<Launch>(&effect)) say_call(launch->call);
    else if (const auto* report = std::get_if<Report>(&effect)) say("-> root", report_text(report->status));
    else if (const auto* probe = std::get_if<StartProbe>(&effect)) say_probe(probe->key);
    else if (const auto* note = std::get_if<Note>(&effect)) say("note", note->text);
    else if (const auto* exit = std::get_if<Exit>(&effect))
      say("exit", std::to_string(exit->code) + " " + exit->reason);
  }

  void say_call(const v1::scheduler::Call& call) {
    for (const auto& line : call_text(call)) say("-> master", line);
  }

  /// A probe that is repeated is told once.
  void say_probe(const std::string& key) {
    if (probed_.insert(key).second) say("probe", key);
  }

  static std::string report_text(const ChildStatus& status) {
    std::string text = status.serving() ? "serving" : "not serving";
    for (const auto& server : status.servers()) text += " " + server.name() + "=" + server.state();
    if (status.has_observed()) text += " observed " + status.observed();
    return status.reason().empty() ? text : text + " | " + status.reason();
  }

  specs::Node node_;
  std::optional<Harness> harness_;
  std::vector<std::string> lines_;
  std::set<std::string> probed_;  ///< by the present line
};

class ServiceStories : public testing::TestWithParam<std::string> {};

TEST_P(ServiceStories, AreToldAsRecorded) {
  Told told;
  stories::expect_told(folder, GetParam(), [&](const std::string& line) { return told.run(line); });
}

INSTANTIATE_TEST_SUITE_P(Story, ServiceStories, testing::ValuesIn(stories::in(folder)),
                         [](const auto& story) { return story.param; });

}  // namespace
}  // namespace banyan::service
