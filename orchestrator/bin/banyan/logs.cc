#include "orchestrator/bin/banyan/logs.h"

#include <algorithm>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "orchestrator/api/rotated_log.h"
#include "orchestrator/bin/banyan/operator.h"
#include "orchestrator/core/core.h"
#include "runtime/adapters/loop/loop.h"
#include "runtime/adapters/posix/shim_record.h"

namespace banyan::root {
namespace {

using namespace std::chrono_literals;
constexpr Duration follow_interval = 300ms;
constexpr std::uint64_t attempts_max = 20;        // of one server, with --since
constexpr std::size_t unfinished_max = 1u << 20;  // of a line without an end

/// One log of one attempt.
struct Source {
  std::string label;
  std::vector<std::string> agents;  // host:port of those that may have it; the first is asked
  std::string folder;
  RotatedLog log;
  std::string line{};         // without its end yet
  int rounds_left = INT_MAX;  // of following, once there is a newer attempt
};

/// What a task of the status is, as far as its logs are concerned.
struct Subject {
  std::string label;
  std::string framework_id;
  std::string task_id;
  std::string agent;
};

/// "stack.node.server-0." and 3 of an id that ends in the number of an attempt; 0 if it does not.
std::pair<std::string, std::uint64_t> attempt_of(const std::string& task_id) {
  const auto digits = task_id.find_last_not_of("0123456789") + 1;
  if (digits == 0 || digits == task_id.size() || task_id[digits - 1] != '.' || task_id.size() - digits > 9) return {};
  return {task_id.substr(0, digits), std::stoull(task_id.substr(digits))};
}

class Reading : public std::enable_shared_from_this<Reading> {
 public:
  Reading(Loop& loop, Operator& agents, Known known, LogsRequest request, ApiServer::LogSink sink)
      : loop_(loop), agents_(agents), known_(std::move(known)), request_(std::move(request)), sink_(std::move(sink)) {}

  void start() {
    mesos::v1::master::Call get;
    get.set_type(mesos::v1::master::Call::GET_AGENTS);
    agents_.call(get, [self = shared_from_this()](const Result<mesos::v1::master::Response>& answer) {
      if (!answer) return self->end("the master does not answer: " + answer.error().message);
      for (const auto& agent : answer->get_agents().agents())
        self->addresses_[agent.agent_info().id().value()] =
            agent.agent_info().hostname() + ":" + std::to_string(agent.agent_info().port());
      self->find_sources();
      self->round();
    });
  }

 private:
  void end(const std::string& failure) {
    for (auto& source : sources_) finish_line(source);
    if (!failure.empty()) {
      LogChunk chunk;
      chunk.set_error(failure);
      sink_.send(chunk);
    }
    sink_.end();
  }

  [[nodiscard]] std::string nothing_found() const {
    const auto whose = request_.node().empty() ? "the stack" : "framework \"" + request_.node() + "\"";
    if (tasks_.empty())
      return whose + (request_.task().empty() ? " has no task yet" : " has no task \"" + request_.task() + "\"");
    if (request_.previous()) return whose + " has no earlier attempt whose files are kept";
    if (request_.checks()) return whose + " has no output of an exec probe";
    return "";
  }

  void find_sources() {
    const auto news = known_.news();
    if (std::exchange(looked_at_, news) == news) return;
    const Status present = known_.status();
    for (const auto& stack : present.stacks())
      for (const auto& node : stack.nodes()) {
        if (!request_.stack().empty() && stack.name() != request_.stack()) continue;
        if (!request_.node().empty() && node.name() != request_.node()) continue;
        const auto& scheduler = node.scheduler();
        if (request_.scheduler())
          add({node.name() + " scheduler", root_framework, scheduler.task_id(), scheduler.agent()});
        else
          for (const auto& task : node.tasks())
            if (request_.task().empty() || request_.task() == task.name() || request_.task() == task.id())
              add({label_of(node.name(), task.name()), scheduler.framework_id(), task.id(), task.agent()});
      }
  }

  /// Two nodes may have a server of one name.
  [[nodiscard]] std::string label_of(const std::string& node, const std::string& task) const {
    return request_.node().empty() && !task.starts_with(node + "-") ? node + "/" + task : task;
  }

  void add(const Subject& subject) {
    if (subject.task_id.empty() || !tasks_.insert(subject.task_id).second) return;
    const auto [prefix, attempt] = attempt_of(subject.task_id);
    auto& seen = attempts_[prefix];
    const auto earlier = [&](std::uint64_t number) {  // it may have been on another agent
      Subject other = subject;
      other.task_id = prefix + std::to_string(number);
      other.agent.clear();
      if (!started_) other.label += " attempt " + std::to_string(number);
      add_logs(other);
    };
    for (auto& source : sources_)
      if (seen > 0 && source.folder.find("/" + prefix) != std::string::npos) source.rounds_left = 2;
    if (request_.previous() && !started_ && attempt > 1) earlier(attempt - 1);
    const std::uint64_t from = started_                  ? seen
                               : request_.since_ms() > 0 ? attempt - std::min(attempt, attempts_max)
                                                         : attempt;
    if (attempt > 0 && (seen > 0 || !started_) && !request_.previous())
      for (auto number = from + 1; number < attempt; ++number) earlier(number);
    if (!request_.previous() || started_) add_logs(subject);
    seen = attempt;
  }

