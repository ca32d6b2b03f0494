// Whole subscriptions of a scheduler and of an executor; link_stories/*.txt hold them as golden text.
//
//   scheduler m1:5050,m2:5050 | executor [forgetful]     which core; first line of each story
//   opened 307 [//m2:5050/x] | record EVENT | subscribed [ID] | garbage | closed TEXT     of the newest stream
//   old closed TEXT         the same words, of the stream before it
//   answered 3 400 TEXT     call 3
//   masters m1:5050 | call CALL | update STATUS | message TEXT | acknowledged t1 u2     (u2: the second uuid seen)
//   advance 10s | deadline
// EVENT, CALL and STATUS are protobuf text. In front of each effect: the time since the story began.
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <variant>

#include "runtime/base/quantity.h"
#include "runtime/sdk/core/executor_core.h"
#include "runtime/sdk/core/scheduler_core.h"
#include "tests/stories.h"
#include "tests/unit/sdk/link_laws.h"
#include "tests/unit/sdk/virtual_time.h"

namespace banyan::sdk {
namespace {

namespace v1 = mesos::v1;
using google::protobuf::TextFormat;

const std::string folder = std::string(SOURCE_DIR) + "/link_stories";

template <class Message>
Message parsed(const std::string& text) {
  Message message;
  EXPECT_TRUE(TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

/// The first word, which is taken off.
std::string word(std::string& line) {
  const auto end = line.find(' ');
  const std::string first = line.substr(0, end);
  line = end == std::string::npos ? "" : line.substr(end + 1);
  return first;
}

v1::scheduler::Event subscribed(const SchedulerCore&, const std::string& id) {
  return parsed<v1::scheduler::Event>("type: SUBSCRIBED subscribed { framework_id { value: '" + id +
                                      "' } heartbeat_interval_seconds: 10 }");
}
v1::executor::Event subscribed(const ExecutorCore&, const std::string&) {
  return parsed<v1::executor::Event>(
      "type: SUBSCRIBED subscribed { executor_info { executor_id { value: 'e' } }"
      " framework_info { user: 'u' name: 'n' } agent_info { hostname: 'h' } }");
}

template <class Core, class Call, class Event>
class Told {
 public:
  explicit Told(Core core) : stage_(std::move(core)), began_(stage_.now().mono) {
    stage_.heard = [this](const auto& effects) {
      laws_.hear(effects);
      for (const auto& effect : effects) std::visit([this](const auto& e) { tell(e); }, effect);
    };
    stage_.give(Tick{});  // as a driver does: the first attempt is due at once
  }

  std::vector<std::string> run(std::string line) {
    const std::string given = line;
    auto stream = stream_;
    std::string verb = word(line);
    if (verb == "old") {
      --stream;
      verb = word(line);
    }
    if (verb == "deadline") deadline();
    else if (verb == "advance") stage_.pass(*parse_duration(line), Tick{});
    else if (verb == "answered") answered(line);
    else if (!stream_says(verb, line, stream) && !program_says(verb, line)) ADD_FAILURE() << "what is " << given;
    return std::exchange(lines_, {});
  }

 private:
  bool stream_says(const std::string& verb, std::string line, std::uint64_t stream) {
    if (verb == "opened") {
      const auto status = static_cast<unsigned>(std::stoul(word(line)));
      stage_.give(StreamOpened{stream, status, status == 200 ? "id-" + std::to_string(stream) : "", line, "(body)"});
    } else if (verb == "record") {
      stage_.give(StreamRecord{stream, parsed<Event>(line).SerializeAsString()});
    } else if (verb == "subscribed") {
      stage_.give(StreamRecord{stream, subscribed(stage_.core(), line).SerializeAsString()});
    } else if (verb == "garbage") {
      stage_.give(StreamRecord{stream, "\xff\xff"});
    } else if (verb == "closed") {
      stage_.give(StreamClosed{stream, line});
    } else {
      return false;
    }
    return true;
  }

  bool program_says(const std::string& verb, std::string line) {
    if constexpr (std::is_same_v<Core, SchedulerCore>) {
      if (verb == "masters") {
        SetMasters masters;
        std::stringstream in(line);
        for (std::string one; std::getline(in, one, ',');) masters.masters.push_back(one);
        stage_.give(masters);
      } else if (verb == "call") {
        stage_.give(parsed<Call>(line));
      } else {
        return false;
      }
    } else if (verb == "update") {
      stage_.give(UpdateTask{parsed<v1::TaskStatus>(line)});
    } else if (verb == "message") {
      stage_.give(MessageToScheduler{line});
    } else if (verb == "acknowledged") {
      Event event;
      event.set_type(Event::ACKNOWLEDGED);
      event.mutable_acknowledged()->mutable_task_id()->set_value(word(line));
      event.mutable_acknowledged()->set_uuid(uuids_.at(std::stoul(line.substr(1)) - 1));
      stage_.give(StreamRecord{stream_, event.SerializeAsString()});
    } else {
      return false;
    }
    return true;
  }

  void answered(std::string line) {
    const auto call = std::stoul(word(line));
    const auto status = static_cast<unsigned>(std::stoul(word(line)));
    stage_.give(CallAnswered{call, status, line});
  }

  void deadline() {
    const auto at = stage_.core().next_deadline();
    say(at ? "due at " + std::to_string(milliseconds(*at - began_)) + " ms" : "nothing is due");
  }

  void say(const std::string& what) {
    lines_.push_back(std::to_string(milliseconds(stage_.now().mono - began_)) + " ms  " + what);
  }
  void number(v1::TaskStatus* status) {
    if (!status->has_uuid()) return;
    auto at = std::find(uuids_.begin(), uuids_.end(), status->uuid());
    if (at == uuids_.end()) at = uuids_.insert(at, status->uuid());
    status->set_uuid("u" + std::to_string(at - uuids_.begin() + 1));
  }
  std::string text_of(const std::string& body) {
    auto call = Call();
    EXPECT_TRUE(call.ParseFromString(body));
    if constexpr (std::is_same_v<Core, ExecutorCore>) {
      if (call.has_update()) number(call.mutable_update()->mutable_status());
      for (auto& kept : *call.mutable_subscribe()->mutable_unacknowledged_updates()) number(kept.mutable_status());
      if (call.type() != Call::SUBSCRIBE) call.clear_subscribe();
    }
    return call.ShortDebugString();
  }

  void tell(const OpenStream& e) {
    stream_ = e.stream;
    say("open " + std::to_string(e.stream) + " " + e.server + e.path + " " + text_of(e.body));
  }
  void tell(const CloseStream& e) { say("close " + std::to_string(e.stream)); }
  void tell(const SendCall& e) {
    say("call " + std::to_string(e.call) + " " + e.server + e.path + " <" + e.stream_id + "> " + text_of(e.body));
  }
  void tell(const DeliverEvent& e) { say("event " + e.event.ShortDebugString()); }
  void tell(const DeliverExecutorEvent& e) {
    auto event = e.event;
    if (event.has_acknowledged()) event.mutable_acknowledged()->set_uuid("");
    say("event " + event.ShortDebugString());
  }
  void tell(const Disconnected& e) { say((e.final ? "over: " : "disconnected: ") + e.reason); }
  void tell(const CallRefused& e) { say("refused " + v1::scheduler::Call::Type_Name(e.type) + ": " + e.reason); }
  void tell(const AgentGone& e) { say("agent gone: " + e.reason); }
  void tell(const ShutDown& e) { say("shut down: " + e.reason); }
  void tell(const UpdateRefused& e) {
    auto status = e.status;
    number(&status);
    say("refused: " + e.reason + " " + status.ShortDebugString());
  }

  LinkLaws laws_;
  std::vector<std::string> lines_;
  std::vector<std::string> uuids_;
  std::uint64_t stream_ = 0;
  Stage<Core> stage_;
  Instant began_;
};

using ToldScheduler = Told<SchedulerCore, v1::scheduler::Call, v1::scheduler::Event>;
using ToldExecutor = Told<ExecutorCore, v1::executor::Call, v1::executor::Event>;

struct Story {
  std::vector<std::string> run(std::string line) {
    if (told_scheduler) return told_scheduler->run(line);
    if (told_executor) return told_executor->run(line);
    const std::string verb = word(line);
    if (verb == "executor") {
      told_executor.emplace(ExecutorCore({"a:5051", "f", "e", line != "forgetful", std::chrono::minutes(1)}, Rng(3)));
      return told_executor->run("advance 0ms");
    }
    std::vector<std::string> masters;
    std::stringstream in(line);
    for (std::string one; std::getline(in, one, ',');) masters.push_back(one);
    told_scheduler.emplace(SchedulerCore(masters, parsed<v1::FrameworkInfo>("user: 'u' name: 'n'"), Rng(7)));
    return told_scheduler->run("advance 0ms");
  }
  std::optional<ToldScheduler> told_scheduler;
  std::optional<ToldExecutor> told_executor;
};

class LinkStories : public testing::TestWithParam<std::string> {};

TEST_P(LinkStories, AreToldAsRecorded) {
  Story story;
  stories::expect_told(folder, GetParam(), [&](const std::string& line) { return story.run(line); });
}

INSTANTIATE_TEST_SUITE_P(Story, LinkStories, testing::ValuesIn(stories::in(folder)),
                         [](const auto& story) { return story.param; });

}  // namespace
}  // namespace banyan::sdk
