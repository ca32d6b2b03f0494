#include "orchestrator/bin/banyan/logs.h"

#include <algorithm>
#include <list>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "orchestrator/bin/banyan/operator.h"
#include "orchestrator/core/core.h"
#include "runtime/adapters/loop/loop.h"

namespace banyan::root {
namespace {

using namespace std::chrono_literals;
constexpr Duration follow_interval = 300ms;
constexpr std::uint64_t read_bytes = 64 << 10;
constexpr std::uint64_t tail_window_bytes = 256 << 10;  // where the last N lines are looked for

/// One file of one task's sandbox.
struct Source {
  std::string label;
  std::string agent_id;
  std::string path;
  std::uint64_t offset = 0;
  bool begun = false;
  bool drained = false;  // read to its end at least once
  std::string pending;   // read and not sent: the tail is cut from it when the end is reached
};

class Reading : public std::enable_shared_from_this<Reading> {
 public:
  Reading(Loop& loop, Operator& agents, std::function<Status()> status, LogsRequest request, ApiServer::LogSink sink)
      : loop_(loop),
        agents_(agents),
        status_(std::move(status)),
        request_(std::move(request)),
        sink_(std::move(sink)) {}

  void start() {
    mesos::v1::master::Call get;
    get.set_type(mesos::v1::master::Call::GET_AGENTS);
    agents_.call(get, [self = shared_from_this()](const Result<mesos::v1::master::Response>& answer) {
      if (!answer) return self->end("the master does not answer: " + answer.error().message);
      for (const auto& agent : answer->get_agents().agents())
        self->addresses_[agent.agent_info().id().value()] =
            agent.agent_info().hostname() + ":" + std::to_string(agent.agent_info().port());
      self->find_sources();
      if (self->sources_.empty() && !self->request_.follow()) return self->end(self->nothing_found());
      self->round();
    });
  }

 private:
  void end(const std::string& failure) {
    if (!failure.empty()) {
      LogChunk chunk;
      chunk.set_error(failure);
      sink_.send(chunk);
    }
    sink_.end();
  }

  [[nodiscard]] std::string nothing_found() const {
    return request_.task().empty() ? "framework \"" + request_.node() + "\" has no task yet"
                                   : "framework \"" + request_.node() + "\" has no task \"" + request_.task() + "\"";
  }

  void add(const std::string& label, const std::string& framework_id, const std::string& executor_id,
           const std::string& agent_id) {
    if (executor_id.empty() || !known_.insert(executor_id).second) return;
    const std::string run = "/frameworks/" + framework_id + "/executors/" + executor_id + "/runs/latest/";
    sources_.push_back({label, agent_id, run + "stdout", 0, false, false, ""});
    if (request_.stderr_too()) sources_.push_back({label, agent_id, run + "stderr", 0, false, false, ""});
  }

  void find_sources() {
    const Status present = status_();
    for (const auto& stack : present.stacks())
      for (const auto& node : stack.nodes()) {
        if (node.name() != request_.node()) continue;
        if (request_.scheduler())
          add(node.name() + " scheduler", root_framework, node.scheduler().task_id(), node.scheduler().agent());
        else
          for (const auto& task : node.tasks())
            if (request_.task().empty() || request_.task() == task.name() || request_.task() == task.id())
              add(task.name(), node.scheduler().framework_id(), task.id(), task.agent());
      }
  }

  /// Reads on in the first source that has more; when none has, ends or waits.
  void round() {
    for (auto& source : sources_)
      if (!source.drained) return read(source);
    if (!request_.follow()) return end("");
    loop_.after(follow_interval, [self = shared_from_this()] {
      self->find_sources();
      for (auto& source : self->sources_) source.drained = false;
      if (self->alive()) self->round();
    });
  }

  bool alive() { return sink_.send(LogChunk()); }  // empty chunks mean nothing; they find out whether anyone listens

  void read(Source& source) {
    const auto address = addresses_.find(source.agent_id);
    if (address == addresses_.end()) {
      source.drained = true;
      return round();
    }
    mesos::v1::agent::Call call;
    call.set_type(mesos::v1::agent::Call::READ_FILE);
    call.mutable_read_file()->set_path(source.path);
    call.mutable_read_file()->set_offset(source.offset);
    call.mutable_read_file()->set_length(source.begun ? read_bytes : 1);
    agents_.call_agent(address->second, call,
                       [self = shared_from_this(), &source](const Result<mesos::v1::agent::Response>& answer) {
                         if (self->take(source, answer)) self->round();
                       });
  }

  /// False when the reader has gone.
  bool take(Source& source, const Result<mesos::v1::agent::Response>& answer) {
    if (!answer) {  // not there yet, or gone with its sandbox
      source.drained = true;
      return true;
    }
    const auto& file = answer->read_file();
    if (!source.begun) {
      source.begun = true;
      const bool all = request_.tail_lines() < 0;
      source.offset = all || file.size() < tail_window_bytes ? 0 : file.size() - tail_window_bytes;
      return true;
    }
    if (file.size() < source.offset) {  // rotated: a new file
      source.offset = 0;
      return true;
    }
    source.offset += file.data().size();
    source.drained = file.data().empty() || source.offset >= file.size();
    source.pending += file.data();
    const bool live = told_.contains(&source) || request_.tail_lines() < 0;
    if (!live && !source.drained) return true;
    if (!live) cut_tail(source.pending, static_cast<std::size_t>(request_.tail_lines()));
    told_.insert(&source);
    if (source.pending.empty()) return true;
    LogChunk chunk;
    chunk.set_source(source.label);
    chunk.set_data(std::exchange(source.pending, ""));
    return sink_.send(chunk);
  }

  static void cut_tail(std::string& text, std::size_t lines) {
    std::size_t at = text.size();
    if (at > 0 && text.back() == '\n') --at;
    for (std::size_t n = 0; n < lines; ++n) {
      const auto newline = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
      if (newline == std::string::npos) return;
      at = newline;
    }
    text.erase(0, lines == 0 ? text.size() : at + 1);
  }

  Loop& loop_;
  Operator& agents_;
  std::function<Status()> status_;
  LogsRequest request_;
  ApiServer::LogSink sink_;
  std::map<std::string, std::string> addresses_;
  std::list<Source> sources_;
  std::set<std::string> known_;
  std::set<const Source*> told_;
};

}  // namespace

void read_logs(Loop& loop, Operator& agents, std::function<Status()> status, const LogsRequest& request,
               ApiServer::LogSink sink) {
  std::make_shared<Reading>(loop, agents, std::move(status), request, std::move(sink))->start();
}

}  // namespace banyan::root
