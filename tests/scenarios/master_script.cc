#include "tests/scenarios/master_script.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "tests/scenarios/registry_of.h"
#include "tests/support/durable_first.h"
#include "tests/support/pass_time.h"

namespace banyan::scenario {
namespace {

using namespace master;
using Words = std::vector<std::string>;

Words split(const std::string& text, char separator) {
  Words parts;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, separator);)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

Duration duration(const std::string& text) {
  std::size_t used = 0;
  const double n = std::stod(text, &used);
  const std::string unit = text.substr(used);
  return from_seconds(n * (unit == "ms" ? 0.001 : unit == "m" ? 60 : unit == "h" ? 3600 : 1));
}

Resources plain(const std::string& text) {
  auto parsed = Resources::parse(text);
  if (!parsed) throw std::invalid_argument(parsed.error().message);
  return *parsed;
}

Resources reserved(const std::string& role, const std::string& text) {
  Resources all;
  const auto paren = text.find('(');
  if (text.starts_with("vol(")) {
    const Words v = split(text.substr(paren + 1, text.size() - paren - 2), ',');
    Resource disk = plain("disk:" + v.at(2)).list().front();
    disk.identity.reservations = {{true, role, "", {}}};
    disk.identity.volume = Volume{v[0], "", v[1], false};
    all.add(disk);
    return all;
  }
  for (Resource r : plain(text).list()) {
    r.identity.reservations = {{true, role, "", {}}};
    all.add(r);
  }
  return all;
}

Resources resources(const std::string& text) {
  Resources all;
  for (const auto& part : split(text, '&')) {
    const auto at = part.find('@');
    all += at == std::string::npos ? plain(part) : reserved(part.substr(0, at), part.substr(at + 1));
  }
  return all;
}

TaskState task_state(const std::string& text) {
  for (int i = 0; i <= static_cast<int>(TaskState::unknown); ++i)
    if (name(static_cast<TaskState>(i)) == text) return static_cast<TaskState>(i);
  throw std::invalid_argument("no task state: " + text);
}

/// The value of `key=…` among the words.
std::optional<std::string> option(const Words& words, const std::string& key) {
  for (const auto& word : words)
    if (word.starts_with(key + "=")) return word.substr(key.size() + 1);
  return std::nullopt;
}
bool flag(const Words& words, const std::string& word) { return std::count(words.begin(), words.end(), word) > 0; }

FrameworkDescription framework(const std::string& id, const Words& words) {
  FrameworkDescription d;
  d.id = FrameworkId(option(words, "id").value_or(id));
  if (d.id.str() == "-") d.id = {};
  d.name = id;
  d.user = option(words, "user").value_or("root");
  d.principal = option(words, "principal").value_or("");
  const bool legacy = flag(words, "legacy");
  d.capabilities = {flag(words, "aware"), !legacy, !legacy, false};
  const std::string role = option(words, "role").value_or(id);
  if (legacy) d.role = role;
  else d.roles = split(role, ',');
  d.checkpoint = !flag(words, "forgetful");
  d.failover_timeout_seconds = seconds(duration(option(words, "timeout").value_or("60s")));
  d.info = "info of " + id;
  return d;
}

TaskDescription task(const std::string& id, const std::string& agent, const std::string& amounts) {
  TaskDescription t;
  t.id = TaskId(id);
  t.agent = AgentId(agent);
  t.resources = resources(amounts);
  t.has_command = true;
  t.info = "info of " + id;
  return t;
}

ExecutorDescription executor(const std::string& text) {
  const auto colon = text.find(':');
  ExecutorDescription e;
  e.id = ExecutorId(text.substr(0, colon));
  e.resources = resources(text.substr(colon + 1));
  e.has_command = true;
  e.info = "info of " + text;
  return e;
}

std::pair<std::string, std::string> slash(const std::string& text) {
  const auto at = text.find('/');
  return {text.substr(0, at), text.substr(at + 1)};
}

Resources allocated(const Resources& r, const std::string& role) { return r.with_allocation(role); }

}  // namespace

MasterScript::MasterScript() {
  restart();
  said_.clear();
}

void MasterScript::restart() {
  Options options;
  core_ = std::make_unique<Core>(options, registry::read(store_).value(), ++starts_);
  links_.clear();
  streams_.clear();
  callers_.clear();
  deliver(Start{});
}

