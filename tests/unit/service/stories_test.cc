// Whole conversations of a node's scheduler with the master and the root; stories/*.txt hold them as golden text.
//
//   node kafka 3 [volume=100] [grace=5s] [serial] [agents=a1,a2]    what the handover declares; the first line. Also
//     job | running | never | on_failure | max=2 | within=1m | fixed=9092 | exec | whole | hold=1s | start=2s |
//     unprobed second=2 (another server, `side`) | one_by_one (the node's servers) | file=TEXT | user=NAME | cpus=2 |
//     mem=100
//   handover instances=2 env=x volume=200 restart may_start=no drain dep=a:1 masters=m2:5050 damaged mended
//   subscribe | disconnect | restart | offer        `restart`: a new scheduler process with what was stored
//   run kafka-0 | run all | end kafka-0 TASK_KILLED | update TASK STATE       what the master says
//   ports kafka-0 tcp/31000 [tcp/31001=12/python3] | checked kafka-0 0 | refused ACCEPT | agent_lost a1 | removed
//   ready kafka-0 no | ready kafka no | advance 10s | free | by_hand    `free`: what the agents have left; `by_hand`:
//   probes are told with their addresses and wait | passes 1 | fails 1 [TEXT] | incarnation 2 | moved a1 10.0.0.9
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

std::string refusal(const v1::Filters& filters) {
  const auto s = static_cast<int>(filters.refuse_seconds());
  return s == 0 ? "" : ", none for " + std::to_string(s) + "s";
}

