#include "executors/framework/readiness_probe.h"

#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "mesos/v1/master/master.pb.h"
#include "runtime/adapters/http/protobuf_post.h"
#include "runtime/adapters/loop/loop.h"

namespace banyan::framework_executor {
namespace {

constexpr Duration no_limit = std::chrono::hours(1);  // the supervisor drops what takes too long

http::Request list_frameworks() {
  mesos::v1::master::Call call;
  call.set_type(mesos::v1::master::Call::GET_FRAMEWORKS);
  return http::protobuf_post("/api/v1", call.SerializeAsString());
}

bool is_it(const mesos::v1::FrameworkInfo& info, const Registration& wanted) {
  const auto& roles = info.roles();
  return info.id().value() == wanted.framework_id || info.name() == wanted.name ||
         std::find(roles.begin(), roles.end(), wanted.role) != roles.end();
}

/// Why the framework does not count as registered; "" if it does.
std::string trouble_in(const http::Response& answer, const Registration& wanted) {
  mesos::v1::master::Response response;
  if (answer.status != 200 || !response.ParseFromString(answer.body))
    return "the master answers GET_FRAMEWORKS with HTTP " + std::to_string(answer.status);
  for (const auto& framework : response.get_frameworks().frameworks())
    if (framework.connected() && is_it(framework.framework_info(), wanted)) return "";
  return "no framework with id " + wanted.framework_id + ", role " + wanted.role + " or name " + wanted.name +
         " is connected to the master";
}

}  // namespace

ReadinessProbe::ReadinessProbe(Loop& loop, const Probe& probe, Done done)
    : loop_(loop), framework_(probe.framework), done_(std::move(done)) {
  if (probe.argv.empty()) ask(0);
  else run(probe);
}

/// One master after the other: a standby, or one that is gone, does not know.
void ReadinessProbe::ask(std::size_t master) {
  if (master >= framework_.masters.size()) return end("no master answers");
  master_ = http::Client::create(loop_, {framework_.masters[master]});
  master_->call(list_frameworks(), no_limit, [this, master](const Result<http::Response>& answer) {
    if (!answer) return later([this, master] { ask(master + 1); });
    end(trouble_in(*answer, framework_));
  });
}

void ReadinessProbe::run(const Probe& probe) {
  auto program = ChildProcess::start(loop_, probe.argv, probe.environment, [this](int wait_status) {
    if (WIFSIGNALED(wait_status))
      return end("its readiness command was killed by signal " + std::to_string(WTERMSIG(wait_status)));
    const int status = WEXITSTATUS(wait_status);
    end(status == 0 ? "" : "its readiness command exited with status " + std::to_string(status));
  });
  if (program) program_ = std::move(*program);
  else end("its readiness command cannot be started: " + program.error().message);
}

void ReadinessProbe::end(std::string trouble) {
  later([this, trouble = std::move(trouble)] { done_(trouble); });
}

void ReadinessProbe::later(std::function<void()> task) {
  loop_.post([alive = std::weak_ptr<int>(alive_), task = std::move(task)] {
    if (!alive.expired()) task();
  });
}

}  // namespace banyan::framework_executor