std::vector<std::string> MasterScript::run(const std::string& line) {
  said_.clear();
  const Words words = split(line, ' ');
  const std::string& verb = words.at(0);
  if (verb == "advance") advance(duration(words.at(1)));
  else if (verb == "restart") restart();
  else if (verb == "heartbeats") said_.push_back(std::to_string(std::exchange(heartbeats_[words.at(1)], 0)));
  else if (verb == "summary") said_.push_back(core_->summary());
  else if (verb == "free") said_.push_back("free: " + core_->state().agents.at(AgentId(words.at(1))).free().str());
  else if (verb == "task") show_task(FrameworkId(words.at(1)), TaskId(words.at(2)));
  else if (verb == "framework") show_framework(FrameworkId(words.at(1)));
  else if (verb == "silent") silent_.insert(words.at(1));
  else if (verb == "talking") silent_.erase(words.at(1));
  else if (verb == "agent") agent(words);
  else if (verb == "close" || verb == "update" || verb == "exited" || verb == "applied" || verb == "said") link(words);
  else if (verb == "subscribe") subscribe(words);
  else if (verb == "cut") deliver(StreamClosed{streams_.at(words.at(1)).back()});
  else if (verb == "operator") operate(words);
  else scheduler(words);
  settle();
  for (auto& text : said_) text = shorten(text);
  return said_;
}

void MasterScript::agent(const Words& words) {
  AgentRegister a;
  const std::string id = words.at(1);
  a.link = ++last_link_;
  links_[id] = a.link;
  if (id != "-") a.id = AgentId(id);
  a.hostname = "host-" + id;
  a.port = 5051;
  a.info = "info of " + id;
  a.declared = resources(words.at(2));
  for (const auto& word : words) {
    if (word.starts_with("keep=")) a.checkpointed = resources(word.substr(5));
    if (word.starts_with("framework=")) a.frameworks.push_back(framework(word.substr(10), {}));
    if (word.starts_with("epoch=")) a.epoch_seen = std::stoull(word.substr(6));
    if (word.starts_with("task=")) {
      const auto [fw, rest] = slash(word.substr(5));
      const auto first = rest.find(':');
      const auto second = rest.find(':', first + 1);
      KnownTask known;
      known.framework = FrameworkId(fw);
      known.task = task(rest.substr(0, first), id, rest.substr(second + 1));
      known.task.resources = allocated(known.task.resources, fw);
      known.latest = task_state(rest.substr(first + 1, second - first - 1));
      if (is_terminal(known.latest)) known.unacknowledged = known.latest;
      a.tasks.push_back(known);
    }
    if (word.starts_with("unacknowledged=")) {
      const Words update = split(word.substr(15), ':');
      a.tasks.back().unacknowledged = task_state(update.at(0));
      a.tasks.back().unacknowledged_uuid = update.at(1);
      a.tasks.back().last_status = update.at(0) + " " + update.at(1);
    }
    if (word.starts_with("executor=")) {
      const auto [fw, rest] = slash(word.substr(9));
      auto e = executor(rest);
      e.resources = allocated(e.resources, fw);
      a.executors.push_back({FrameworkId(fw), e});
    }
  }
  deliver(a);
}

void MasterScript::link(const Words& words) {
  const std::string& verb = words[0];
  const std::string& name = words.at(1);
  const LinkId from = links_.at(name);
  if (verb == "close") return deliver(AgentClosed{from});
  if (verb == "applied") {
    AgentApplied applied{from, "", option(words, "error")};
    auto& waiting = applying_[name];
    if (!waiting.empty()) {
      applied.operation_uuid = waiting.front();
      waiting.erase(waiting.begin());
    }
    return deliver(applied);
  }
  const auto [fw, what] = slash(words.at(2));
  if (verb == "exited")
    return deliver(AgentExecutorExited{from, FrameworkId(fw), ExecutorId(what), std::stoi(words.at(3))});
  if (verb == "said") return deliver(AgentExecutorMessage{from, FrameworkId(fw), ExecutorId(what), words.at(3)});
  AgentUpdate update{from, FrameworkId(fw), TaskId(what), task_state(words.at(3)), {}, words.at(4), ""};
  update.latest = task_state(option(words, "latest").value_or(words.at(3)));
  update.status = what + " " + words.at(3) + " " + words.at(4);
  deliver(update);
}

void MasterScript::subscribe(const Words& words) {
  Subscribe s{++last_call_, framework(words.at(1), words), {}};
  for (const auto& role : split(option(words, "suppressed").value_or(""), ',')) s.suppressed_roles.insert(role);
  callers_[s.call] = words[1];
  deliver(s);
}

