// The language of tests/scenarios/master/*.txt: one line, one thing that happens to a master's core.
//
//   agent a1 cpus:4;mem:4096                 registers (again); `agent - …` without an id; after the resources, in any
//   order:
//         keep=RESOURCES                     its reservations and volumes
//         task=web/t1:TASK_RUNNING:RESOURCES [unacknowledged=TASK_STARTING:u1] executor=web/e1:RESOURCES framework=web
//   close a1 | silent a1 | talking a1        link broken; stops or goes on answering pings (default: answers)
//   update a1 web/t1 TASK_RUNNING u1 [latest=TASK_FINISHED]    exited a1 web/e1 9    applied a1 [error=TEXT]
//   said a1 web/e1 TEXT                      an executor's message
//   subscribe web [id=-|ID] [role=R] [timeout=60s] [aware] [legacy] [suppressed=R] [principal=P]
//             [user=U] [forgetful]
//   cut web                                  its stream breaks
//   accept web O0,O1|newest [refuse=5s] / launch t1 RESOURCES [executor=e1:RESOURCES] / reserve RESOURCES / create
//   RESOURCES / … decline web O0 [5s] | revive web | suppress web | request web | teardown web kill web t1 [agent=a1] |
//   ack web a1 t1 u1 | reconcile web [t1[@a1] …] | message web a1 e1 TEXT | shutdown web a1 e1 late CALL web … the same
//   with the stream id of its former subscription operator teardown web | operator reserve|unreserve|create|destroy a1
//   RESOURCES advance 10s | restart | summary | free a1 task web t1 | framework web              what the operator API
//   would be shown of it heartbeats web                           how many it has had since this was asked last
//
// RESOURCES: Mesos' text, pieces joined by '&'; `web@cpus:1` is reserved to web, `web@vol(v1,data,100)` a volume of 100
// MB.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/core/master/core.h"

namespace banyan::scenario {

class MasterScript {
 public:
  MasterScript();
  /// Carries out one line; gives what came of it, one line each.
  std::vector<std::string> run(const std::string& line);

 private:
  using Words = std::vector<std::string>;
  void agent(const Words& words);
  void link(const Words& words);
  void subscribe(const Words& words);
  void scheduler(const Words& words);
  void operate(const Words& words);
  void advance(Duration time);
  void restart();
  void deliver(const master::Input& input);
  void settle();
  void show_task(const FrameworkId& framework, const TaskId& id);
  void show_framework(const FrameworkId& id);
  void carry_out(const master::Effect& effect);
  master::calls::Body body(const Words& words) const;

  void say(const std::string& who, const std::string& what);
  std::string shorten(std::string text) const;
  std::string who(master::LinkId link) const;
  std::string who(const StreamId& stream) const;
  OfferId offer(const std::string& framework, const std::string& shown) const;

  Now now_{Instant(std::chrono::hours(1)), WallTime(std::chrono::hours(480'000))};
  std::map<std::string, std::string> store_;
  std::unique_ptr<master::Core> core_;
  std::uint64_t starts_ = 0;
  master::LinkId last_link_ = 0;
  master::CallId last_call_ = 0;
  std::map<std::string, master::LinkId> links_;           // by the agent's name
  std::map<std::string, std::vector<StreamId>> streams_;  // by the framework's name, newest last
  std::map<master::CallId, std::string> callers_;
  std::map<std::string, std::vector<std::string>> applying_;  // by the agent's name
  std::set<std::string> silent_;
  std::map<std::string, unsigned> heartbeats_;  // by the framework's name
  std::vector<std::string> said_;
};

}  // namespace banyan::scenario
