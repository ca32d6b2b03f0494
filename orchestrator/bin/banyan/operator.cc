#include "orchestrator/bin/banyan/operator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "runtime/adapters/http/client.h"
#include "runtime/adapters/http/protobuf_post.h"
#include "runtime/adapters/loop/loop.h"

namespace banyan::root {
namespace {

using namespace std::chrono_literals;
constexpr Duration call_timeout = 10s;

http::Request request_of(const google::protobuf::MessageLite& call) {
  return http::protobuf_post("/api/v1", call.SerializeAsString());
}

template <class Response>
Result<Response> response_of(const Result<http::Response>& answer) {
  if (!answer) return tl::unexpected(answer.error());
  if (answer->status != 200 && answer->status != 202)
    return error("HTTP " + std::to_string(answer->status) + ": " + answer->body);
  Response response;
  if (!response.ParseFromString(answer->body)) return error("an answer that is no protobuf message");
  return response;
}

bool reserved_to(const mesos::v1::Resource& resource, const std::string& role) {
  if (resource.reservations_size() == 0) return false;
  const auto& last = resource.reservations(resource.reservations_size() - 1);
  return last.role() == role && last.type() == mesos::v1::Resource::ReservationInfo::DYNAMIC;
}

AgentTotal total_of(const mesos::v1::master::Response::GetAgents::Agent& agent) {
  AgentTotal total;
  total.host = agent.agent_info().hostname();
  constexpr double mib = 1024 * 1024;
  for (const auto& resource : agent.total_resources()) {
    const double value = resource.scalar().value();
    if (resource.name() == "cpus") total.cpus_milli += std::llround(value * 1000);
    if (resource.name() == "mem") total.mem_bytes += std::llround(value * mib);
    if (resource.name() == "disk") total.disk_bytes += std::llround(value * mib);
    if (resource.name() == "ports")
      for (const auto& range : resource.ranges().range()) total.ports.push_back({range.begin(), range.end()});
  }
  return total;
}

}  // namespace

std::vector<mesos::v1::master::Call> release_calls(const mesos::v1::master::Response::GetAgents& agents,
                                                   const std::string& role) {
  std::vector<mesos::v1::master::Call> calls;
  for (const auto& agent : agents.agents()) {
    mesos::v1::master::Call destroy, unreserve;
    destroy.set_type(mesos::v1::master::Call::DESTROY_VOLUMES);
    unreserve.set_type(mesos::v1::master::Call::UNRESERVE_RESOURCES);
    *destroy.mutable_destroy_volumes()->mutable_agent_id() = agent.agent_info().id();
    *unreserve.mutable_unreserve_resources()->mutable_agent_id() = agent.agent_info().id();
    for (const auto& resource : agent.total_resources()) {
      if (!reserved_to(resource, role)) continue;
      const bool volume = resource.has_disk() && resource.disk().has_persistence();
      auto* list = volume ? destroy.mutable_destroy_volumes()->mutable_volumes()
                          : unreserve.mutable_unreserve_resources()->mutable_resources();
      *list->Add() = resource;
      list->rbegin()->clear_allocation_info();
    }
    // A volume's disk can be unreserved only once the volume is gone: that is the next round's.
    if (destroy.destroy_volumes().volumes_size() > 0) calls.push_back(std::move(destroy));
    else if (unreserve.unreserve_resources().resources_size() > 0) calls.push_back(std::move(unreserve));
  }
  return calls;
}

Operator::Operator(Loop& loop, std::vector<std::string> masters) : loop_(loop), masters_(std::move(masters)) {}
Operator::~Operator() = default;

void Operator::call(const mesos::v1::master::Call& call, Done<mesos::v1::master::Response> done) {
  if (!master_) master_ = http::Client::create(loop_, {masters_[present_ % masters_.size()]});
  master_->call(request_of(call), call_timeout, [this, done = std::move(done)](const Result<http::Response>& answer) {
    if (!answer && masters_.size() > 1) {
      ++present_;
      loop_.post([this] { master_.reset(); });  // not from within its own callback
    }
    done(response_of<mesos::v1::master::Response>(answer));
  });
}

void Operator::call_agent(const std::string& address, const mesos::v1::agent::Call& call,
                          Done<mesos::v1::agent::Response> done) {
  auto& client = agents_[address];
  if (!client) client = http::Client::create(loop_, {address});
  client->call(request_of(call), call_timeout, [done = std::move(done)](const Result<http::Response>& answer) {
    done(response_of<mesos::v1::agent::Response>(answer));
  });
}

void Operator::tear_down(const std::string& framework_id, std::function<void(std::string)> done) {
  mesos::v1::master::Call teardown;
  teardown.set_type(mesos::v1::master::Call::TEARDOWN);
  teardown.mutable_teardown()->mutable_framework_id()->set_value(framework_id);
  call(teardown, [this, framework_id, done = std::move(done)](const Result<mesos::v1::master::Response>& answer) {
    if (answer) return done("");
    const std::string refusal = answer.error().message;
    if (!refusal.starts_with("HTTP 400")) return done(refusal);
    mesos::v1::master::Call get;
    get.set_type(mesos::v1::master::Call::GET_FRAMEWORKS);
    call(get, [framework_id, refusal, done](const Result<mesos::v1::master::Response>& known) {
      if (!known) return done(known.error().message);
      const auto& there = known->get_frameworks().frameworks();
      const bool left = std::any_of(there.begin(), there.end(), [&framework_id](const auto& framework) {
        return framework.framework_info().id().value() == framework_id;
      });
      done(left ? refusal : "");
    });
  });
}

void Operator::agent_totals(std::function<void(std::vector<AgentTotal> agents)> done) {
  mesos::v1::master::Call get;
  get.set_type(mesos::v1::master::Call::GET_AGENTS);
  call(get, [done = std::move(done)](const Result<mesos::v1::master::Response>& answer) {
    std::vector<AgentTotal> agents;
    if (answer)
      for (const auto& agent : answer->get_agents().agents()) agents.push_back(total_of(agent));
    done(std::move(agents));
  });
}

void Operator::release(const std::string& role, std::function<void(std::string)> done) {
  release_round(role, 4, std::move(done));
}

void Operator::release_round(const std::string& role, int rounds_left, std::function<void(std::string)> done) {
  mesos::v1::master::Call get;
  get.set_type(mesos::v1::master::Call::GET_AGENTS);
  call(get, [this, role, rounds_left, done](const Result<mesos::v1::master::Response>& answer) {
    if (!answer) return done(answer.error().message);
    auto calls = release_calls(answer->get_agents(), role);
    if (calls.empty()) return done("");
    if (rounds_left == 0) return done("resources are still reserved to " + role);
    run_all(std::move(calls), [this, role, rounds_left, done](const std::string& failure) {
      if (!failure.empty()) return done(failure);
      release_round(role, rounds_left - 1, done);
    });
  });
}

void Operator::run_all(std::vector<mesos::v1::master::Call> calls, std::function<void(std::string)> done) {
  if (calls.empty()) return done("");
  const auto next = calls.back();
  calls.pop_back();
  call(next,
       [this, calls = std::move(calls), done = std::move(done)](const Result<mesos::v1::master::Response>& answer) {
         if (!answer) return done(answer.error().message);
         run_all(calls, done);
       });
}

}  // namespace banyan::root