calls::Body MasterScript::body(const Words& words) const {
  const std::string& verb = words[0];
  const auto word = [&](std::size_t i) { return i < words.size() ? words[i] : std::string(); };
  if (verb == "teardown") return calls::Teardown{};
  std::set<std::string> roles;
  if (const auto role = option(words, "role")) roles.insert(*role);
  if (verb == "revive") return calls::Revive{roles};
  if (verb == "suppress") return calls::Suppress{roles};
  if (verb == "request") return calls::Request{};
  if (verb == "message") return calls::Message{AgentId(word(2)), ExecutorId(word(3)), word(4)};
  if (verb == "shutdown") return calls::Shutdown{ExecutorId(word(3)), AgentId(word(2))};
  if (verb == "ack") return calls::Acknowledge{AgentId(word(2)), TaskId(word(3)), word(4)};
  if (verb == "kill") {
    calls::Kill kill{TaskId(word(2)), {}, option(words, "policy").value_or("")};
    if (const auto agent = option(words, "agent")) kill.agent = AgentId(*agent);
    return kill;
  }
  if (verb == "decline") return calls::Decline{{offer(word(1), word(2))}, duration(words.size() > 3 ? word(3) : "5s")};
  if (verb == "update_framework") return calls::UpdateFramework{framework(words[1], words), {}};
  if (verb == "reconcile") {
    calls::Reconcile reconcile;
    for (std::size_t i = 2; i < words.size(); ++i) {
      const auto at = words[i].find('@');
      std::optional<AgentId> agent;
      if (at != std::string::npos) agent = AgentId(words[i].substr(at + 1));
      reconcile.tasks.push_back({TaskId(words[i].substr(0, at)), agent});
    }
    return reconcile;
  }
  if (verb != "accept") throw std::invalid_argument("unknown word: " + verb);

  calls::Accept accept{{}, {}, duration(option(words, "refuse").value_or("5s"))};
  for (const auto& id : split(word(2), ',')) accept.offers.push_back(offer(word(1), id));
  const auto on = core_->state().offers.find(accept.offers.front());
  const std::string agent = on == core_->state().offers.end() ? "a1" : on->second.agent.str();
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    if (words[i] != "/") continue;
    const std::string& what = words[i + 1];
    const std::string& first = words[i + 2];
    calls::Operation operation;
    if (what == "launch") {
      const auto at = first.find('@');  // `t1@a2`: what the task itself says of its agent
      TaskDescription t =
          task(first.substr(0, at), at == std::string::npos ? agent : first.substr(at + 1), word(i + 3));
      if (word(i + 4).starts_with("executor=")) {
        t.executor = executor(word(i + 4).substr(9));
        t.has_command = false;
      }
      operation.what = calls::Launch{{t}};
    } else {
      using Kind = Conversion::Kind;
      const std::map<std::string, Kind> kinds{{"reserve", Kind::reserve},
                                              {"unreserve", Kind::unreserve},
                                              {"create", Kind::create},
                                              {"destroy", Kind::destroy}};
      operation.what = Conversion{kinds.at(what), resources(first)};
      if (word(i + 3).starts_with("id=")) operation.id = OperationId(word(i + 3).substr(3));
    }
    accept.operations.push_back(operation);
  }
  return accept;
}

void MasterScript::scheduler(const Words& given) {
  const bool late = given[0] == "late";
  const Words words(given.begin() + (late ? 1 : 0), given.end());
  const std::string& name = words.at(1);
  SchedulerCall call{++last_call_, FrameworkId(name), {}, body(words)};
  const auto it = streams_.find(name);
  if (it != streams_.end()) call.stream = late ? it->second.at(it->second.size() - 2) : it->second.back();
  callers_[call.call] = name;
  deliver(call);
}

void MasterScript::operate(const Words& words) {
  using Kind = Conversion::Kind;
  const std::map<std::string, Kind> kinds{
      {"reserve", Kind::reserve}, {"unreserve", Kind::unreserve}, {"create", Kind::create}, {"destroy", Kind::destroy}};
  callers_[++last_call_] = "operator";
  if (words.at(1) == "teardown") return deliver(OperatorTeardown{last_call_, FrameworkId(words.at(2))});
  deliver(OperatorConvert{last_call_, AgentId(words.at(2)), {kinds.at(words[1]), resources(words.at(3))}});
}

void MasterScript::advance(Duration time) {
  pass_time(now_, time, [this] { return core_->next_deadline(); }, [this] { deliver(Tick{}); });
}

/// Offers are made at the end of a turn.
void MasterScript::settle() {
  while (core_->next_deadline() && *core_->next_deadline() <= now_.mono) deliver(Tick{});
}

