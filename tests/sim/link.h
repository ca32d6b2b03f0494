// The agent <-> master stream between simulated processes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tests/sim/process.h"

namespace banyan::sim {

/// One agent's connection. Each end sets its handlers; a cut reaches the other end after what still arrives.
struct AgentWire {
  AgentWire(Kernel& kernel, Place agent) : up(kernel, {agent, Place::master}), down(kernel, {Place::master, agent}) {}

  Pipe up;                                            ///< agent -> master
  Pipe down;                                          ///< master -> agent
  std::function<void(const std::string&)> at_master;  ///< a FromAgent has arrived
  std::function<void()> lost_by_master;               ///< the agent hung up
  std::function<void(const std::string&)> at_agent;
  std::function<void()> lost_by_agent;

  static void call(const std::function<void(const std::string&)>& handler, const std::string& bytes) {
    if (const auto kept = handler) kept(bytes);  // it may drop itself
  }
  static void call(const std::function<void()>& handler) {
    if (const auto kept = handler) kept();
  }
};
using Wire = std::shared_ptr<AgentWire>;

/// `twice`: see Pipe::send.
inline void send_up(const Wire& wire, std::string bytes, bool twice) {
  wire->up.send([wire, bytes = std::move(bytes)] { AgentWire::call(wire->at_master, bytes); }, twice);
}
inline void send_down(const Wire& wire, std::string bytes, bool twice) {
  wire->down.send([wire, bytes = std::move(bytes)] { AgentWire::call(wire->at_agent, bytes); }, twice);
}
/// The agent's end goes: nothing more arrives there, the master hears of it.
inline void drop_by_agent(const Wire& wire) {
  wire->at_agent = nullptr;
  wire->lost_by_agent = nullptr;
  wire->up.cut([wire] { AgentWire::call(wire->lost_by_master); });
}
inline void drop_by_master(const Wire& wire) {
  wire->at_master = nullptr;
  wire->lost_by_master = nullptr;
  wire->down.cut([wire] { AgentWire::call(wire->lost_by_agent); });
}

/// Where agents connect; empty while no master runs.
struct MasterDoor {
  std::function<void(Wire)> knock;
};

}  // namespace banyan::sim