std::vector<std::string> call_text(const v1::scheduler::Call& call) {
  using Call = v1::scheduler::Call;
  const auto name = Call::Type_Name(call.type());
  std::vector<std::string> lines;
  switch (call.type()) {
    case Call::ACCEPT:
      lines.push_back(name + ids_of(call.accept()) + refusal(call.accept().filters()));
      for (const auto& o : call.accept().operations()) lines.push_back("  " + operation_text(o));
      return lines;
    case Call::DECLINE:
      return {name + " " + std::to_string(call.decline().offer_ids_size()) + " offer(s)" +
              refusal(call.decline().filters())};
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
      std::string agents = "a1";
      for (const auto& word : words)
        if (word.starts_with("agents=")) agents = std::regex_replace(word.substr(7), std::regex(","), " ");
      change({words.begin() + 3, words.end()});
      harness_.emplace(node_, agents);
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
      else if (word.starts_with("masters=")) harness_->message.set_masters(0, value);
      else if (word.starts_with("dep=")) depend(value);
      else if (word == "damaged" || word == "mended") damaged_ = word == "damaged";
      else if (!word.starts_with("agents=")) declare(word, value);
    }
  }

  void declare(const std::string& word, const std::string& value) {
    auto& server = node_.servers[0];
    if (word == "job") node_.goal = specs::Goal::completed;
    else if (word == "running") node_.goal = specs::Goal::running;
    else if (word == "never") server.restart.policy = specs::RestartPolicy::never;
    else if (word == "on_failure") server.restart.policy = specs::RestartPolicy::on_failure;
    else if (word.starts_with("max=")) server.restart.max = static_cast<std::uint32_t>(std::stoul(value));
    else if (word.starts_with("within=")) server.restart.within = parse_duration(value).value();
    else if (word.starts_with("fixed=")) server.ports["client"].fixed = static_cast<std::uint16_t>(std::stoul(value));
    else if (word == "exec") server.readiness[0].probe = specs::ExecProbe{{{{"./check", {}}}, {}}};
    else if (word == "whole") server.readiness[0].probe = specs::ZookeeperProbe{"client"};
    else if (word.starts_with("hold=")) server.readiness[0].hold_for = parse_duration(value).value();
    else if (word.starts_with("start=")) server.readiness[0].start_period = parse_duration(value).value();
    else if (word == "unprobed") server.readiness.clear();
    else if (word == "parallel") server.stop.order = specs::StopOrder::parallel;
    else if (word == "one_by_one") node_.stop.order = specs::StopOrder::serial;
    else if (word.starts_with("second=")) second(static_cast<std::uint32_t>(std::stoul(value)));
    else if (word.starts_with("file=")) {
      specs::File file;
      file.target = "app.conf";
      file.content = specs::Text{value, {}};
      server.files = {file};
    } else if (word.starts_with("user=")) server.user = value;
    else if (word.starts_with("cpus=")) server.resources.cpus_milli = std::stoll(value) * 1000;
    else if (word.starts_with("mem=")) server.resources.mem_bytes = std::stoll(value) << 20;
    else FAIL() << "what is " << word;
  }

  void second(std::uint32_t instances) {
    specs::Server side = node_.servers[0];
    side.name = "side";
    side.instances = instances;
    node_.servers.push_back(std::move(side));
  }

  void depend(const std::string& address) {
    harness_->message.clear_dependencies();
    auto* dependency = harness_->message.add_dependencies();
    dependency->set_node("zk");
    auto* endpoint = dependency->add_endpoints();
    endpoint->set_name("client");
    endpoint->add_addresses(address);
    node_.servers[0].env["ZK"] = {"${zk.endpoints.client}", {}};
  }

  void act(const std::vector<std::string>& words) {
    auto& h = *harness_;
    const auto& verb = words[0];
    if (verb == "handover") {
      change({words.begin() + 1, words.end()});
      if (damaged_) {
        h.message.set_version(h.message.version() + 1);
        h.message.set_config("{}");
        h.deliver(HandoverGiven{h.message});
      } else {
        h.handover(node_);
      }
    } else if (verb == "subscribe") h.subscribe();
    else if (verb == "disconnect") h.disconnect();
    else if (verb == "restart") h.restart();
    else if (verb == "offer") h.offer();
    else if (verb == "run" && words[1] == "all") h.run_all();
    else if (verb == "run") h.run(words[1]);
    else if (verb == "end") h.end(words[1], state(words.size() > 2 ? words[2] : "TASK_FAILED"), "it ended");
    else if (verb == "update") h.update(words[1], state(words[2]));
    else if (verb == "ready" && words[1] == "kafka") h.ready["kafka/0"] = words[2] == "yes";
    else if (verb == "ready") h.ready[words[1].substr(0, words[1].rfind('-')) + "/0/" + words[1]] = words[2] == "yes";
    else if (verb == "ports") h.ports(words[1], words.size() > 2 ? words[2] : "", words.size() > 3 ? words[3] : "");
    else if (verb == "checked") h.checked(words[1], std::stoi(words[2]));
    else if (verb == "refused") h.deliver(CallRefused{words[1]});
    else if (verb == "agent_lost") h.lose(words[1]);
    else if (verb == "removed") h.deliver(Disconnected{"framework removed", true});
    else if (verb == "by_hand") h.auto_probe = false;
    else if (verb == "passes" || verb == "fails") answer(std::stoul(words[1]), verb == "passes");
    else if (verb == "incarnation") h.message.set_framework_id("shop.kafka." + words[1]);
    else if (verb == "moved") h.agents[words[1]].host = words[2];
    else if (verb == "advance") h.advance(parse_duration(words[1]).value());
    else if (verb == "free") lines_.push_back(h.agents["a1"].free.str());
    else FAIL() << "what is " << verb;
  }

  /// Of a probe by the number it was told with.
  void answer(std::uint64_t id, bool passes) {
    StartProbe probe;
    probe.id = id;
    harness_->answer(probe, passes);
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
    else if (const auto* probe = std::get_if<StartProbe>(&effect)) say_probe(*probe);
    else if (const auto* masters = std::get_if<SetMasters>(&effect)) say("masters", masters->masters.front());
    else if (const auto* note = std::get_if<Note>(&effect)) say("note", note->text);
    else if (const auto* exit = std::get_if<Exit>(&effect))
      say("exit", std::to_string(exit->code) + " " + exit->reason);
  }

  void say_call(const v1::scheduler::Call& call) {
    for (const auto& line : call_text(call)) say("-> master", line);
  }

  /// A probe that is repeated is told once.
  void say_probe(const StartProbe& probe) {
    if (harness_->auto_probe) {
      if (probed_.insert(probe.key).second) say("probe", probe.key);
      return;
    }
    std::string text = std::to_string(probe.id) + " " + probe.key + (probe.thorough ? " thorough" : "") + " within " +
                       std::to_string(milliseconds(probe.timeout)) + "ms";
    for (const auto& address : probe.addresses) text += " " + address;
    say("probe", text);
  }

  static std::string report_text(const ChildStatus& status) {
    std::string text = status.serving() ? "serving" : "not serving";
    for (const auto& server : status.servers()) {
      text += " " + server.name() + "=" + server.state();
      if (server.restarts() > 0) text += " (" + std::to_string(server.restarts()) + ")";
      if (server.pid() != 0) text += " pid " + std::to_string(server.pid());
      for (const auto& old : server.launched_with()) text += " with " + old;
    }
    text += " handover " + std::to_string(status.handover_version());
    if (status.completed()) text += " completed";
    if (status.failed()) text += " failed";
    if (status.quarantined()) text += " quarantined";
    if (status.drained()) text += " drained";
    if (status.has_observed()) text += " observed " + status.observed();
    if (status.has_step()) text += ", " + status.step();
    for (const auto& endpoint : status.endpoints())
      for (const auto& address : endpoint.addresses()) text += " " + address;
    return status.reason().empty() ? text : text + " | " + status.reason();
  }

  specs::Node node_;
  std::optional<Harness> harness_;
  std::vector<std::string> lines_;
  std::set<std::string> probed_;  ///< by the present line
  bool damaged_ = false;          ///< the configuration cannot be read
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