void MasterScript::deliver(const Input& input) {
  const auto effects = core_->step(now_, input);
  core_->check_invariants();
  expect_durable_first(effects, [](const Effect& e) { return !std::holds_alternative<Note>(e); });
  for (const auto& effect : effects) carry_out(effect);
  EXPECT_EQ(store_, registry_of(core_->state())) << "the next life would believe something else";
  std::set<std::uint64_t> orders;
  for (const auto& [id, completed] : core_->state().completed)
    EXPECT_TRUE(orders.insert(completed.order).second) << id.str() << " is as old as another";
}

void MasterScript::show_task(const FrameworkId& framework, const TaskId& id) {
  const auto& tasks = core_->state().frameworks.at(framework).tasks;
  const auto it = tasks.find(id);
  if (it == tasks.end()) return said_.push_back("no such task");
  const Task& t = it->second;
  std::string text = t.id.str() + " on " + t.agent.str() + " as " + t.role + " <" + t.info + "> " + t.resources.str();
  if (!t.executor.empty()) text += " executor " + t.executor.str();
  text += ", " + std::string(name(t.state)) + ", forwarded " + std::string(name(t.forwarded)) + " " + t.forwarded_uuid;
  text += std::string(t.reported ? ", reported" : "") + (t.unreachable ? ", unreachable" : "");
  if (t.kill) text += ", kill <" + *t.kill + ">";
  for (const auto& status : t.statuses) text += ", " + std::string(name(status.state)) + " <" + status.status + ">";
  said_.push_back(text);
}

void MasterScript::show_framework(const FrameworkId& id) {
  const Framework& f = core_->state().frameworks.at(id);
  std::string text = f.name + " of " + f.user + " '" + f.principal + "' roles";
  for (const auto& role : f.roles) text += " " + role + (f.suppressed.contains(role) ? "(suppressed)" : "");
  text += ", timeout " + std::to_string(milliseconds(f.failover_timeout)) + " ms <" + *f.info + ">";
  text += std::string(f.checkpoint ? ", checkpoint" : "") + (f.asked ? ", asked" : "") +
          (f.registered ? ", registered" : "") + (f.reregistered ? ", reregistered" : "");
  said_.push_back(text + ", " + std::to_string(f.filters.size()) + " filters");
}

std::string MasterScript::who(LinkId link) const {
  for (const auto& [name, id] : links_)
    if (id == link) return name;
  return "a former link";
}
std::string MasterScript::who(const StreamId& stream) const {
  for (const auto& [name, ids] : streams_)
    if (std::count(ids.begin(), ids.end(), stream)) return ids.back() == stream ? name : name + " (former)";
  return "?";
}

OfferId MasterScript::offer(const std::string& framework, const std::string& shown) const {
  if (shown != "newest") return OfferId(core_->state().master_id + "-" + shown);
  const Offer* newest = nullptr;
  for (const auto& [id, offer] : core_->state().offers)
    if (offer.framework.str() == framework && (!newest || offer.made >= newest->made)) newest = &offer;
  return newest ? newest->id : OfferId("none");
}

void MasterScript::say(const std::string& whom, const std::string& what) {
  said_.push_back(whom + std::string(whom.size() < 10 ? 10 - whom.size() : 1, ' ') + " " + what);
}

std::string MasterScript::shorten(std::string text) const {
  const std::string& id = core_->state().master_id;
  for (auto at = text.find(id); at != std::string::npos; at = text.find(id)) {
    const bool is_offer = text.compare(at + id.size(), 2, "-O") == 0;
    text.replace(at, id.size() + (is_offer ? 1 : 0), is_offer ? "" : "M");
  }
  return text;
}