  void add_logs(const Subject& subject) {
    std::vector<std::string> agents;
    for (const auto& [id, address] : addresses_)
      if (subject.agent.empty() || subject.agent == id) agents.push_back(address);
    const auto folder = "/frameworks/" + subject.framework_id + "/executors/" + subject.task_id + "/runs/latest";
    const auto add = [&](const char* name, std::int64_t tail) {
      sources_.push_back({subject.label, agents, folder, RotatedLog(name, tail, request_.since_ms() * 1'000'000)});
    };
    const std::int64_t tail = started_ ? -1 : request_.tail_lines();  // who comes while we follow is told whole
    if (request_.checks()) return add(shim::check_output_file, -1);
    add("stdout", tail);
    if (request_.stderr_too()) add("stderr", tail);
  }

  /// Asks for more of the first source that has any; when none has, ends or waits. While following, each gets its turn.
  void round() {
    for (std::size_t n = sources_.size(); n > 0; --n) {
      Source& source = sources_.front();
      if (const auto ask = source.log.next()) return perform(source, *ask);
      sources_.splice(sources_.end(), sources_, sources_.begin());
    }
    const bool found = std::ranges::any_of(sources_, [](const auto& source) { return source.log.found(); });
    if (!request_.follow()) return end(!trouble_.empty() ? trouble_ : found ? "" : nothing_found());
    started_ = true;
    loop_.after(follow_interval, [self = shared_from_this()] {
      if (self->alive()) self->follow();
    });
  }

  void follow() {
    find_sources();
    for (auto source = sources_.begin(); source != sources_.end();) {
      if (--source->rounds_left > 0) {
        source->log.look_again();
        ++source;
        continue;
      }
      finish_line(*source);
      source = sources_.erase(source);
    }
    round();
  }

  bool alive() { return sink_.send(LogChunk()); }  // empty chunks mean nothing; they find out whether anyone listens

  void perform(Source& source, const RotatedLog::Ask& ask) {
    if (source.agents.empty()) {
      if (ask.name.empty()) source.log.listed({});
      else source.log.read(std::nullopt);
      return round();
    }
    mesos::v1::agent::Call call;
    if (ask.name.empty()) {
      call.set_type(mesos::v1::agent::Call::LIST_FILES);
      call.mutable_list_files()->set_path(source.folder);
    } else {
      call.set_type(mesos::v1::agent::Call::READ_FILE);
      call.mutable_read_file()->set_path(source.folder + "/" + ask.name);
      call.mutable_read_file()->set_offset(ask.offset);
      call.mutable_read_file()->set_length(ask.length);
    }
    agents_.call_agent(source.agents.front(), call,
                       [self = shared_from_this(), &source, list = ask.name.empty()](const auto& answer) {
                         if (list) self->take_listing(source, answer);
                         else source.log.read(answer ? std::optional(answer->read_file().data()) : std::nullopt);
                         if (self->tell(source)) self->round();
                       });
  }

  void take_listing(Source& source, const Result<mesos::v1::agent::Response>& answer) {
    const bool absent = !answer && answer.error().message.starts_with("HTTP 404");
    if (!answer && !absent) trouble_ = "agent " + source.agents.front() + " does not answer: " + answer.error().message;
    if (!answer && source.agents.size() > 1) {
      source.agents.erase(source.agents.begin());
      return source.log.look_again();
    }
    std::vector<LogFile> files;
    if (answer)
      for (const auto& file : answer->list_files().file_infos())
        files.push_back({file.path().substr(file.path().rfind('/') + 1), file.size(), file.mtime().nanoseconds()});
    source.log.listed(files);
  }

  /// Whole lines only: stdout and stderr of one server share a label. False when the reader has gone.
  bool tell(Source& source) {
    source.line += source.log.take();
    const auto end = source.line.size() > unfinished_max ? source.line.size() : source.line.rfind('\n') + 1;
    if (end == 0) return true;
    LogChunk chunk;
    chunk.set_source(source.label);
    chunk.set_data(source.line.substr(0, end));
    source.line.erase(0, end);
    return sink_.send(chunk);
  }

  void finish_line(Source& source) {
    if (source.line.empty()) return;
    source.line += '\n';
    tell(source);
  }

  Loop& loop_;
  Operator& agents_;
  Known known_;
  std::optional<std::uint64_t> looked_at_;  // the number of its newest status
  LogsRequest request_;
  ApiServer::LogSink sink_;
  std::map<std::string, std::string> addresses_;
  std::list<Source> sources_;
  std::set<std::string> tasks_;                    // ids of those known
  std::map<std::string, std::uint64_t> attempts_;  // the newest known, by the front of the task id
  std::string trouble_;
  bool started_ = false;  // what there was has been told
};

}  // namespace

void read_logs(Loop& loop, Operator& agents, Known known, const LogsRequest& request, ApiServer::LogSink sink) {
  std::make_shared<Reading>(loop, agents, std::move(known), request, std::move(sink))->start();
}

}  // namespace banyan::root
