#include "tests/unit/service/harness.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/adapters/codec/resources.h"
#include "runtime/base/check.h"
#include "specs/node_json.h"
#include "tests/support/durable_first.h"
#include "tests/support/pass_time.h"

namespace banyan::service {

namespace {

Resources decode_all(const google::protobuf::RepeatedPtrField<v1::Resource>& messages) {
  auto decoded = codec::decode(messages);
  BANYAN_CHECK(decoded.has_value());
  return decoded->without_allocation();
}

Resources decode_one(const v1::Resource& message) {
  auto decoded = codec::decode(message);
  BANYAN_CHECK(decoded.has_value());
  return Resources{*decoded}.without_allocation();
}

Resources unreserved(const Resources& resources) {
  Resources bare;
  for (auto r : resources.list()) {
    r.identity.reservations.pop_back();
    bare.add(r);
  }
  return bare;
}

Resources unvolumed(const Resources& resources) {
  Resources bare;
  for (auto r : resources.list()) {
    r.identity.volume.reset();
    bare.add(r);
  }
  return bare;
}

/// One volume, so much larger.
Resources resized(const Resources& volume, std::int64_t milli) {
  auto one = volume.list().front();
  std::get<Scalar>(one.amount).milli += milli;
  return {one};
}

std::string instance_of(const std::string& task) {
  const auto end = task.rfind('.');
  return task.substr(task.rfind('.', end - 1) + 1, end - task.rfind('.', end - 1) - 1);
}

bool terminal(v1::TaskState state) {
  return state != v1::TASK_STAGING && state != v1::TASK_STARTING && state != v1::TASK_RUNNING &&
         state != v1::TASK_KILLING && state != v1::TASK_UNREACHABLE;
}

}  // namespace

specs::Node tcp_node(const std::string& name, std::uint32_t instances) {
  specs::Server server;
  server.name = name;
  server.instances = instances;
  server.command.argv = {{"sleep", {}}, {"1000", {}}};
  server.ports["client"] = {};
  specs::Readiness readiness;
  readiness.probe = specs::TcpProbe{"client"};
  server.readiness = {readiness};
  specs::Node node;
  node.name = name;
  node.servers = {server};
  node.endpoints["client"] = {name, "client", "", {}};
  return node;
}

Harness::Harness(specs::Node node, std::string names) : core({}), node_(std::move(node)) {
  std::size_t begin = 0;
  while (begin < names.size()) {
    const auto end = std::min(names.find(' ', begin), names.size());
    add_agent(names.substr(begin, end - begin));
    begin = end + 1;
  }
  message.set_stack("shop");
  message.set_node(node_.name);
  message.set_framework_id("shop." + node_.name + ".1");
  message.set_role("shop." + node_.name);
  message.add_masters("127.0.0.1:5050");
  message.set_user("nobody");
  handover();
}

void Harness::add_agent(const std::string& name) {
  FakeAgent agent;
  agent.host = "10.0.0." + std::to_string(agents.size() + 1);
  agent.free = Resources::parse("cpus:4;mem:4096;disk:10000;ports:[1024-32767, 61000-65535]").value();
  agents[name] = std::move(agent);
}

void Harness::handover(specs::Node node) {
  node_ = std::move(node);
  message.set_version(message.version() + 1);
  message.set_config(specs::to_json(node_));
  message.set_node_hash("v" + std::to_string(message.version()));
  deliver(HandoverGiven{message});
}

void Harness::subscribe() {
  v1::scheduler::Event e;
  e.set_type(v1::scheduler::Event::SUBSCRIBED);
  e.mutable_subscribed()->mutable_framework_id()->set_value(message.framework_id());
  suppressed = false;
  event(e);
}

void Harness::disconnect() {
  while (!offers_.empty()) give_back(offers_.begin()->first);
  deliver(Disconnected{"the stream ended", false});
}

void Harness::restart() {
  disconnect();
  core = Core(stored);
  status_.Clear();
  probes.clear();
  deliver(HandoverGiven{message});
  subscribe();
}

void Harness::offer() {
  if (suppressed) return;
  v1::scheduler::Event e;
  e.set_type(v1::scheduler::Event::OFFERS);
  for (auto& [name, agent] : agents) {
    if (agent.free.empty()) continue;
    auto* offer = e.mutable_offers()->add_offers();
    const auto id = "o" + std::to_string(++offers_made_);
    offer->mutable_id()->set_value(id);
    offer->mutable_framework_id()->set_value(message.framework_id());
    offer->mutable_agent_id()->set_value(name);
    offer->set_hostname(name);
    if (!agent.volumes.empty()) {
      auto* attribute = offer->add_attributes();
      attribute->set_name("banyan_volumes");
      attribute->set_type(v1::Value::TEXT);
      attribute->mutable_text()->set_value(agent.volumes);
    }
    offer->mutable_url()->set_scheme("http");
    offer->mutable_url()->mutable_address()->set_ip(agent.host);
    offer->mutable_url()->mutable_address()->set_port(5051);
    codec::encode(agent.free.with_allocation(message.role()), codec::ResourceFormat::refined,
                  offer->mutable_resources());
    offers_[id] = {name, agent.free};
    agent.free = {};
  }
  if (e.offers().offers_size() > 0) event(e);
}

void Harness::give_back(const std::string& id) {
  const auto found = offers_.find(id);
  if (found == offers_.end()) return;
  agents[found->second.first].free += found->second.second;
  offers_.erase(found);
}

void Harness::run(const std::string& instance) { update(task_of(instance), v1::TASK_RUNNING); }

void Harness::run_all() {
  for (const auto& instance : live()) run(instance);
}

void Harness::up() {
  subscribe();
  offer();
  run_all();
}

void Harness::end(const std::string& instance, v1::TaskState state, const std::string& message_text) {
  const auto id = task_of(instance);
  ASSERT_NE(id, "") << instance << " has no task";
  finish(tasks[id], state, message_text);
}

void Harness::finish(FakeTask& task, v1::TaskState state, const std::string& message_text) {
  agents[task.agent].free += task.used;
  task.used = {};
  update(task.info.task_id().value(), state, message_text);
}

void Harness::ports(const std::string& instance, const std::string& listens, const std::string& strangers) {
  labels = {{"banyan.listens", listens}};
  if (!strangers.empty()) labels.emplace("banyan.strangers", strangers);
  update(task_of(instance), v1::TASK_RUNNING);
  labels.clear();
}

void Harness::checked(const std::string& instance, int exit_code) {
  v1::scheduler::Event e;
  e.set_type(v1::scheduler::Event::UPDATE);
  auto& status = *e.mutable_update()->mutable_status();
  status.mutable_task_id()->set_value(task_of(instance));
  status.set_state(v1::TASK_RUNNING);
  status.mutable_check_status()->mutable_command()->set_exit_code(exit_code);
  event(e);
}

void Harness::lose(const std::string& agent) {
  v1::scheduler::Event e;
  e.set_type(v1::scheduler::Event::FAILURE);
  e.mutable_failure()->mutable_agent_id()->set_value(agent);
  event(e);
}

void Harness::update(const std::string& id, v1::TaskState state, const std::string& text) {
  v1::scheduler::Event e;
  e.set_type(v1::scheduler::Event::UPDATE);
  auto* status = e.mutable_update()->mutable_status();
  status->mutable_task_id()->set_value(id);
  status->set_state(state);
  status->set_message(text);
  status->set_uuid("uuid-of-16-bytes");
  const auto found = tasks.find(id);
  if (found != tasks.end()) {
    found->second.state = state;
    status->mutable_agent_id()->set_value(found->second.agent);
    if (state == v1::TASK_RUNNING) status->mutable_container_status()->set_executor_pid(4711);
    for (const auto& [key, value] : labels) {
      auto* label = status->mutable_labels()->add_labels();
      label->set_key(key);
      label->set_value(value);
    }
  }
  event(e);
}

void Harness::advance(Duration duration) {
  pass_time(now_, duration, [this] { return core.next_deadline(); }, [this] { deliver(Tick{}); });
}

void Harness::deliver(const Core::Input& input) {
  auto effects = core.step(now_, input);
  expect_durable_first(effects, [](const Core::Effect& e) { return !std::holds_alternative<Note>(e); });
  core.check_invariants();
  for (auto& effect : effects) {
    if (heard) heard(effect);
    perform(effect);
  }
  flush_probes();
}

void Harness::flush_probes() {
  if (!auto_probe) return;
  while (!probes.empty()) {
    const auto probe = probes.front();
    probes.erase(probes.begin());
    bool passes = true;
    for (const auto& [prefix, answer_is] : ready)
      if (probe.key.starts_with(prefix)) passes = answer_is;
    answer(probe, passes);
  }
}

void Harness::answer(const StartProbe& probe, bool passes, const std::string& text) {
  deliver(ProbeResult{probe.id, passes, passes ? "" : text});
}

void Harness::perform(Core::Effect& effect) {
  if (auto* persist = std::get_if<Persist>(&effect)) {
    for (auto& change : persist->changes) stored[change.key] = change.value.value_or("");
  } else if (auto* sent = std::get_if<Send>(&effect)) {
    on_call(sent->call);
  } else if (auto* launch = std::get_if<Launch>(&effect)) {
    for (auto& f : launch->files) files_[f.task] = f.files;
    on_call(launch->call);
  } else if (auto* report = std::get_if<Report>(&effect)) {
    status_ = report->status;
  } else if (auto* probe = std::get_if<StartProbe>(&effect)) {
    probes.push_back(*probe);
  } else if (auto* ending = std::get_if<Exit>(&effect)) {
    exit = *ending;
  }
}

void Harness::on_call(const v1::scheduler::Call& call) {
  calls.push_back(call);
  switch (call.type()) {
    case v1::scheduler::Call::ACCEPT: return accept(call);
    case v1::scheduler::Call::DECLINE:
      for (const auto& id : call.decline().offer_ids()) give_back(id.value());
      return;
    case v1::scheduler::Call::SUPPRESS: suppressed = true; return;
    case v1::scheduler::Call::REVIVE: suppressed = false; return;
    case v1::scheduler::Call::KILL: kills_.push_back(instance_of(call.kill().task_id().value())); return;
    default: return;
  }
}

void Harness::accept(const v1::scheduler::Call& call) {
  std::string agent;
  Resources rest;
  for (const auto& id : call.accept().offer_ids()) {
    ASSERT_TRUE(offers_.contains(id.value())) << "an offer that is not there is accepted";
    agent = offers_[id.value()].first;
    rest += offers_[id.value()].second;
    offers_.erase(id.value());
  }
  for (const auto& operation : call.accept().operations()) {
    if (operation.has_unreserve()) {
      const auto given_back = decode_all(operation.unreserve().resources());
      ASSERT_TRUE(rest.contains(given_back)) << rest.str() << " has not " << given_back.str();
      rest -= given_back;
      rest += unreserved(given_back);
    }
    if (operation.has_reserve()) {
      const auto wanted = decode_all(operation.reserve().resources());
      ASSERT_TRUE(rest.contains(unreserved(wanted))) << rest.str();
      rest -= unreserved(wanted);
      rest += wanted;
    }
    if (operation.has_grow_volume() && refuse_growth) break;  // and what follows it
    if (operation.has_grow_volume()) {
      const auto before = decode_one(operation.grow_volume().volume());
      const auto addition = decode_one(operation.grow_volume().addition());
      ASSERT_TRUE(rest.contains(before) && rest.contains(addition)) << rest.str();
      rest -= before + addition;
      rest += resized(before, addition.scalar("disk").milli);
    }
    if (operation.has_shrink_volume()) {
      const auto before = decode_one(operation.shrink_volume().volume());
      const auto milli = std::llround(operation.shrink_volume().subtract().value() * 1000);
      ASSERT_TRUE(rest.contains(before)) << rest.str();
      rest -= before;
      rest += resized(before, -milli);
      rest += unvolumed(resized(before, milli - before.scalar("disk").milli));
    }
    if (operation.has_create()) {
      const auto wanted = decode_all(operation.create().volumes());
      ASSERT_TRUE(rest.contains(unvolumed(wanted))) << rest.str();
      rest -= unvolumed(wanted);
      rest += wanted;
    }
    for (const auto& info : operation.launch().task_infos()) {
      const auto used = decode_all(info.resources());
      ASSERT_TRUE(rest.contains(used)) << rest.str() << " has not " << used.str();
      ASSERT_FALSE(tasks.contains(info.task_id().value())) << "a task id is used twice";
      rest -= used;
      tasks[info.task_id().value()] = {info, agent, used, v1::TASK_STAGING};
      persisted_before_launch.push_back(stored["instance/" + instance_of(info.task_id().value())]);
    }
  }
  agents[agent].free += rest;
}

std::string Harness::states() const {
  std::string line;
  for (const auto& s : status_.servers()) line += (line.empty() ? "" : " ") + s.name() + "=" + s.state();
  return line;
}

const ServerStatus& Harness::server(const std::string& instance) const {
  for (const auto& s : status_.servers())
    if (s.name() == instance) return s;
  return ServerStatus::default_instance();
}

std::string Harness::task_of(const std::string& instance) const {
  for (const auto& [id, task] : tasks)
    if (instance_of(id) == instance && !terminal(task.state)) return id;
  return "";
}

const v1::TaskInfo& Harness::info(const std::string& instance) const {
  const auto found = tasks.find(task_of(instance));
  return found == tasks.end() ? v1::TaskInfo::default_instance() : found->second.info;
}

std::vector<std::string> Harness::live() const {
  std::set<std::string> names;
  for (const auto& [id, task] : tasks)
    if (!terminal(task.state)) names.insert(instance_of(id));
  return {names.begin(), names.end()};
}

std::vector<std::string> Harness::take_kills() { return std::exchange(kills_, {}); }

int Harness::count(v1::scheduler::Call::Type type) const {
  return static_cast<int>(std::count_if(calls.begin(), calls.end(), [&](const auto& c) { return c.type() == type; }));
}

std::string Harness::file(const std::string& instance, const std::string& target) const {
  const auto found = files_.find(task_of(instance));
  if (found == files_.end()) return "";
  for (const auto& f : found->second)
    if (f.target == target) return f.content;
  return "";
}

std::string Harness::env(const std::string& instance, const std::string& name) const {
  for (const auto& v : info(instance).command().environment().variables())
    if (v.name() == name) return v.value();
  return "";
}

}  // namespace banyan::service