namespace {

struct ShowEvent {
  std::string operator()(const events::Subscribed& e) const { return "SUBSCRIBED " + e.framework.str(); }
  std::string operator()(const events::Heartbeat&) const { return "HEARTBEAT"; }
  std::string operator()(const events::Offers& e) const {
    std::string text = "OFFERS";
    for (const auto& o : e.offers) {
      text += " [" + o.id.str() + " " + o.agent.str() + " to " + o.role + ": " + o.resources.str();
      for (const auto& executor : o.executors) text += " executor " + executor.str();
      text += "]";
    }
    return text;
  }
  std::string operator()(const events::Rescind& e) const { return "RESCIND " + e.offer.str(); }
  std::string operator()(const events::Update& e) const { return "UPDATE " + e.status; }
  std::string operator()(const events::Report& e) const {
    std::string text = "UPDATE " + e.task.str() + " " + std::string(name(e.state)) + " \"" + e.message + "\"";
    if (!e.agent.empty()) text += " on " + e.agent.str();
    text += " reason " + std::to_string(static_cast<int>(e.reason));
    if (e.unreachable_since) text += " (since known)";
    if (!e.like.empty()) text += " like <" + e.like + ">";
    return text;
  }
  std::string operator()(const events::OperationReport& e) const {
    return "OPERATION " + e.id.str() + " state " + std::to_string(e.state) +
           (e.agent.empty() ? "" : " on " + e.agent.str()) + (e.message.empty() ? "" : " \"" + e.message + "\"");
  }
  std::string operator()(const events::Message& e) const {
    return "MESSAGE " + e.agent.str() + "/" + e.executor.str() + " " + e.data;
  }
  std::string operator()(const events::Failure& e) const {
    std::string text = "FAILURE " + e.agent.str();
    if (!e.executor.empty()) text += "/" + e.executor.str();
    if (e.wait_status) text += " status " + std::to_string(*e.wait_status);
    return text;
  }
  std::string operator()(const events::Error& e) const { return "ERROR " + e.message; }
};

struct ShowOrder {
  std::string operator()(const orders::Registered& o) const {
    std::string text = "registered " + o.agent.str() + " epoch " + std::to_string(o.epoch);
    for (const auto& id : o.gone_frameworks) text += " gone " + id.str();
    return text;
  }
  std::string operator()(const orders::Refused& o) const { return "refused: " + o.reason; }
  std::string operator()(const orders::RunTask& o) const {
    return "run " + o.framework.str() + " <" + o.task_info + "> as " + o.role;
  }
  std::string operator()(const orders::KillTask& o) const {
    return "kill " + o.framework.str() + "/" + o.task.str() + (o.policy.empty() ? "" : " <" + o.policy + ">");
  }
  std::string operator()(const orders::Acknowledge& o) const {
    return "acknowledge " + o.framework.str() + "/" + o.task.str() + " " + o.uuid;
  }
  std::string operator()(const orders::SchedulerMessage& o) const {
    return "message " + o.framework.str() + "/" + o.executor.str() + " " + o.data;
  }
  std::string operator()(const orders::ShutdownExecutor& o) const {
    return "shutdown executor " + o.framework.str() + "/" + o.executor.str();
  }
  std::string operator()(const orders::ShutdownFramework& o) const { return "shutdown framework " + o.framework.str(); }
  std::string operator()(const orders::UpdateFramework& o) const {
    return "update framework " + o.framework.str() + " <" + *o.info + ">";
  }
  std::string operator()(const orders::Apply& o) const { return "apply " + o.checkpointed.str(); }
  std::string operator()(const orders::Ping&) const { return "ping"; }
};

}  // namespace

void MasterScript::carry_out(const Effect& effect) {
  if (const auto* persist = std::get_if<Persist>(&effect)) {
    for (const auto& change : persist->changes) {
      say("store", (change.value ? "" : "forget ") + change.key);
      if (change.value) store_[change.key] = *change.value;
      else store_.erase(change.key);
    }
  } else if (const auto* answer = std::get_if<Answer>(&effect)) {
    const std::string caller = callers_[answer->call];
    if (answer->status >= 300 || caller == "operator")
      say(caller, std::to_string(answer->status) + (answer->text.empty() ? "" : " " + answer->text));
  } else if (const auto* open = std::get_if<OpenStream>(&effect)) {
    streams_[callers_[open->call]].push_back(open->stream);
  } else if (const auto* send = std::get_if<SendEvent>(&effect)) {
    if (std::holds_alternative<events::Heartbeat>(send->event)) ++heartbeats_[who(send->stream)];
    else say("-> " + who(send->stream), std::visit(ShowEvent{}, send->event));
  } else if (const auto* close = std::get_if<CloseStream>(&effect)) {
    say("-> " + who(close->stream), "(stream ends)");
  } else if (const auto* order = std::get_if<SendToAgent>(&effect)) {
    const std::string name = who(order->link);
    if (std::holds_alternative<orders::Ping>(order->order)) {
      if (!silent_.count(name)) deliver(AgentPonged{order->link});
      return;
    }
    if (const auto* apply = std::get_if<orders::Apply>(&order->order)) applying_[name].push_back(apply->operation_uuid);
    say("-> " + name, std::visit(ShowOrder{}, order->order));
  } else if (const auto* link = std::get_if<CloseLink>(&effect)) {
    applying_[who(link->link)].clear();
    say("-> " + who(link->link), "(link ends)");
  }
}

}  // namespace banyan::scenario
