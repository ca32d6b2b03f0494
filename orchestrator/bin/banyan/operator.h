// The master's and the agents' operator API, as the root uses it. Slow calls, a few a minute.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mesos/v1/agent/agent.pb.h"
#include "mesos/v1/master/master.pb.h"
#include "orchestrator/core/placement.h"
#include "runtime/base/result.h"

namespace banyan {
class Loop;
namespace http {
class Client;
}
}  // namespace banyan

namespace banyan::root {

/// THREADS: the loop's. LIFETIME: destroying it drops the calls without calling back.
class Operator {
 public:
  template <class Response>
  using Done = std::function<void(Result<Response>)>;

  Operator(Loop& loop, std::vector<std::string> masters);
  ~Operator();

  /// Answers of calls that have none (202) are an empty Response. A failed connection tries the next master next time.
  void call(const mesos::v1::master::Call& call, Done<mesos::v1::master::Response> done);
  /// To an agent at host:port.
  void call_agent(const std::string& address, const mesos::v1::agent::Call& call,
                  Done<mesos::v1::agent::Response> done);

  /// TEARDOWN. A master that refuses it is asked whether it knows the framework: only one it does not know is gone.
  void tear_down(const std::string& framework_id, std::function<void(std::string error)> done);
  /// What every agent has, used or not; nothing when the master does not say.
  void agent_totals(std::function<void(std::vector<AgentTotal> agents)> done);
  /// Destroys every persistent volume and dynamic reservation of `role`, on all agents.
  void release(const std::string& role, std::function<void(std::string error)> done);

 private:
  void release_round(const std::string& role, int rounds_left, std::function<void(std::string error)> done);
  void run_all(std::vector<mesos::v1::master::Call> calls, std::function<void(std::string error)> done);

  Loop& loop_;
  std::vector<std::string> masters_;
  std::size_t present_ = 0;
  std::unique_ptr<http::Client> master_;
  std::map<std::string, std::unique_ptr<http::Client>> agents_;
};

/// The calls that take the next step towards nothing being reserved to `role`: first volumes, then reservations.
/// Empty: done. Pure.
[[nodiscard]] std::vector<mesos::v1::master::Call> release_calls(const mesos::v1::master::Response::GetAgents& agents,
                                                                 const std::string& role);

}  // namespace banyan::root
